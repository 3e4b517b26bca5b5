"""Refused requests of image analysis, in Azure's codes: an outer one, and an inner one that is precise."""

from __future__ import annotations

from collections.abc import Mapping

from foveal.errors import FovealError

NOT_ACCESSIBLE = "The provided image url is not accessible."
BAD_BYTES = "The image size is not allowed to be zero or larger than 20971520 bytes."


class RefusedAnalysis(FovealError):
    """`inner` is the precise code, where there is one."""

    code = "InvalidRequest"

    def __init__(
        self,
        message: str,
        inner: str | None = None,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code, headers=headers)
        self.inner = inner


class WrongMediaType(RefusedAnalysis):
    """The body is neither a picture's bytes nor JSON with its address."""

    status = 415
    code = "UnsupportedMediaType"

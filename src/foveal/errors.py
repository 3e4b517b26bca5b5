"""Errors that a caller can do something about.

Every class knows its HTTP status, its code and the parameter it speaks of; `foveal.http.errors`
is the one place that renders them, and the CLI prints `message` and exits with 2.
Messages are Azure's own wording where Azure's wording is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal


class FovealError(Exception):
    """An error with a message for the person at the other end, never a traceback."""

    status: int = 400
    code: str | None = "BadRequest"
    type: str | None = None

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code
        self.headers: Mapping[str, str] = headers or {}


class InvalidRequest(FovealError):
    """A field of the request is missing, of the wrong type or out of range (`param` names it)."""

    code = None
    type = "invalid_request_error"


class InvalidImage(FovealError):
    """An image that cannot be used. `reason`: its address leads nowhere, it has too many bytes, too many
    pixels, or it is no image (or a broken one)."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        reason: Literal["url", "bytes", "pixels", "format"] = "format",
    ) -> None:
        super().__init__(message, param=param)
        self.reason = reason


class InvalidVideo(FovealError):
    """A video that cannot be used. `code` says why in one word, as it stands in the error of a document; the
    message names what is wrong with this one (its codec, its length).
    """

    code = "InvalidVideo"


class VideoUnreachable(FovealError):
    """A video's address leads nowhere, is refused, or its storage stopped answering. `again` tells whether
    trying once more can help.
    """

    code = "VideoUrlNotAccessible"

    def __init__(
        self, message: str, *, param: str | None = None, code: str | None = None, again: bool = False
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.again = again


class InvalidDataSource(FovealError):
    """A data source that cannot be used: its endpoint, its key, or the resource behind the key."""

    code = "InvalidDataSource"


class PromptFiltered(FovealError):
    """The content filter refuses the prompt. `results` is what it found, as the wire has it."""

    code = "content_filter"

    def __init__(self, results: Mapping[str, object]) -> None:
        super().__init__(
            "The response was filtered due to the prompt triggering Azure OpenAI's content management "
            "policy. Please modify your prompt and retry. To learn more about our content filtering "
            "policies please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766",
            param="prompt",
        )
        self.results = results


class PayloadTooLarge(FovealError):
    status = 413
    code = "RequestEntityTooLarge"


class UnsupportedMediaType(FovealError):
    status = 415
    code = "UnsupportedMediaType"


class Unauthorized(FovealError):
    """No key or a wrong one."""

    status = 401
    code = "401"


class NotFound(FovealError):
    status = 404
    code = "404"


class Conflict(FovealError):
    """There is something of this name already, or what is asked for cannot be done in its present state."""

    status = 409
    code = "Conflict"


class DeploymentNotFound(NotFound):
    code = "DeploymentNotFound"


class TooManyRequests(FovealError):
    """A bounded queue is full; `headers` carries `retry-after`."""

    status = 429
    code = "429"


class QuotaExceeded(FovealError):
    """More capacity than the quota of a region has left."""

    code = "InsufficientQuota"


class BudgetExceeded(FovealError):
    """A budget that the operator set is spent; `type` is OpenAI's word for a quota that is used up."""

    status = 429
    code = "BudgetExceeded"
    type = "insufficient_quota"


class NotSupported(FovealError):
    """An operation of the real service that this one does not have."""

    status = 501
    code = "NotImplemented"


class EngineError(FovealError):
    """The engine behind a deployment failed or cannot be reached."""

    status = 502
    code = "EngineError"


class EngineUnavailable(FovealError):
    """The engine cannot serve now: a model is missing or still loading."""

    status = 503
    code = "ServiceUnavailable"


class SetupError(FovealError):
    """The installation or the data directory is not usable; the message says what to do."""

    status = 500
    code = "SetupError"

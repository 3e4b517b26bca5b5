"""What a storage's refusal means, in words that tell the person what to do."""

from __future__ import annotations

import re

from foveal.errors import VideoUnreachable
from foveal.images.fetch import MediaAnswer

TRANSIENT = frozenset({408, 425, 429})  # and everything from 500 on
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{2,60}")
_MEANINGS = {
    "AuthenticationFailed": "the SAS is expired, or was signed with another key or for another blob",
    "AuthorizationFailure": "the SAS is expired, or was signed with another key or for another blob",
    "AuthorizationPermissionMismatch": "the SAS lacks the read permission (sp=r)",
    "AuthorizationResourceTypeMismatch": "the SAS is not for blobs",
    "AuthorizationServiceMismatch": "the SAS is not for blobs",
    "AuthorizationProtocolMismatch": "the SAS is for https only",
    "AuthorizationSourceIPMismatch": "the SAS is for other addresses than this server's",
    "PublicAccessNotPermitted": "its account allows no public access: the address needs a SAS",
    "NoAuthenticationInformation": "the address needs a SAS",
}


def refused(answer: MediaAnswer, *, signed: bool) -> VideoUnreachable:
    """The error of a status that trying again does not change; `signed`: the address carried a signature."""
    status = answer.status
    given = answer.headers.get("x-ms-error-code", "").strip()
    code = given if _CODE.fullmatch(given) else None
    shown = f"({status}{f', {code}' if code else ''})"
    if code in _MEANINGS:
        return VideoUnreachable(
            f"The storage refused the address {shown}: {_MEANINGS[code]}.", code="VideoAccessDenied"
        )
    if status in (401, 403):
        reason = (
            "the SAS is expired, lacks the read permission, or was signed for something else"
            if signed
            else "the blob is not public, so the address needs a SAS"
        )
        return VideoUnreachable(
            f"The storage refused the address {shown}: {reason}.", code="VideoAccessDenied"
        )
    if status in (404, 410):
        what = "such container" if code == "ContainerNotFound" else "such video"
        return VideoUnreachable(f"The storage has no {what} {shown}.", code="VideoNotFound")
    return VideoUnreachable(f"The storage does not give the video out {shown}.")

"""Shared access signatures as Azure Storage makes them for one blob, read only.

The string that is signed is that of version 2020-12-06 (Microsoft, "Create a service SAS"): the fields of the
address, then the account, container and blob, a line each, empty where a field is not used.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

VERSION = "2020-12-06"
READ = "r"
_BLOB = "b"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def signed_query(
    key: str, account: str, container: str, blob: str, *, until: datetime, https: bool = False
) -> str:
    """The query of an address that may read one blob until a time; `https`: only that way.

    `key` is base64, as storage accounts have them; `blob` is the name as it is, not quoted.
    """
    fields = {
        "sp": READ,
        "se": until.astimezone(UTC).strftime(_TIME),
        "spr": "https" if https else "",
        "sv": VERSION,
        "sr": _BLOB,
    }
    signature = sign(key, fields, account, container, blob)
    given = {name: value for name, value in fields.items() if value}
    return urlencode({**given, "sig": signature}, quote_via=quote, safe="")


def sign(key: str, fields: Mapping[str, str], account: str, container: str, blob: str) -> str:
    """The signature over the `fields` of an address (sp, st, se, spr, sv and sr; others count as empty)."""
    lines = (
        fields.get("sp", ""),
        fields.get("st", ""),
        fields.get("se", ""),
        f"/blob/{account}/{container}/{blob}",
        "",  # si, a stored policy
        "",  # sip, addresses that may ask
        fields.get("spr", ""),
        fields.get("sv", ""),
        fields.get("sr", ""),
        *("",) * 7,  # snapshot, ses, rscc, rscd, rsce, rscl, rsct
    )
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()).decode("ascii")


def read_time(text: str) -> datetime | None:
    """A time of a signature (`2024-05-01T10:00:00Z`, `2024-05-01`), None when it is none."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def is_key(text: str) -> bool:
    """Whether this can be the key of a storage account."""
    try:
        return len(base64.b64decode(text, validate=True)) >= 16
    except (binascii.Error, ValueError):
        return False

"""Keys: made, hashed at rest, checked in constant time.

A key is 128 random bits as 32 hexadecimal digits, the form of Azure's. At rest there is a salted SHA-256
only: a fast hash is right for a key that cannot be guessed, and it costs a request microseconds. Keys that
the operator chose are hashed the same way, so those must be long to be safe (see `WEAK_BELOW`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

WEAK_BELOW = 16  # characters; a shorter key of the operator's is refused on a host that others can reach


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One of a resource's two keys (`slot` 1 or 2) as it is kept."""

    resource: str
    slot: int
    salt: bytes
    digest: bytes
    by_operator: bool


def new_key() -> str:
    return secrets.token_hex(16)


def hash_key(resource: str, slot: int, key: str, *, by_operator: bool) -> StoredKey:
    salt = secrets.token_bytes(16)
    return StoredKey(resource, slot, salt, _digest(salt, key), by_operator)


def matches(stored: StoredKey, presented: str) -> bool:
    return hmac.compare_digest(stored.digest, _digest(stored.salt, presented))


def find_key(stored: Iterable[StoredKey], presented: str) -> StoredKey | None:
    """The key that `presented` is. Every key is compared, so timing tells nothing."""
    found: StoredKey | None = None
    for key in stored:
        if matches(key, presented):
            found = key
    return found


def _digest(salt: bytes, key: str) -> bytes:
    return hashlib.sha256(salt + key.encode("utf-8", "surrogatepass")).digest()

"""Keys: made, hashed at rest, checked in constant time.

A key is 128 bits as 32 hexadecimal digits, the form of Azure's. In the database there is a salted SHA-256
only: a fast hash is right for a key that cannot be guessed, and it costs a request microseconds. Keys that
the operator chose are hashed the same way, so those must be long to be safe (see `WEAK_BELOW`).

The management API has to show keys again (`listKeys`), which a hash cannot. So the keys made here are no
random numbers of their own but computed from the row's salt with a secret that is kept outside of the
database, in the file `MASTER_FILE`: no key is written down anywhere, a copy of the database alone opens
nothing, and whoever may read the whole data directory could have made himself a key before, too. Keys that
were random, or chosen by the operator, stay valid; they cannot be shown.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foveal.errors import SetupError

MASTER_FILE = "master.key"
_MASTER_BYTES = 32
WEAK_BELOW = 16  # characters; a shorter key of the operator's is refused on a host that others can reach


@dataclass(frozen=True, slots=True)
class KeyLimit:
    """What one key may take in a minute, of all deployments together; None: as much as they give."""

    tokens: int | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One of a resource's two keys (`slot` 1 or 2) as it is kept."""

    resource: str
    slot: int
    salt: bytes
    digest: bytes
    by_operator: bool


def master_key(folder: Path) -> bytes:
    """The secret of the data directory that keys are computed with, made when it is not there yet.

    Raises `SetupError` for a file that is something else.
    """
    path = folder / MASTER_FILE
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        found = _made_master(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be read ({error.strerror})") from None
    if len(found) != _MASTER_BYTES:
        raise SetupError(
            f"{path} is damaged: bring it back from a backup, or remove it (keys go on working, but those "
            "made before cannot be shown any more)"
        )
    return found


def _made_master(path: Path) -> bytes:
    """Whole or not at all, and the first of several processes wins."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".master-")  # readable by its owner only
    try:
        with os.fdopen(number, "wb") as file:
            file.write(secrets.token_bytes(_MASTER_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
        return path.read_bytes()
    finally:
        Path(name).unlink()


def new_key(master: bytes, resource: str, slot: int, *, by_operator: bool) -> tuple[str, StoredKey]:
    """A key and what is kept of it."""
    salt = secrets.token_bytes(16)
    key = _computed(master, salt, resource, slot)
    return key, StoredKey(resource, slot, salt, _digest(salt, key), by_operator)


def shown_key(master: bytes, stored: StoredKey) -> str | None:
    """The key once more; None for one that was not made with this `master`."""
    key = _computed(master, stored.salt, stored.resource, stored.slot)
    return key if matches(stored, key) else None


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


def _computed(master: bytes, salt: bytes, resource: str, slot: int) -> str:
    """The salt has a fixed length and the slot is one byte, so that no two rows have the same message."""
    message = salt + resource.encode() + bytes([slot])
    return hmac.new(master, message, hashlib.sha256).hexdigest()[:32]

"""Files from a model hub over https, resumed where an earlier attempt stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx

from foveal.errors import SetupError
from foveal.models.catalogue import HubSource

HUB = "https://huggingface.co"
_CONNECT = 5.0  # seconds: where the hub is not allowed, the other sources should get their turn soon
_READ = 30.0
_TRIES = 5  # of a connection that breaks while it makes progress


def download(hub: str, source: HubSource, target: Path, size: int, said: Callable[[int], None]) -> None:
    """Complete `target`, a file that may hold the beginning already. `said` hears of bytes done (first:
    those kept).

    Raises SetupError with what went wrong; what came so far stays for the next attempt.
    """
    url = f"{hub.rstrip('/')}/{source.repo}/resolve/{source.revision}/{source.file}"
    kept = target.stat().st_size if target.exists() else 0
    if kept > size:
        target.unlink()
        kept = 0
    said(kept)
    timeout = httpx.Timeout(_READ, connect=_CONNECT)
    with httpx.Client(timeout=timeout, follow_redirects=True) as client:
        for attempt in range(_TRIES):
            if kept == size:
                return
            before = kept
            try:
                kept = _continue(client, url, target, kept, size, said)
            except httpx.HTTPError as error:
                kept = target.stat().st_size if target.exists() else 0
                if kept == before or attempt == _TRIES - 1:
                    raise SetupError(f"{url}: {type(error).__name__}: {error}") from None
    if kept != size:
        raise SetupError(f"{url}: got {kept} of {size} bytes")


def _continue(
    client: httpx.Client, url: str, target: Path, kept: int, size: int, said: Callable[[int], None]
) -> int:
    """One request for the rest of the file. Returns the bytes that `target` holds afterwards."""
    headers = {"accept-encoding": "identity"}
    if kept:
        headers["range"] = f"bytes={kept}-"
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code not in (200, 206):
            raise SetupError(f"{url}: HTTP {response.status_code}")
        if response.status_code == 200 and kept:
            said(-kept)  # a server without ranges sends everything again
            kept = 0
        with target.open("ab" if kept else "wb") as file:
            for chunk in response.iter_raw():
                kept += len(chunk)
                if kept > size:
                    raise SetupError(f"{url}: sends more than the {size} bytes of the catalogue")
                file.write(chunk)
                said(len(chunk))
    return kept

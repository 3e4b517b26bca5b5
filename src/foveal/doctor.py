"""Checks of the installation: what is fine, what is not, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from foveal.errors import FovealError, SetupError
from foveal.settings import Settings

Level = Literal["ok", "warning", "broken"]
NEEDED_MEMORY = 3 * 1024**3  # bytes: the language model, perception and some pictures
NEEDED_DISK = 3 * 1024**3  # bytes: the default weights, and their parts while they are fetched
PACKAGES = (
    "openvino",
    "rapidocr",
    "tesserocr",
    "xllamacpp",
    "opencv-python-headless",
    "pillow",
    "bpe-openai",
)


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    detail: str
    advice: str = ""


def examine(settings: Settings, missing_models: Callable[[], list[str]]) -> Iterator[Finding]:
    """All checks, one after the other. `missing_models` names the weights the chosen engine lacks."""
    yield _python()
    yield from map(_package, PACKAGES)
    yield _models(settings, missing_models)
    yield _data(settings)
    yield _port(settings)
    yield _memory()
    yield _engine(settings)
    if settings.entra_issuer is not None:
        yield _issuer(settings, settings.entra_issuer)


def _python() -> Finding:
    return Finding("Python", "ok", ".".join(map(str, sys.version_info[:3])))


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "broken", "not installed", "install Foveal again: pip install --upgrade foveal")


def _models(settings: Settings, missing_models: Callable[[], list[str]]) -> Finding:
    try:
        missing = missing_models()
    except FovealError as error:
        return Finding("models", "broken", error.message, "run `foveal models` for the names that exist")
    if missing:
        if not settings.models.exists():
            free = shutil.disk_usage(_existing(settings.models.parent)).free
            if free < NEEDED_DISK:
                need = f"needs {NEEDED_DISK >> 30} GiB free for {settings.models}"
                return Finding("models", "broken", f"missing: {', '.join(missing)}", need)
        return Finding("models", "broken", f"missing: {', '.join(missing)}", "run `foveal models pull`")
    return Finding("models", "ok", str(settings.models))


def _data(settings: Settings) -> Finding:
    parent = _existing(settings.data)
    try:
        with tempfile.TemporaryFile(dir=parent):  # what os.access says does not hold for root
            pass
    except OSError:
        return Finding("data directory", "broken", f"{parent} is not writable", "choose another with --data")
    return Finding("data directory", "ok", str(settings.data))


def _port(settings: Settings) -> Finding:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            detail = f"{settings.host}:{settings.port}: {error.strerror}"
            return Finding("port", "warning", detail, "stop the other program or choose another --port")
    return Finding("port", "ok", f"{settings.host}:{settings.port} is free")


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    text = f"{total / 1024**3:.1f} GiB, {os.cpu_count()} processor threads"
    if total < NEEDED_MEMORY:
        return Finding("memory", "warning", text, "use the smaller --llm qwen2.5-coder-0.5b-instruct-q4_k_m")
    return Finding("memory", "ok", text)


def _engine(settings: Settings) -> Finding:
    if settings.engine == "openai" and not settings.upstream_url:
        return Finding("engine", "broken", "openai without an address", "set --upstream-url")
    if settings.engine == "gguf" and (settings.gguf is None or not settings.gguf.is_file()):
        return Finding("engine", "broken", f"gguf: no file {settings.gguf}", "set --gguf to a GGUF file")
    return Finding("engine", "ok", settings.engine)


def _issuer(settings: Settings, address: str) -> Finding:
    """Asks the identity provider for its keys, as a server does when it starts."""
    from foveal.resources.token_issuer import IssuerError, IssuerKeys

    try:
        count = asyncio.run(IssuerKeys(address, allow_hosts=settings.allow_hosts).fetch())
    except SetupError as error:
        return Finding("issuer", "broken", error.message, "set --entra-issuer to its address")
    except IssuerError as error:
        return Finding("issuer", "warning", f"{address}: {error}", "until it answers, tokens get a 503")
    if count == 0:
        return Finding("issuer", "warning", f"{address} has no keys of use", "no token can be believed")
    return Finding("issuer", "ok", f"{address}: {count} key(s)")


def _existing(path: Path) -> Path:
    """The nearest folder at or above `path` that exists."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())

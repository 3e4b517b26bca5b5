"""Every setting: one place, three ways to set it (flag, `FOVEAL_…` variable, default), in that order.

`foveal serve --help`, `docs/settings.md` and the error messages are made from the metadata here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from foveal.errors import SetupError

EngineName = Literal["evidence", "gguf", "openai", "echo"]
Annotations = Literal["azure", "compact", "off"]
FilterFailure = Literal["closed", "open"]
MIB = 1024 * 1024


def _setting(
    default: Any, parse: Callable[[str], Any], help: str, example: str = "", shown: str | None = None
) -> Any:
    """`shown` is how the docs write a default that differs between machines."""
    return field(default=default, metadata={"parse": parse, "help": help, "example": example, "shown": shown})


def _text(value: str) -> str:
    return value


def _folder(value: str) -> Path:
    return Path(value).expanduser()


def _hosts(value: str) -> tuple[str, ...]:
    return tuple(host.strip().lower() for host in value.split(",") if host.strip())


def _list(value: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in value.split(",") if entry.strip())


def _pairs(value: str) -> tuple[tuple[str, str], ...]:
    found = [tuple(part.strip() for part in entry.rpartition("=")[::2]) for entry in _list(value)]
    if not all(name and what for name, what in found):
        raise ValueError("use NAME=VALUE, comma-separated")
    return tuple((name, what) for name, what in found)


def _switch(value: str) -> bool:
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("use 1 or 0")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f"use a whole number from {low} to {high}")
        return number

    return parse


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"use one of {', '.join(choices)}")
        return value

    return parse


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided.

    A field `allow_hosts` is the flag `--allow-hosts` and the variable `FOVEAL_ALLOW_HOSTS`.
    """

    data: Path = _setting(
        Path("~/.foveal").expanduser(), _folder, "Data directory: resources, keys, deployments."
    )
    models: Path = _setting(
        Path("~/.cache/foveal/models").expanduser(), _folder, "Folder of the model weights."
    )
    host: str = _setting("127.0.0.1", _text, "Address to listen on.", "0.0.0.0")
    port: int = _setting(8450, _whole(0, 65535), "Port to listen on; 0 takes a free one.")
    api_key: str | None = _setting(
        None, _text, "Key 1 of the first resource; generated and printed once when absent."
    )
    admin_key: str | None = _setting(
        None, _text, "Key of the management API, 16 characters or more; without it that API is off."
    )
    entra_issuer: str | None = _setting(
        None,
        _text,
        "Identity provider (OpenID Connect) whose tokens are taken as `Authorization: Bearer`.",
        "https://login.microsoftonline.com/TENANT-ID/v2.0",
    )
    entra_audience: tuple[str, ...] = _setting(
        ("https://cognitiveservices.azure.com",),
        _list,
        "What its tokens must be for (comma-separated).",
        "api://foveal",
        shown="`https://cognitiveservices.azure.com`",
    )
    entra_resource: str | None = _setting(
        None, _text, "Resource that its tokens speak for. Default: the first.", "local"
    )
    entra_grants: tuple[tuple[str, str], ...] = _setting(
        (),
        _pairs,
        "Roles of its users and applications beside those that their tokens name: OBJECT-ID=ROLE, "
        "comma-separated.",
        "8a1f…=Cognitive Services User",
    )
    strict: bool = _setting(
        False,
        _switch,
        "1: no leniency, Azure's refusals exactly (16 tokens without max_tokens, extra fields).",
    )
    annotations: Annotations = _setting(
        "azure",
        _one_of("azure", "compact", "off"),
        "Content-filter annotations on the Azure routes: azure, compact or off.",
    )
    filter_failure: FilterFailure = _setting(
        "closed",
        _one_of("closed", "open"),
        "What the content filter cannot judge (its weights are missing, it failed) is refused (closed) or "
        "passes with an annotation that says so (open).",
    )
    allow_hosts: tuple[str, ...] = _setting(
        (),
        _hosts,
        "Hosts (host or host:port, comma-separated) that images and videos may be fetched from although not "
        "public.",
        "media.local:9000",
    )
    own_hosts: tuple[str, ...] = _setting(
        (),
        _hosts,
        "Further names of this server (host or host:port, comma-separated): a data source whose endpoint has "
        "one is served here.",
        "my-vision.cognitiveservices.azure.com",
    )
    vision_hosts: tuple[str, ...] = _setting(
        (),
        _hosts,
        "Computer Vision endpoints (host or host:port, comma-separated) that data sources may name and this "
        "server then calls.",
        "vision.local:8450",
    )
    engine: EngineName = _setting(
        "evidence",
        _one_of("evidence", "gguf", "openai", "echo"),
        "Engine of the deployments that do not name one: evidence, gguf, openai or echo.",
    )
    llm: str = _setting(
        "qwen2.5-coder-1.5b-instruct-q4_k_m",
        _text,
        "Language model of the evidence engine, a name from `foveal models`.",
    )
    gguf: Path | None = _setting(None, _folder, "Engine gguf: the model file.", "/models/vlm.gguf")
    mmproj: Path | None = _setting(
        None, _folder, "Engine gguf: the vision projector (mmproj) file; without it, text only."
    )
    upstream_url: str | None = _setting(
        None, _text, "Engine openai: base address of the server behind.", "http://127.0.0.1:8000/v1"
    )
    upstream_model: str | None = _setting(
        None, _text, "Engine openai: model (or deployment) name to ask for."
    )
    upstream_key: str | None = _setting(None, _text, "Engine openai: key to present.")
    upstream_api_version: str | None = _setting(
        None, _text, "Engine openai: set it when the server behind is Azure-shaped.", "2024-02-01"
    )
    threads: int = _setting(
        max(1, min(os.cpu_count() or 2, 8)),
        _whole(1, 256),
        "Processor threads for the models.",
        shown="the cores, at most 8",
    )
    queue: int = _setting(
        32, _whole(0, 100_000), "Requests that may wait for an engine; one more is answered with 429."
    )
    blobs: str | None = _setting(
        None,
        _text,
        "Where frames, thumbnails and uploaded media are kept: a folder, or an address s3://, az:// or gs:// "
        "with the usual credentials in the environment. Default: the folder blobs of the data directory.",
        "s3://foveal/blobs",
    )
    vectors: str | None = _setting(
        None,
        _text,
        "Where the vectors of video indexes are kept: a folder, or an address s3://, az:// or gs://. "
        "Default: the folder vectors of the data directory.",
        "s3://foveal/vectors",
    )
    max_video: int = _setting(
        8192 * MIB,
        _whole(1024, 1024 * 1024 * MIB),
        "Largest video, in bytes, that is fetched for an ingestion or uploaded.",
    )
    silence_seconds: int = _setting(
        30,
        _whole(1, 3600),
        "Seconds without a byte that end one attempt to fetch a video; it goes on where it stopped, several "
        "times.",
    )
    base_url: str | None = _setting(
        None,
        _text,
        "Address under which others reach this server: what the URLs of uploaded media begin with.",
        "https://foveal.example.com",
    )
    inline_seconds: int = _setting(
        600,
        _whole(1, 86_400),
        "Longest video, in seconds, that is asked about without an index (a video_url part, foveal ask).",
    )
    videos_at_once: int = _setting(
        1, _whole(1, 64), "Videos that are ingested side by side; one keeps two cores busy."
    )
    prices: Path | None = _setting(
        None,
        _folder,
        "Table of prices (TOML) that usage and budgets are counted with. Default: those of Azure's page, in "
        "US dollars.",
        "/etc/foveal/prices.toml",
    )
    idle_seconds: int = _setting(
        0,
        _whole(0, 31_536_000),
        "Free the embedded engines' weights after so many seconds without a question; 0 keeps them.",
        "900",
    )
    max_body: int = _setting(
        272 * MIB,
        _whole(1024, 4096 * MIB),
        "Largest request body in bytes (10 images of 20 MB as base64 fit).",
    )
    fetch_seconds: int = _setting(10, _whole(1, 600), "Deadline for fetching one image URL, in seconds.")
    grace_seconds: int = _setting(
        30, _whole(0, 3600), "How long a stopping server waits for requests in flight, in seconds."
    )
    log_level: str = _setting(
        "info", _one_of("debug", "info", "warning", "error"), "How much is logged (stderr)."
    )


def variable(name: str) -> str:
    """The environment variable of a setting: `allow_hosts` → `FOVEAL_ALLOW_HOSTS`."""
    return f"FOVEAL_{name.upper()}"


def setting_fields() -> tuple[Field[Any], ...]:
    """All settings with their metadata (`help`, `example`), in the order of `Settings`."""
    return fields(Settings)


def load_settings(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Settings:
    """Settings from flags, else from the environment, else the defaults; `SetupError` names what is wrong."""
    chosen: dict[str, Any] = {}
    for spec in fields(Settings):
        raw, source = flags.get(spec.name), f"--{spec.name.replace('_', '-')}"
        if raw is None:
            raw, source = environ.get(variable(spec.name)) or None, variable(spec.name)
        if raw is None:
            continue
        try:
            chosen[spec.name] = spec.metadata["parse"](raw)
        except ValueError as error:
            raise SetupError(f"{source}={raw!r} is not usable: {error}", param=spec.name) from None
    return Settings(**chosen)

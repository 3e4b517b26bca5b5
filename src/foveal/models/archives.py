"""Packages as carriers of files: fetched with the user's own pip or npm, unpacked, never installed."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from foveal.errors import SetupError
from foveal.models.catalogue import PackagePart

_CHUNK = 1 << 20
_TIMEOUT = 1800  # seconds for one archive; the largest has 90 MB

Run = Callable[[list[str]], tuple[int, str]]


def run_command(command: list[str]) -> tuple[int, str]:
    """Exit code and output of a command of the user's own tools."""
    try:
        done = subprocess.run(  # a fixed argument list, no shell
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        return 127, str(error)
    except subprocess.TimeoutExpired:
        return 124, f"took more than {_TIMEOUT} seconds"
    return done.returncode, done.stdout + done.stderr


def fetch(client: str, part: PackagePart, folder: Path, run: Run) -> Path:
    """Download one exact archive into `folder` with `client` ("pip" or "npm"), checked.

    Raises SetupError with the tool's own last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        code, said = run(_command(client, part, place))
        files = [path for path in Path(place).iterdir() if path.is_file()]
        if code != 0 or len(files) != 1:
            raise SetupError(f"{client}: {_last_words(said) or f'exit code {code}'}")
        check(files[0], part)
        return files[0].replace(folder / files[0].name)


def _command(client: str, part: PackagePart, place: str) -> list[str]:
    if client == "npm":
        npm = shutil.which("npm") or "npm"
        wanted = f"{part.package}@{part.version}"
        return [npm, "pack", wanted, "--pack-destination", place, "--ignore-scripts", "--silent"]
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    quiet = ["--disable-pip-version-check", "--quiet"]
    return [*pip, *quiet, "--dest", place, f"{part.package}=={part.version}"]


def _last_words(said: str) -> str:
    """The last error line of a tool, else its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.upper().startswith(("ERROR", "NPM ERR"))]
    return (errors or lines or [""])[-1]


def find(part: PackagePart, folder: Path) -> Path | None:
    """The archive of a part among the files of a folder, checked."""
    wheel = re.sub(r"[-_.]+", "_", part.package).lower() + f"-{part.version}-"
    tarball = part.package.lstrip("@").replace("/", "-") + f"-{part.version}.tgz"
    for path in sorted(folder.iterdir()):
        name = path.name
        if name == tarball or (
            name.endswith(".whl")
            and re.sub(r"[_.]+", "_", name.lower()).startswith(re.sub(r"[_.]+", "_", wheel))
        ):
            check(path, part)
            return path
    return None


def check(path: Path, part: PackagePart) -> None:
    if part.sha256 is None:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != part.sha256:
        raise SetupError(f"{path.name} has sha256 {digest} instead of {part.sha256}")


def unpack(archive: Path, member: str, target: Path, said: Callable[[int], None]) -> None:
    """Write one member of a wheel or npm tarball to `target`; `said` hears of the bytes written."""
    with _open_member(archive, member) as source, target.open("wb") as sink:
        plain: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=source) if member.endswith(".gz") else source
        while chunk := plain.read(_CHUNK):
            sink.write(chunk)
            said(len(chunk))


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """Never extracts by the archive's own paths, so a hostile archive cannot write anywhere."""
    try:
        if archive.suffix == ".tgz":
            with tarfile.open(archive, "r:gz") as tar:
                file = tar.extractfile(member)
                if file is None:
                    raise KeyError(member)
                with file:
                    yield file
        else:
            with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
                yield file
    except KeyError:
        raise SetupError(f"{archive.name} has no {member}") from None
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise SetupError(f"{archive.name} is broken: {error}") from None

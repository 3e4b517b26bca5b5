"""What a file can make the reading process do: nothing but read that file."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
from tests.support import broken_clips as broken

from foveal.errors import InvalidVideo
from foveal.video.decode.client import ProcessDecoder


class Listener:
    """A port of this machine that notices when somebody comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.came = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if connection.recv(1000) == b"the last":
                    return
                self.came.set()

    @property
    def thread_is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> bool:
        """Whether anybody came: who comes in order is heard in order, and this visit is the last."""
        with socket.create_connection(("127.0.0.1", self.port)) as visit:
            visit.sendall(b"the last")
        self._thread.join()
        self._socket.close()
        return self.came.is_set()


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    if listener.thread_is_alive:
        listener.close()


Maker = Callable[[Path, Path, str], Path]  # the other video, where to write, the address → the hostile file
HOSTILE: dict[str, Maker] = {
    "HLS, address": lambda _, to, url: broken.hls_playlist(to, url),
    "HLS, file": lambda other, to, _: broken.hls_playlist(to, str(other)),
    "HLS, file URL": lambda other, to, _: broken.hls_playlist(to, other.as_uri()),
    "HLS behind a blank line": lambda _, to, url: broken.write(
        to, f"\n#EXTM3U\n#EXTINF:9,\n{url}\n".encode()
    ),
    "concat, address": lambda _, to, url: broken.concat_playlist(to, url),
    "concat, file": lambda other, to, _: broken.concat_playlist(to, str(other)),
    "concat protocol": lambda other, to, _: broken.hls_playlist(to, f"concat:{other}|{other}"),
    "DASH": lambda _, to, url: broken.dash_manifest(to, url),
    "SDP": lambda _, to, url: broken.session_description(to, int(url.split(":")[2].split("/")[0])),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_playlist_reaches_no_other_file_or_address(
    decoder: ProcessDecoder, listener: Listener, whole: Path, tmp_path: Path, kind: str
) -> None:
    path = HOSTILE[kind](whole, tmp_path / "clip.mp4", f"http://127.0.0.1:{listener.port}/part.ts")
    with pytest.raises(InvalidVideo) as caught:
        decoder.probe(path)
    assert caught.value.code in ("UnsupportedFormat", "NotAVideo")
    assert not listener.close()


def test_ffmpeg_left_alone_would_go_there(listener: Listener, tmp_path: Path) -> None:
    """So that the test above can fail: the listener hears who comes, and FFmpeg comes when it may."""
    path = broken.hls_playlist(tmp_path / "clip.m3u8", f"http://127.0.0.1:{listener.port}/part.ts")
    with pytest.raises(av.error.FFmpegError), path.open("rb") as file:
        av.open(file, format="hls")
    assert listener.came.wait(10)


def test_a_reference_of_an_mp4_to_another_file_is_not_followed(
    decoder: ProcessDecoder, whole: Path, tmp_path: Path
) -> None:
    path = broken.without_samples(broken.pointing_elsewhere(whole, tmp_path / "clip.mp4", whole))
    with pytest.raises(InvalidVideo):
        decoder.probe(path)
    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(path), container_options=options) as container:  # what FFmpeg does when it may
        assert next(container.decode(video=0)).width == 640


def test_the_reading_process_can_open_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    script = f"""
import os, socket
from foveal.video.decode import sandbox
from foveal.video.decode.limits import Limits
sandbox.prepare()
sandbox.enter(Limits())
for name, attempt in {{
    "file": lambda: open({str(tmp_path / "secret")!r}),
    "socket": lambda: socket.socket(),
    "pipe": lambda: os.pipe(),
    "folder": lambda: os.open("/", os.O_RDONLY),
    "copy": lambda: os.dup(0),
    "memory": lambda: bytearray(8 << 30),
}}.items():
    try:
        attempt()
    except (OSError, MemoryError) as error:
        os.write(1, f"{{name}}: {{type(error).__name__}}\\n".encode())
    else:
        os.write(1, f"{{name}}: done\\n".encode())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:-1] == [
        "file: OSError",
        "socket: OSError",
        "pipe: OSError",
        "folder: OSError",
        "copy: OSError",
        "memory: MemoryError",
    ], done.stderr


def test_the_reading_process_has_no_environment(monkeypatch: pytest.MonkeyPatch, whole: Path) -> None:
    monkeypatch.setenv("FOVEAL_API_KEY", "do-not-tell")
    decoder = ProcessDecoder()
    decoder.probe(whole)
    [process] = decoder.processes
    environment = Path(f"/proc/{process}/environ").read_bytes()
    decoder.close()
    assert b"do-not-tell" not in environment

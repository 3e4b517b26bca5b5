"""What the server and its reading process say to each other: MessagePack with its length before it."""

from __future__ import annotations

import struct
from typing import BinaryIO, TypeVar

import msgspec

from foveal.video.decode.limits import Limits

_LENGTH = struct.Struct("<I")
MAX_MESSAGE = 256 << 20  # an hour of sound has 230 MB; more than that is asked for in pieces
T = TypeVar("T")


class Begin(msgspec.Struct, tag="begin"):
    """The first message: the limits, and the name of the file's descriptor."""

    limits: Limits


class Probe(msgspec.Struct, tag="probe"):
    pass


class Sample(msgspec.Struct, tag="sample"):
    """`state` is opaque; `last` tells that nothing of the video comes after `end`."""

    start: float
    end: float
    duration: float
    state: bytes
    scene: int
    drop_defective: bool


class FramesAt(msgspec.Struct, tag="frames_at"):
    times: list[float]
    duration: float


class Sound(msgspec.Struct, tag="sound"):
    start: float
    end: float


Request = Begin | Probe | Sample | FramesAt | Sound


class Info(msgspec.Struct, tag="info"):
    container: str
    duration: float
    width: int
    height: int
    rotation: int
    frame_rate: float
    video_codec: str
    audio_codec: str | None
    size: int


class Kept(msgspec.Struct, tag="kept"):
    at: float
    start: float
    end: float
    scene: int
    jpeg: bytes
    defect: str | None


class Heard(msgspec.Struct, tag="heard"):
    """A piece of sound: 32-bit floats of this machine."""

    samples: bytes


class Progress(msgspec.Struct, tag="progress"):
    done: float


class Done(msgspec.Struct, tag="done"):
    """The end of an answer; `state` and `scene` after sampling."""

    state: bytes = b""
    scene: int = 0


class Failed(msgspec.Struct, tag="failed"):
    """`message` is one of ours; what FFmpeg says stays in the process. `place`: of an error that we did not
    expect, for the log.
    """

    code: str
    message: str
    place: str = ""


Reply = Info | Kept | Heard | Progress | Done | Failed


class Broken(Exception):
    """The other side is gone, or what it sent is no message."""


def send(file: BinaryIO, message: Request | Reply) -> None:
    data = msgspec.msgpack.encode(message)
    file.write(_LENGTH.pack(len(data)))
    file.write(data)
    file.flush()


def receive(file: BinaryIO, decoder: msgspec.msgpack.Decoder[T]) -> T:
    """The next message. Raises `Broken`, also at the end of the file."""
    (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
    if length > MAX_MESSAGE:
        raise Broken
    try:
        return decoder.decode(_exactly(file, length))
    except msgspec.DecodeError as error:
        raise Broken from error


def _exactly(file: BinaryIO, count: int) -> bytes:
    pieces = []
    while count:
        piece = file.read(count)  # of an unbuffered pipe: what is there
        if not piece:
            raise Broken
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)

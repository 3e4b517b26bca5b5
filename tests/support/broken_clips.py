"""Videos that are not what they should be: cut off, lying, empty, hostile; built from whole ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream
from tests.support.clips import SPEECH_RATE, Picture, tone

_CONTAINERS = (b"moov", b"trak", b"mdia", b"edts", b"moof", b"traf")
_BOX = struct.Struct(">I4s")


def truncated(whole: Path, path: Path, share: float) -> Path:
    """The first part of a file, as an upload that broke leaves it."""
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def front_loaded(whole: Path, path: Path) -> Path:
    """The same MP4 with its index first, so that a part of it can be played."""
    with av.open(str(whole)) as source:
        options = {"movflags": "+faststart"}
        with av.open(str(path), "w", format="mp4", container_options=options) as output:
            streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    output.mux(packet)
    return path


def claiming(whole: Path, path: Path, seconds: float) -> Path:
    """The same MP4, whose headers (not its samples) say that it is `seconds` long."""
    data = bytearray(whole.read_bytes())
    scale = 1000
    for kind, start in _boxes(data, 0, len(data)):
        if kind == b"mvhd":
            scale = struct.unpack_from(">I", data, start + 12)[0]
            struct.pack_into(">I", data, start + 16, min(2**32 - 1, int(seconds * scale)))
        elif kind == b"tkhd":
            struct.pack_into(">I", data, start + 20, min(2**32 - 1, int(seconds * scale)))
        elif kind == b"mdhd":
            own = struct.unpack_from(">I", data, start + 12)[0]
            struct.pack_into(">I", data, start + 16, min(2**32 - 1, int(seconds * own)))
        elif kind == b"elst":
            struct.pack_into(">I", data, start + 8, min(2**32 - 1, int(seconds * scale)))
    path.write_bytes(data)
    return path


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Kind and place of the content of every box of an MP4, those inside others too."""
    while start + 8 <= end:
        size, kind = _BOX.unpack_from(data, start)
        if size < 8:
            return
        yield kind, start + 8
        if kind in _CONTAINERS:
            yield from _boxes(data, start + 8, start + size)
        start += size


def many_streams(path: Path, count: int, seconds: float = 1.0) -> Path:
    """A Matroska file with `count` sound tracks and nothing else worth opening."""
    samples = (tone(seconds) * 32_000).astype(np.int16).reshape(1, -1)
    with av.open(str(path), "w", format="matroska") as output:
        tracks = [output.add_stream("pcm_s16le", rate=SPEECH_RATE, layout="mono") for _ in range(count)]
        for track in tracks:
            assert isinstance(track, AudioStream)
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = SPEECH_RATE
            frame.time_base = Fraction(1, SPEECH_RATE)
            frame.pts = 0
            output.mux(track.encode(frame))
            output.mux(track.encode(None))
    return path


def sound_only(path: Path, seconds: float = 1.0, codec: str = "aac") -> Path:
    """A file with one sound track and no picture."""
    samples = tone(seconds)
    with av.open(str(path), "w") as output:
        track = output.add_stream(codec, rate=48_000, layout="mono")
        assert isinstance(track, AudioStream)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = SPEECH_RATE
        frame.time_base = Fraction(1, SPEECH_RATE)
        frame.pts = 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def no_frames(path: Path) -> Path:
    """An MP4 whose header promises H.264 and that holds no picture."""
    options = {"movflags": "frag_keyframe+empty_moov"}
    with av.open(str(path), "w", format="mp4", container_options=options) as output:
        track = output.add_stream("libx264", rate=25)
        track.width, track.height, track.pix_fmt = 320, 180, "yuv420p"
        output.start_encoding()
    return path


def sound_with_cover(path: Path, cover: Picture) -> Path:
    """A song with a picture on its sleeve, as music shops sell it."""
    samples = tone(1.0)
    with av.open(str(path), "w", format="mp4") as output:
        track = output.add_stream("aac", rate=48_000, layout="mono")
        sleeve = output.add_stream("mjpeg", rate=1)
        assert isinstance(track, AudioStream)
        assert isinstance(sleeve, VideoStream)
        sleeve.height, sleeve.width = cover.shape[:2]
        sleeve.pix_fmt = "yuvj420p"
        sleeve.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(cover, format="rgb24").reformat(format="yuvj420p")
        picture.pts, picture.time_base = 0, Fraction(1, 1)
        output.mux(sleeve.encode(picture))
        output.mux(sleeve.encode(None))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate, frame.time_base, frame.pts = SPEECH_RATE, Fraction(1, SPEECH_RATE), 0
        output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def scrambled(whole: Path, path: Path) -> Path:
    """The same MP4 with noise for every sample."""
    data = bytearray(whole.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + struct.unpack_from(">I", data, begin - 8)[0]
    data[begin:end] = np.random.default_rng(5).bytes(end - begin)
    path.write_bytes(data)
    return path


def damaged(whole: Path, path: Path) -> Path:
    """The same MP4 with noise in the third fifth of its samples."""
    data = bytearray(whole.read_bytes())
    begin = data.index(b"mdat") + 4
    size = struct.unpack_from(">I", data, begin - 8)[0] - 8
    first, last = begin + 2 * size // 5, begin + 3 * size // 5
    data[first:last] = np.random.default_rng(5).bytes(last - first)
    path.write_bytes(data)
    return path


def hidden(whole: Path, path: Path) -> Path:
    """A copy that another file may try to read."""
    path.write_bytes(whole.read_bytes())
    return path


def without_samples(path: Path) -> Path:
    """The same MP4 with nothing where its samples were: what it shows can only come from elsewhere."""
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + struct.unpack_from(">I", data, begin - 8)[0]
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    return path


def sound_with_gap(path: Path, parts: Sequence[tuple[float, float]], seconds: float) -> Path:
    """A grey Matroska video with a tone from second to second of each part, and no packets in between."""
    with av.open(str(path), "w", format="matroska") as output:
        video = output.add_stream("libx264", rate=10)
        sound = output.add_stream("pcm_s16le", rate=SPEECH_RATE, layout="mono")
        assert isinstance(video, VideoStream)
        assert isinstance(sound, AudioStream)
        video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
        packets = []
        for number in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(np.full((90, 160, 3), 90, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            packets.extend(video.encode(frame))
        packets.extend(video.encode(None))
        for start, end in parts:
            samples = (tone(end - start) * 32_000).astype(np.int16)
            for first in range(0, len(samples), 1600):
                piece = samples[first : first + 1600].reshape(1, -1)
                heard = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
                heard.sample_rate, heard.time_base = SPEECH_RATE, Fraction(1, SPEECH_RATE)
                heard.pts = round(start * SPEECH_RATE) + first
                packets.extend(sound.encode(heard))
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            output.mux(packet)
    return path


def matroska_claiming(whole: Path, path: Path, seconds: float | None) -> Path:
    """The same Matroska file, whose header says that it is `seconds` long, or does not say it (None)."""
    data = bytearray(whole.read_bytes())
    place = data.index(b"\x44\x89\x88")  # Duration, 8 bytes: a double in milliseconds
    if seconds is None:
        data[place : place + 2] = b"\xec\x89"  # an empty space of 9 bytes in its stead
    else:
        struct.pack_into(">d", data, place + 3, seconds * 1000)
    path.write_bytes(data)
    return path


def hls_playlist(path: Path, target: str) -> Path:
    """A playlist that names another file or an address."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:10", "#EXTINF:10.0,", target]
    path.write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]), "utf-8")
    return path


def concat_playlist(path: Path, target: str) -> Path:
    path.write_text(f"ffconcat version 1.0\nfile '{target}'\nduration 10\n", "utf-8")
    return path


def dash_manifest(path: Path, target: str) -> Path:
    path.write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT10S"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="1" bandwidth="1000"><BaseURL>{target}</BaseURL><SegmentBase/>'
        "</Representation></AdaptationSet></Period></MPD>",
        "utf-8",
    )
    return path


def session_description(path: Path, port: int) -> Path:
    """An SDP that asks for a stream from a port of this machine."""
    lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "c=IN IP4 127.0.0.1", "t=0 0"]
    path.write_text(
        "\r\n".join([*lines, f"m=video {port} RTP/AVP 96", "a=rtpmap:96 H264/90000", ""]), "ascii"
    )
    return path


def pointing_elsewhere(whole: Path, path: Path, target: Path) -> Path:
    """An MP4 whose samples are said to lie in another file, by the kind of reference that FFmpeg follows."""
    data = whole.read_bytes()
    moov = data.index(b"moov") - 4
    size = struct.unpack_from(">I", data, moov)[0]
    inside, added = _refer(data[moov : moov + size], _alias(str(target).encode()))
    assert added
    path.write_bytes(data[:moov] + inside + data[moov + size :])
    return path


def _alias(target: bytes) -> bytes:
    """A Macintosh alias record with an absolute path; version and flags of the box before it."""
    if len(target) % 2:
        target = b"/" + target
    path = struct.pack(">HH", 2, len(target)) + target + struct.pack(">HH", 0xFFFF, 0)
    record = bytes(10) + b"\0" + bytes(27) + bytes(12) + b"\0" + bytes(63) + bytes(16) + bytes(4) + bytes(16)
    return bytes(4) + record + path


def _refer(box: bytes, alias: bytes) -> tuple[bytes, bool]:
    """The box with every data reference inside being the alias; sizes are put right on the way up."""
    size, kind = _BOX.unpack_from(box)
    if kind == b"url ":
        return _BOX.pack(8 + len(alias), b"alis") + alias, True
    head = {b"dref": 16}.get(kind, 8 if kind in (*_CONTAINERS, b"minf", b"dinf") else 0)
    if not head:
        return box, False
    parts, found, at = [box[8:head]], False, head
    while at + 8 <= size:
        length = struct.unpack_from(">I", box, at)[0]
        part, changed = _refer(box[at : at + length], alias)
        parts.append(part)
        found |= changed
        at += length
    content = b"".join(parts)
    return _BOX.pack(8 + len(content), kind) + content, found

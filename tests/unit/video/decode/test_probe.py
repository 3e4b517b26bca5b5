"""What a file says of itself, and every way in which a file is no video for us."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import broken_clips as broken
from tests.support.clips import Scene, picture, plain, tone, write_video

from foveal.errors import InvalidVideo
from foveal.video.decode.client import ProcessDecoder
from foveal.video.decode.limits import Limits

SCENES = [Scene(picture("cat"), 1.5), Scene(picture("street"), 1)]


def refusal(decoder: ProcessDecoder, path: Path) -> InvalidVideo:
    with pytest.raises(InvalidVideo) as caught:
        decoder.probe(path)
    said = caught.value.message
    for word in ("Error", "errno", "avcodec", "moov", "Invalid data", "0x", str(path)):
        assert word not in said
    assert said.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("name", "video", "audio", "codecs"),
    [
        ("a.mp4", "libx264", "aac", ("h264", "aac")),
        ("a.mkv", "libx265", "flac", ("hevc", "flac")),
        ("a.webm", "libvpx-vp9", "libopus", ("vp9", "opus")),
        ("b.webm", "libvpx", "libopus", ("vp8", "opus")),
        ("c.webm", "libsvtav1", "libopus", ("av1", "opus")),
        ("a.avi", "mpeg4", "mp3", ("mpeg4", "mp3")),
        ("a.mov", "mjpeg", "pcm_s16le", ("mjpeg", "pcm_s16le")),
        ("a.ts", "mpeg2video", "mp2", ("mpeg2video", "mp2")),
        ("a.flv", "libx264", "aac", ("h264", "aac")),
        ("a.wmv", "wmv2", "mp3", ("wmv2", "mp3")),
        ("a.3gp", "libx264", "aac", ("h264", "aac")),
    ],
)
def test_every_container_and_codec_is_read(
    decoder: ProcessDecoder, tmp_path: Path, name: str, video: str, audio: str, codecs: tuple[str, str]
) -> None:
    path = write_video(
        tmp_path / name, SCENES, size=(320, 180), codec=video, sound_codec=audio, sounds=[(0, tone(2.5))]
    )
    info = decoder.probe(path)
    assert (info.video_codec, info.audio_codec) == codecs
    assert (info.width, info.height, info.rotation) == (320, 180, 0)
    assert info.duration == pytest.approx(2.5, abs=0.15)
    assert info.frame_rate == pytest.approx(25, rel=0.1)
    assert info.size == path.stat().st_size
    frames = decoder.frames_at(path, info, [0.5, 2.0])
    assert [frame.at for frame in frames] == pytest.approx([0.5, 2.0], abs=0.1)


def test_a_video_without_sound_has_no_audio_codec(decoder: ProcessDecoder, tmp_path: Path) -> None:
    assert decoder.probe(write_video(tmp_path / "mute.mp4", SCENES)).audio_codec is None


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_the_size_of_a_turned_phone_video_is_as_shown(
    decoder: ProcessDecoder, tmp_path: Path, rotation: int
) -> None:
    path = write_video(tmp_path / "phone.mp4", SCENES, size=(320, 180), rotation=rotation)
    info = decoder.probe(path)
    assert info.rotation == rotation
    assert (info.width, info.height) == ((320, 180) if rotation == 180 else (180, 320))


def test_a_varying_frame_rate_is_told_as_its_mean(decoder: ProcessDecoder, tmp_path: Path) -> None:
    info = decoder.probe(write_video(tmp_path / "varying.mp4", SCENES, variable=True))
    assert info.frame_rate == pytest.approx(25 * 3 / 5, rel=0.1)
    assert info.duration == pytest.approx(2.5, abs=0.1)


def test_a_header_that_claims_ten_hours_is_not_believed(
    decoder: ProcessDecoder, whole: Path, tmp_path: Path
) -> None:
    path = broken.claiming(whole, tmp_path / "ten-hours.mp4", 36_000)
    assert decoder.probe(path).duration == pytest.approx(8, abs=0.1)


def test_a_matroska_header_that_lies_or_is_silent_is_put_right(
    decoder: ProcessDecoder, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "a.mkv", SCENES, sounds=[(0, tone(2.5))])
    lying = broken.matroska_claiming(path, tmp_path / "lying.mkv", 36_000)
    silent = broken.matroska_claiming(path, tmp_path / "silent.mkv", None)
    for one in (lying, silent):
        assert decoder.probe(one).duration == pytest.approx(2.5, abs=0.15)


def test_too_long_is_said_with_both_lengths(whole: Path) -> None:
    decoder = ProcessDecoder(Limits(seconds=6))
    refused = refusal(decoder, whole)
    decoder.close()
    assert refused.code == "VideoTooLong"
    assert "0:00:08" in refused.message
    assert "0:00:06" in refused.message


def test_too_many_pixels_are_refused_before_they_are_decoded(whole: Path) -> None:
    decoder = ProcessDecoder(Limits(side=320))
    refused = refusal(decoder, whole)
    decoder.close()
    assert refused.code == "VideoTooLarge"
    assert "640×360" in refused.message


def test_the_playable_part_of_a_cut_off_file_is_used(
    decoder: ProcessDecoder, whole: Path, tmp_path: Path
) -> None:
    front = broken.front_loaded(whole, tmp_path / "front.mp4")
    info = decoder.probe(broken.truncated(front, tmp_path / "half.mp4", 0.5))
    assert 1 < info.duration < 7


Maker = Callable[[Path, Path], Path]  # a whole video and where to write → the file
REFUSED: dict[str, tuple[str, Maker]] = {
    "empty": ("EmptyVideo", lambda _, to: broken.write(to, b"")),
    "text": ("NotAVideo", lambda _, to: broken.write(to, b"hello, world\n" * 200)),
    "noise": ("NotAVideo", lambda _, to: broken.write(to, os.urandom(50_000))),
    "picture": ("UnsupportedFormat", lambda _, to: broken.write(to, b"\x89PNG\r\n\x1a\n" + bytes(500))),
    "cut off before its index": ("BrokenVideo", lambda video, to: broken.truncated(video, to, 0.5)),
    "sound only": ("NoVideoStream", lambda _, to: broken.sound_only(to)),
    "no frames": ("EmptyVideo", lambda _, to: broken.no_frames(to)),
    "three hundred streams": ("TooManyStreams", lambda _, to: broken.many_streams(to, 300)),
    "HLS": ("UnsupportedFormat", lambda video, to: broken.hls_playlist(to, str(video))),
    "concat": ("UnsupportedFormat", lambda video, to: broken.concat_playlist(to, str(video))),
    "DASH": ("UnsupportedFormat", lambda video, to: broken.dash_manifest(to, str(video))),
    "SDP": ("UnsupportedFormat", lambda _, to: broken.session_description(to, 9)),
    "scrambled": ("BrokenVideo", lambda video, to: broken.scrambled(video, to)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_video_is_refused_with_a_reason(
    decoder: ProcessDecoder, whole: Path, tmp_path: Path, kind: str
) -> None:
    code, make = REFUSED[kind]
    assert refusal(decoder, make(whole, tmp_path / "clip.mp4")).code == code


def test_the_message_names_the_kind_of_file(decoder: ProcessDecoder, tmp_path: Path) -> None:
    refused = refusal(decoder, broken.hls_playlist(tmp_path / "list.mp4", "x.ts"))
    assert "HLS playlist" in refused.message
    assert "MP4" in refused.message


@pytest.mark.parametrize(
    ("codec", "pixels", "name"), [("ffv1", "yuv420p", "ffv1"), ("prores_ks", "yuv422p10le", "prores")]
)
def test_an_unsupported_codec_is_named(
    decoder: ProcessDecoder, tmp_path: Path, codec: str, pixels: str, name: str
) -> None:
    path = write_video(
        tmp_path / "clip.mkv", [Scene(plain((90, 90, 90)), 0.4)], codec=codec, pixel_format=pixels, options={}
    )
    refused = refusal(decoder, path)
    assert refused.code == "UnsupportedCodec"
    assert f"'{name}'" in refused.message
    assert "h264" in refused.message


def test_a_cover_picture_is_no_video(decoder: ProcessDecoder, tmp_path: Path) -> None:
    path = broken.sound_with_cover(tmp_path / "song.m4a", picture("cat"))
    assert refusal(decoder, path).code == "NoVideoStream"

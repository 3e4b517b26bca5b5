"""The sound track as mono samples at their times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.support import broken_clips as broken
from tests.support.clips import SPEECH_RATE, Scene, picture, plain, speech, tone, write_video

from foveal.errors import InvalidVideo
from foveal.perception.base import Samples
from foveal.video.decode.client import ProcessDecoder

STILL = [Scene(plain((80, 80, 80)), 4, "still")]


def loud(samples: Samples, start: float, end: float) -> float:
    piece = samples[round(start * SPEECH_RATE) : round(end * SPEECH_RATE)]
    return float(np.sqrt(np.mean(np.square(piece)))) if len(piece) else 0.0


def hertz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * SPEECH_RATE / len(samples)


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mp4", "aac", 48_000, "stereo"),
        ("b.mp4", "aac", 44_100, "5.1"),
        ("c.mkv", "flac", 96_000, "mono"),
        ("d.mkv", "libopus", 48_000, "stereo"),
        ("e.avi", "pcm_s16le", 8_000, "mono"),
        ("f.mkv", "libmp3lame", 22_050, "stereo"),
        ("g.ts", "mp2", 32_000, "stereo"),
        ("h.mkv", "ac3", 48_000, "5.1"),
    ],
)
def test_any_rate_and_layout(
    decoder: ProcessDecoder, tmp_path: Path, name: str, codec: str, rate: int, layout: str
) -> None:
    path = write_video(
        tmp_path / name,
        STILL,
        size=(160, 90),
        sounds=[(1, tone(2, 1000))],
        sound_codec=codec,
        sound_rate=rate,
        sound_layout=layout,
    )
    samples = decoder.sound(path, decoder.probe(path), 0, 4)
    assert samples.dtype == np.float32
    assert len(samples) / SPEECH_RATE == pytest.approx(4, abs=0.1)
    assert hertz(samples[24_000:40_000]) == pytest.approx(1000, abs=5)
    assert loud(samples, 1.1, 2.9) > 0.02
    assert loud(samples, 0.1, 0.9) < 0.01
    assert loud(samples, 3.1, 3.9) < 0.01


def test_windows_are_the_whole_cut_in_pieces(decoder: ProcessDecoder, whole: Path) -> None:
    info = decoder.probe(whole)
    together = decoder.sound(whole, info, 0, 8)
    pieces = [decoder.sound(whole, info, start, start + 1.3) for start in np.arange(0, 8, 1.3)]
    assert [len(piece) for piece in pieces[:-1]] == [round(1.3 * SPEECH_RATE)] * 6
    joined = np.concatenate(pieces)
    count = min(len(joined), len(together))
    assert abs(len(joined) - len(together)) < 400
    assert np.abs(joined[:count] - together[:count]).max() < 1e-3


def test_speech_is_where_it_was_put(decoder: ProcessDecoder, whole: Path) -> None:
    samples = decoder.sound(whole, decoder.probe(whole), 0, 8)
    said = speech("0880")
    shifts = np.correlate(samples[: 5 * SPEECH_RATE], said[:8000], "valid")
    assert float(np.argmax(shifts)) / SPEECH_RATE == pytest.approx(1.0, abs=0.03)


def test_a_window_behind_the_end_is_empty(decoder: ProcessDecoder, whole: Path) -> None:
    assert len(decoder.sound(whole, decoder.probe(whole), 8.5, 12)) == 0


def test_a_video_without_sound_gives_nothing(decoder: ProcessDecoder, tmp_path: Path) -> None:
    path = write_video(tmp_path / "mute.mp4", [Scene(picture("cat"), 1)])
    assert len(decoder.sound(path, decoder.probe(path), 0, 1)) == 0


def test_sound_that_ends_early_is_shorter(decoder: ProcessDecoder, tmp_path: Path) -> None:
    path = broken.sound_with_gap(tmp_path / "early.mkv", [(0.0, 1.0)], 4.0)
    samples = decoder.sound(path, decoder.probe(path), 0, 4)
    assert len(samples) / SPEECH_RATE == pytest.approx(1.0, abs=0.05)


def test_a_gap_in_the_time_stamps_is_silence(decoder: ProcessDecoder, tmp_path: Path) -> None:
    path = broken.sound_with_gap(tmp_path / "gap.mkv", [(0.0, 1.0), (2.5, 3.5)], 4.0)
    samples = decoder.sound(path, decoder.probe(path), 0, 4)
    assert len(samples) / SPEECH_RATE == pytest.approx(3.5, abs=0.05)
    assert loud(samples, 0.1, 0.9) > 0.1
    assert loud(samples, 1.1, 2.4) == 0.0
    assert loud(samples, 2.6, 3.4) > 0.1
    late = decoder.sound(path, decoder.probe(path), 2.0, 4)
    assert loud(late, 0.0, 0.4) == 0.0
    assert loud(late, 0.6, 1.4) > 0.1


def test_an_unsupported_audio_codec_is_named_and_the_picture_still_read(
    decoder: ProcessDecoder, tmp_path: Path
) -> None:
    path = write_video(
        tmp_path / "odd.avi",
        STILL,
        size=(160, 90),
        codec="mpeg4",
        sounds=[(0, tone(4))],
        sound_codec="adpcm_ms",
    )
    info = decoder.probe(path)
    assert info.audio_codec == "adpcm_ms"
    with pytest.raises(InvalidVideo, match="'adpcm_ms'") as caught:
        decoder.sound(path, info, 0, 4)
    assert caught.value.code == "UnsupportedCodec"
    assert decoder.frames_at(path, info, [1.0])

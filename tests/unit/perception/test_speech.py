"""Speech to text: real readings, sounds that are no speech, windows, a net that fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.clips import speech

from foveal.errors import EngineUnavailable
from foveal.models.catalogue import load_catalogue
from foveal.models.store import ModelStore
from foveal.perception.base import Samples, SpeechSegment
from foveal.perception.speech import Loaded, UnknownLanguage, WhisperTranscriber, open_whisper

RATE = 16_000
TRANSCRIPTS: dict[str, str] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "speech" / "transcripts.json").read_text(encoding="utf-8")
)
NAMES = sorted(TRANSCRIPTS)


@pytest.fixture(scope="module")
def transcriber(models_folder: Path) -> Iterator[WhisperTranscriber]:
    made = WhisperTranscriber(ModelStore(models_folder, load_catalogue()), threads=2)
    yield made
    made.close()


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def reading(pause: float = 1.0) -> tuple[Samples, list[float]]:
    """All clips with pauses between, and when each begins."""
    parts: list[Samples] = [silence(pause)]
    starts = []
    for name in NAMES:
        starts.append(sum(map(len, parts)) / RATE)
        parts += [speech(name), silence(pause)]
    return np.concatenate(parts), starts


def words_of(text: str) -> list[str]:
    plain = text.lower().replace("mr.", "mister").replace("-", " ")
    return re.sub(r"[^a-z0-9' ]", " ", plain).split()


def text_of(segments: list[SpeechSegment]) -> str:
    return " ".join(segment.text for segment in segments)


def errors(wanted: list[str], got: list[str]) -> int:
    """Words to insert, delete or replace."""
    row = list(range(len(got) + 1))
    for number, word in enumerate(wanted, start=1):
        before, row[0] = row[0], number
        for place, other in enumerate(got, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1]


@pytest.mark.models
def test_the_readings_are_written_down_with_few_wrong_words(transcriber: WhisperTranscriber) -> None:
    wrong = sum(
        errors(words_of(TRANSCRIPTS[name]), words_of(text_of(transcriber.transcribe(speech(name)))))
        for name in NAMES
    )
    assert wrong / sum(len(words_of(TRANSCRIPTS[name])) for name in NAMES) <= 0.08


@pytest.mark.models
def test_each_sentence_is_a_segment_at_its_time(transcriber: WhisperTranscriber) -> None:
    samples, starts = reading(pause=1.5)
    segments = transcriber.transcribe(samples)
    assert len(segments) == len(NAMES)
    for segment, name, start in zip(segments, NAMES, starts, strict=True):
        assert segment.start == pytest.approx(start, abs=0.4)
        assert segment.end == pytest.approx(start + len(speech(name)) / RATE, abs=0.7)
        assert segment.language == "en"
        assert 0.7 < segment.confidence <= 1.0
        assert segment.text.split() == [word.text for word in segment.words]
        assert all(one.start <= two.start for one, two in zip(segment.words, segment.words[1:], strict=False))


@pytest.mark.models
def test_windows_cut_at_pauses_give_the_same_words_as_one_go(transcriber: WhisperTranscriber) -> None:
    samples = np.concatenate([reading(pause=0.5)[0]] * 3)
    whole = transcriber.transcribe(samples)
    pieces: list[SpeechSegment] = []
    start, cuts = 0.0, []
    while start < len(samples) / RATE:
        window = samples[round(start * RATE) : round((start + 20.0) * RATE)]
        length = len(window) / RATE
        if start + length < len(samples) / RATE:
            length = transcriber.cut_point(window)
            cuts.append(start + length)
        found = transcriber.transcribe(window[: round(length * RATE)], language="en")
        pieces += [segment.later(start) for segment in found]
        start += length
    assert len(cuts) >= 3
    for cut in cuts:
        assert not any(segment.start < cut < segment.end for segment in whole), "no sentence is cut"
    assert errors(words_of(text_of(whole)), words_of(text_of(pieces))) <= 4
    assert [segment.start for segment in pieces] == pytest.approx([one.start for one in whole], abs=0.4)


def no_speech() -> dict[str, Samples]:
    random = np.random.default_rng(1)
    times = np.arange(20 * RATE) / RATE
    chords = np.zeros_like(times)
    for beat in range(40):
        tone = 220.0 * 2.0 ** (random.choice([0, 3, 5, 7, 10, 12]) / 12)
        since = times - beat * 0.5
        inside = (since >= 0) & (since < 0.6)
        for harmonic in (1, 2, 3, 4):
            wave = np.sin(2 * np.pi * tone * harmonic * since[inside])
            chords[inside] += 0.2 / harmonic * wave * np.exp(-3 * since[inside])
    sounds = {
        "silence": np.zeros(20 * RATE),
        "faint noise": random.normal(0, 0.01, 20 * RATE),
        "noise": random.normal(0, 0.1, 20 * RATE),
        "loud noise": random.normal(0, 0.5, 20 * RATE),
        "tone": 0.5 * np.sin(2 * np.pi * 440 * times),
        "wavering tone": 0.25 * np.sin(2 * np.pi * 200 * times) * (1 + np.sin(2 * np.pi * 4 * times)),
        "music": chords,
        "nothing": np.zeros(0),
        "an instant": np.zeros(100),
        "no numbers": np.full(RATE, np.nan),
    }
    return {name: sound.astype(np.float32) for name, sound in sounds.items()}


@pytest.mark.models
@pytest.mark.parametrize("name", no_speech())
def test_what_is_no_speech_gives_nothing(transcriber: WhisperTranscriber, name: str) -> None:
    assert transcriber.transcribe(no_speech()[name]) == []


@pytest.mark.models
def test_a_language_can_be_given(transcriber: WhisperTranscriber) -> None:
    for language in ("en", "en-US", "EN_gb"):
        [segment] = transcriber.transcribe(speech("0880"), language=language)
        assert segment.language == "en"
    with pytest.raises(UnknownLanguage, match="'xx-YY'"):
        transcriber.transcribe(speech("0880"), language="xx-YY")


def test_without_weights_it_says_what_to_run(tmp_path: Path) -> None:
    transcriber = WhisperTranscriber(ModelStore(tmp_path, load_catalogue()), threads=1)
    with pytest.raises(EngineUnavailable, match="Run: foveal models pull whisper-base"):
        transcriber.transcribe(silence(1))
    with pytest.raises(EngineUnavailable, match="foveal models pull"):
        transcriber.cut_point(silence(1))


class Stubborn:
    """The real net, but it falls into a loop as long as it is asked to be greedy."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.temperatures: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(
        self, encoded: Any, prompts: Any, *, sampling_temperature: float = 0.0, **options: Any
    ) -> Any:
        self.temperatures.append(sampling_temperature)
        if sampling_temperature < 0.3:
            return [Loop() for _ in prompts]
        return self._model.generate(encoded, prompts, **{**options, "sampling_topk": 1})


@dataclass(frozen=True)
class Loop:
    """What a net that repeats itself answers, sure of it."""

    sequences_ids: tuple[list[int]] = field(default_factory=lambda: ([314, 716, 994, 13] * 60,))
    scores: tuple[float] = (-0.1,)
    no_speech_prob: float = 0.01


@pytest.mark.models
def test_a_net_that_falls_into_a_loop_is_asked_again_warmer(models_folder: Path) -> None:
    nets: list[Stubborn] = []

    def stubborn(folder: Path, threads: int) -> Loaded:
        loaded = open_whisper(folder, threads)
        nets.append(Stubborn(loaded.whisper.model))
        loaded.whisper.model = nets[0]
        return loaded

    transcriber = WhisperTranscriber(ModelStore(models_folder, load_catalogue()), threads=2, opener=stubborn)
    [segment] = transcriber.transcribe(speech("0930"), language="en")
    assert words_of(segment.text) == words_of(TRANSCRIPTS["0930"])
    assert nets[0].temperatures == [0.0, 0.2, 0.4]
    transcriber.close()

"""What is said in a sound: Whisper on CTranslate2, many stretches of speech at once.

Whisper sees half a minute at a time, whatever is in it, and hears words in silence. So silence is left out
first: stretches with a voice (`voice`) are put together into chunks of up to half a minute, chunks are
written down several at a time, and words are placed by the net's own attention and mapped back.
docs/perception.md has the figures behind these choices.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foveal.errors import FovealError
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception import voice
from foveal.perception.background import in_background
from foveal.perception.base import Samples, SpeechSegment
from foveal.perception.phrases import Heard, segments_of, with_punctuation, without_loops
from foveal.perception.voice import RATE, Stretch, VoiceDetector

if TYPE_CHECKING:
    from faster_whisper.tokenizer import Tokenizer

WEIGHTS = "whisper-base"

_CHUNK = 28 * RATE  # samples; the net takes 30 s, and words near its end get lost
_AT_ONCE = 3  # chunks written down together; more are no faster and take 30 MB each
_HOP = 160  # samples of a step of the features
_STEPS = 3000  # of half a minute. Fewer would do for a short chunk and cost less, but more words were wrong

# Whisper's own signs of failure, and the temperatures at which it then tries again.
_REPETITIVE = 2.4  # bytes of text by bytes of it compressed
_UNLIKELY = -1.0  # mean log-likelihood of a token
_NO_SPEECH = 0.6  # likelihood of silence, with `_UNLIKELY`: nothing was said
_TEMPERATURES = (0.2, 0.4, 0.6, 0.8)
_DOUBTFUL = 0.4  # likelihood of a segment's words: below, it was noise, or no more than a guess
_OWN_LANGUAGE = 0.95  # likelihood from which a long chunk may be in another language than the rest
_LONG = 10 * RATE


class UnknownLanguage(FovealError):
    """A language that Whisper was not trained on."""

    status = 400
    code = "UnsupportedLanguage"


@dataclass(slots=True)
class _Chunk:
    """Stretches put together. `said` are the tokens of its text, `steps` what the net sees of it."""

    parts: list[Stretch] = field(default_factory=list)
    language: str = ""
    said: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(part.length for part in self.parts)

    @property
    def steps(self) -> int:
        return -(-self.length // _HOP)

    def at(self, start: float, end: float) -> tuple[float, float]:
        """Seconds of the chunk as seconds of the sound, both inside the stretch that holds their middle."""
        middle, before = (start + end) / 2 * RATE, 0
        for part in self.parts:
            if middle < before + part.length or part is self.parts[-1]:
                break
            before += part.length
        shift = (part.start - before) / RATE
        low, high = part.start / RATE, part.end / RATE
        return min(high, max(low, start + shift)), min(high, max(low, end + shift))


@dataclass(frozen=True, slots=True)
class Loaded:
    whisper: Any  # faster_whisper.WhisperModel
    voice: VoiceDetector


def open_whisper(folder: Path, threads: int) -> Loaded:
    from faster_whisper import WhisperModel

    # A folder: with a name it would ask a hub.
    whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads)
    return Loaded(whisper, voice.load_voice_detector())


class WhisperTranscriber:
    """`Transcriber`. Loads at the first use, unloads when idle; calls at the same time take turns."""

    def __init__(
        self,
        models: ModelStore,
        *,
        threads: int,
        idle_seconds: float | None = None,
        opener: Callable[[Path, int], Loaded] = open_whisper,
    ) -> None:
        """`opener`: a folder with the weights and a number of threads to what they make."""
        self._models = models
        self._threads = max(1, threads)
        self._open = opener
        self._lease = ModelLease(self._load, idle_seconds=idle_seconds)

    def transcribe(self, samples: Samples, *, language: str | None = None) -> list[SpeechSegment]:
        """`language`: as ISO 639-1, or a tag that begins with it ("en-US").

        Raises EngineUnavailable, saying what to run, when the weights are missing, and UnknownLanguage.
        """
        samples = _clean(samples)
        with self._lease.use() as loaded:
            chosen = None if language is None else _known_language(loaded.whisper, language)
            likelihoods = loaded.voice.likelihoods(samples)
            found = voice.stretches(likelihoods, len(samples))
            parts = [part for one in found for part in voice.split(one, likelihoods, _CHUNK)]
            job = _Job(loaded.whisper, samples, chosen)
            segments: list[SpeechSegment] = []
            for chunks in _batches(_chunks(parts)):
                segments += job.write_down(chunks)
            return segments

    def cut_point(self, samples: Samples) -> float:
        """The second, in the last fifth (at most 30 seconds) of a sound, at which it can be cut without
        hurting a word: a long sound is transcribed in windows that end there.
        """
        with self._lease.use() as loaded:
            return voice.quietest(loaded.voice.likelihoods(_clean(samples)), len(samples))

    def close(self) -> None:
        self._lease.close()

    def _load(self) -> Loaded:
        folder = self._models.path(WEIGHTS).parent
        # The net's threads get the priority of the one that loads it.
        return in_background(lambda: self._open(folder, self._threads))


def _clean(samples: Samples) -> Samples:
    return np.clip(np.nan_to_num(np.asarray(samples, dtype=np.float32).reshape(-1)), -1.0, 1.0)


def _known_language(whisper: Any, language: str) -> str:
    code = language.replace("_", "-").split("-")[0].lower()
    if code not in whisper.supported_languages:
        raise UnknownLanguage(f"Speech in the language '{language[:40]}' cannot be written down.")
    return code


def _chunks(parts: Sequence[Stretch]) -> Iterator[_Chunk]:
    chunk = _Chunk()
    for part in parts:
        if chunk.parts and chunk.length + part.length > _CHUNK:
            yield chunk
            chunk = _Chunk()
        chunk.parts.append(part)
    if chunk.parts:
        yield chunk


def _batches(chunks: Iterator[_Chunk]) -> Iterator[list[_Chunk]]:
    batch: list[_Chunk] = []
    for chunk in chunks:
        batch.append(chunk)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


class _Job:
    """One sound on its way. `language` None: heard."""

    def __init__(self, whisper: Any, samples: Samples, language: str | None) -> None:
        self._whisper = whisper
        self._samples = samples
        self._language = language
        self._heard: dict[str, float] = {}  # language → likelihood × samples, of all chunks so far

    def write_down(self, chunks: list[_Chunk]) -> list[SpeechSegment]:
        encoded = self._encoded(chunks)
        self._find_languages(chunks, encoded)
        segments: list[SpeechSegment] = []
        for language in dict.fromkeys(chunk.language for chunk in chunks):
            places = [place for place, chunk in enumerate(chunks) if chunk.language == language]
            few, rows = [chunks[place] for place in places], encoded[places]
            self._say(few, rows, self._tokenizer(language))
            segments += self._place(few, rows, self._tokenizer(language))
        segments.sort(key=lambda one: one.start)
        return [one for one in segments if one.confidence >= _DOUBTFUL]

    def _encoded(self, chunks: list[_Chunk]) -> NDArray[np.float32]:
        """What the net's encoder makes of them, a row each; one by one, because each takes 80 MB."""
        rows = []
        for chunk in chunks:
            sound = np.concatenate([self._samples[part.start : part.end] for part in chunk.parts])
            found = self._whisper.feature_extractor(sound, padding=0)[..., :_STEPS]
            features = np.zeros((self._whisper.model.n_mels, _STEPS), dtype=np.float32)
            features[:, : found.shape[-1]] = found
            rows.append(np.array(self._whisper.encode(features)))
        return np.concatenate(rows)

    def _find_languages(self, chunks: list[_Chunk], encoded: NDArray[np.float32]) -> None:
        if self._language is not None:
            for chunk in chunks:
                chunk.language = self._language
            return
        likely = []
        for chunk, found in zip(chunks, self._whisper.model.detect_language(_storage(encoded)), strict=True):
            likely.append((found[0][0][2:-2], found[0][1]))
            for token, share in found:
                code = token[2:-2]
                self._heard[code] = self._heard.get(code, 0.0) + share * chunk.length
        common = max(self._heard, key=self._heard.__getitem__)
        for chunk, (code, share) in zip(chunks, likely, strict=True):
            chunk.language = code if share >= _OWN_LANGUAGE and chunk.length >= _LONG else common

    def _tokenizer(self, language: str) -> Tokenizer:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(self._whisper.hf_tokenizer, multilingual=True, task="transcribe", language=language)

    def _say(self, chunks: list[_Chunk], encoded: NDArray[np.float32], tokenizer: Tokenizer) -> None:
        """Write the tokens of their text into the chunks: greedily, and where that failed at rising
        temperatures.
        """
        for chunk, first, row in zip(chunks, self._generate(encoded, tokenizer, 0.0), encoded, strict=True):
            tries = [first]
            for temperature in _TEMPERATURES:
                if not tries[-1].failed:
                    break
                tries += self._generate(row[None], tokenizer, temperature)
            best = tries[-1] if not tries[-1].failed else max(tries, key=lambda one: one.rank)
            chunk.said = [] if best.silent else [token for token in best.tokens if token < tokenizer.eot]

    def _generate(
        self, encoded: NDArray[np.float32], tokenizer: Tokenizer, temperature: float
    ) -> list[_Answer]:
        from faster_whisper.transcribe import get_suppressed_tokens

        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        sampled = {"sampling_temperature": temperature, "sampling_topk": 0} if temperature else {}
        results = self._whisper.model.generate(
            _storage(encoded),
            [prompt] * len(encoded),
            beam_size=1,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=list(get_suppressed_tokens(tokenizer, [-1])),
            **sampled,
        )
        answers = []
        for result in results:
            tokens = result.sequences_ids[0]
            # The score is a mean over the tokens; the end of the text counts too.
            likelihood = result.scores[0] * len(tokens) / (len(tokens) + 1)
            text = tokenizer.decode(tokens).strip()
            answers.append(_Answer(tokens, likelihood, result.no_speech_prob, _repetition(text)))
        return answers

    def _place(
        self, chunks: list[_Chunk], encoded: NDArray[np.float32], tokenizer: Tokenizer
    ) -> list[SpeechSegment]:
        """The words of the chunks at their times, as segments."""
        heard: list[Heard] = []
        for chunk, row in zip(chunks, encoded, strict=True):
            if not chunk.said:
                continue
            [words] = self._whisper.find_alignment(
                tokenizer, [chunk.said], _storage(row[None]), [chunk.steps]
            )
            placed = [
                Heard(
                    word["word"],
                    *chunk.at(float(word["start"]), float(word["end"])),
                    float(word["probability"]),
                )
                for word in words
            ]
            heard += without_loops(with_punctuation(placed))
        return segments_of(heard, tokenizer.language_code)


@dataclass(frozen=True, slots=True)
class _Answer:
    tokens: list[int]
    likelihood: float
    no_speech: float
    repetition: float

    @property
    def silent(self) -> bool:
        return self.no_speech > _NO_SPEECH and self.likelihood < _UNLIKELY

    @property
    def failed(self) -> bool:
        return not self.silent and (self.repetition > _REPETITIVE or self.likelihood < _UNLIKELY)

    @property
    def rank(self) -> tuple[bool, float]:
        """Of several that failed: rather one without repetition, then the likelier."""
        return self.repetition <= _REPETITIVE, self.likelihood


def _storage(encoded: NDArray[np.float32]) -> Any:
    import ctranslate2

    return ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded))


def _repetition(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))

"""The stretch of time that a question about a video names, in English and Korean.

Times are clock times ("1:10", "00:01:10.5") or amounts ("20 s", "1 minute 30 seconds", "1분 30초"); a number
without a unit is no time, unless it begins a range that has one ("from 20 to 40 s").
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

AROUND = 2.5  # seconds before and after a single moment that belong to it
EDGE = 0.2  # share of a video that is its beginning or its end
EDGE_AT_LEAST = 5.0  # seconds

_CLOCK = r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:\.\d{1,7})?"
_DIGITS = r"\d{1,6}(?:\.\d{1,7})?"
_UNITS = {
    3600: r"(?:hours?|hrs?|h)(?![a-z])|시간",
    60: r"(?:minutes?|mins?|m)(?![a-z])|분",
    1: r"(?:seconds?|secs?|s)(?![a-z])|초",
}
_VIDEO = r"(?:the|this)\s+(?:video|clip|film|movie|recording|footage)"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to `end`, in seconds within the video; `at` is the single moment that was asked about.

    Both lie at the video's end when what was asked for comes after it.
    """

    start: float
    end: float
    at: float | None = None


@dataclass(frozen=True, slots=True)
class NamedStretch:
    """A stretch and where a text names it: text[begins:ends]."""

    stretch: Stretch
    begins: int
    ends: int


_Reading = Callable[[re.Match[str], float], Stretch | None]


class Times:
    """Finds the times that questions name. Made once from its words (`load_times`)."""

    def __init__(self, numbers: Mapping[str, float]) -> None:
        self._numbers = numbers
        word = "|".join(sorted(map(re.escape, numbers), key=len, reverse=True))
        number = rf"(?:{_DIGITS}|(?<![\w-])(?:{word})(?:\s+of)?(?=[\s-]))"
        part = {seconds: rf"{number}[\s-]?\s?(?:{unit})" for seconds, unit in _UNITS.items()}
        gap = r"[\s,]{0,3}(?:and\s)?"
        minutes = rf"{part[60]}(?:{gap}{part[1]})?"
        amount = rf"(?:{part[3600]}(?:{gap}{minutes})?(?:{gap}{part[1]})?|{minutes}|{part[1]})"
        self._one_part = re.compile(rf"({number})[\s-]?\s?(?:({_UNITS[3600]})|({_UNITS[60]})|({_UNITS[1]}))")
        self._patterns = self._compile(rf"(?:{_CLOCK}|{amount})", amount)

    def find(self, low: str, duration: float) -> NamedStretch | None:
        """`low`: the question in lower case with single blanks; `duration`: the video's length in seconds."""
        for pattern, reading in self._patterns:
            found = pattern.search(low)
            stretch = None if found is None else reading(found, duration)
            if found is not None and stretch is not None:
                return NamedStretch(stretch, found.start(), found.end())
        return None

    def _compile(self, time: str, amount: str) -> list[tuple[re.Pattern[str], _Reading]]:
        """The ways of naming a time, the surest first."""
        ways = [*self._between(time), *self._at_an_edge(amount), *self._from_one(time)]
        return [(re.compile(pattern), reading) for pattern, reading in ways]

    def _between(self, time: str) -> list[tuple[str, _Reading]]:
        to_end = r"(?:the\s+)?end(?:\s+of\s+\w+\s+\w+)?"
        return [
            (
                rf"(?P<lead>from|between|during)?\s?(?P<a>{time}|(?<![\d.:]){_DIGITS})\s?"
                rf"(?P<way>to|until|till|through|and|-|–|—|~|부터|에서)\s?(?:the\s+)?(?P<b>{time})"
                r"(?:\s?(?:사이에?|까지))?",
                self._range,
            ),
            (rf"(?:from\s+)?(?P<a>{time})\s?(?:to|until|till|부터)\s?(?:{to_end}|끝까지)", self._after),
            (rf"(?:from\s+)?the\s+(?:start|beginning)\s+(?:to|until|till)\s+(?P<b>{time})", self._before),
        ]

    def _at_an_edge(self, amount: str) -> list[tuple[str, _Reading]]:
        length = rf"(?P<t>{amount}|minute|second|hour)(?![a-z])(?:\s?동안|\s?간)?"
        no_amount = r"(?!\s+(?:a|an|of\s+an?)\s)"  # "half an hour"
        return [
            (rf"(?:first|former)\s+half{no_amount}|전반부", _first_half),
            (rf"(?:second|latter|last)\s+half{no_amount}|후반부", _second_half),
            (rf"(?:first|opening|initial|처음|첫|앞)\s+{length}", self._first),
            (rf"(?:last|final|closing|마지막|끝)\s+{length}", self._last),
        ]

    def _from_one(self, time: str) -> list[tuple[str, _Reading]]:
        about = r"(?:about\s+|around\s+|time\s+|the\s+)?"
        return [
            (rf"(?:after|since|from|past|beyond)\s+(?:the\s+)?(?P<a>{time})(?:\s+onwards?)?", self._after),
            (rf"(?P<a>{time})\s?(?:이후|부터|후에)", self._after),
            (rf"(?:before|until|till|up\s+to)\s+(?:the\s+)?(?P<b>{time})", self._before),
            (rf"(?P<b>{time})\s?(?:이전|전에|전까지|까지)", self._before),
            (rf"(?:at|around|near|@)\s?{about}(?P<t>{time})(?:\s+mark)?", self._at),
            (rf"(?P<t>{time})[\s-]mark", self._at),
            (
                rf"(?P<t>{time})\s+(?:in(?:to\s+(?:it|{_VIDEO}))?(?=\s*(?:[?.!,]|$))|into\s+{_VIDEO})",
                self._at,
            ),
            (rf"(?:at|around)\s+(?P<u>second|minute)\s+(?P<n>{_DIGITS})", _at_unit),
            (rf"(?P<t>{time})\s?(?:쯤|경에?|무렵|지점|시점|에|때)", self._at),
            (rf"(?:beginning|start|opening)\s+of\s+{_VIDEO}|영상(?:의)?\s?(?:시작|처음|초반|앞)", _beginning),
            (rf"\b(?:end|ending|close)\s+of\s+{_VIDEO}|영상(?:의)?\s?(?:끝|마지막|후반|뒷)", _ending),
        ]

    def _range(self, found: re.Match[str], duration: float) -> Stretch | None:
        if found["way"] == "and" and found["lead"] != "between":
            return None
        end = self._seconds(found["b"])
        start = self._seconds(found["a"])
        if start is None and end is not None:
            units = self._one_part.findall(found["b"])
            if len(units) != 1:  # "from 1 to 2 minutes 30 seconds": nobody knows the unit of 1
                return None
            start = float(found["a"]) * _unit(units[0][1:])
        if start is None or end is None:
            return None
        if start == end:
            return _moment(start, duration)
        return _within(min(start, end), max(start, end), duration)

    def _after(self, found: re.Match[str], duration: float) -> Stretch | None:
        start = self._seconds(found["a"])
        return None if start is None else _within(start, duration, duration)

    def _before(self, found: re.Match[str], duration: float) -> Stretch | None:
        end = self._seconds(found["b"])
        return None if end is None or end == 0 else _within(0.0, end, duration)

    def _first(self, found: re.Match[str], duration: float) -> Stretch | None:
        length = self._length(found["t"])
        return None if not length else _within(0.0, length, duration)

    def _last(self, found: re.Match[str], duration: float) -> Stretch | None:
        length = self._length(found["t"])
        return None if not length else _within(max(0.0, duration - length), duration, duration)

    def _at(self, found: re.Match[str], duration: float) -> Stretch | None:
        at = self._seconds(found["t"])
        return None if at is None else _moment(at, duration)

    def _length(self, text: str) -> float | None:
        bare = {"second": 1.0, "minute": 60.0, "hour": 3600.0}.get(text)
        return self._seconds(text) if bare is None else bare

    def _seconds(self, text: str) -> float | None:
        if ":" in text:
            return _clock(text)
        parts = self._one_part.findall(text)
        if not parts:
            return None
        return sum(self._number(number) * _unit(units) for number, *units in parts)

    def _number(self, text: str) -> float:
        word = text.removesuffix(" of").strip()
        return self._numbers[word] if word in self._numbers else float(word)


def load_times() -> Times:
    words = tomllib.loads(files("foveal.engines").joinpath("data/times.toml").read_text("utf-8"))
    return Times(words["numbers"])


def _unit(units: list[str] | tuple[str, ...]) -> float:
    """Seconds of the unit that matched: one of hours, minutes, seconds."""
    hours, minutes, _ = units
    return 3600.0 if hours else 60.0 if minutes else 1.0


def _clock(text: str) -> float | None:
    *before, seconds = text.split(":")
    if float(seconds) >= 60 or (len(before) == 2 and int(before[1]) >= 60):
        return None
    hours = int(before[0]) if len(before) == 2 else 0
    return hours * 3600.0 + int(before[-1]) * 60 + float(seconds)


def _within(start: float, end: float, duration: float) -> Stretch:
    return Stretch(min(start, duration), min(end, duration))


def _moment(at: float, duration: float) -> Stretch | None:
    """None after the end: then it was no time of this video ("the bus at 10:30")."""
    if at > duration:
        return None
    return Stretch(max(0.0, at - AROUND), min(duration, at + AROUND), at)


def _at_unit(found: re.Match[str], duration: float) -> Stretch | None:
    return _moment(float(found["n"]) * (60 if found["u"] == "minute" else 1), duration)


def _first_half(_: re.Match[str], duration: float) -> Stretch:
    return Stretch(0.0, duration / 2)


def _second_half(_: re.Match[str], duration: float) -> Stretch:
    return Stretch(duration / 2, duration)


def _beginning(_: re.Match[str], duration: float) -> Stretch:
    return Stretch(0.0, min(duration, max(EDGE_AT_LEAST, EDGE * duration)))


def _ending(_: re.Match[str], duration: float) -> Stretch:
    return Stretch(max(0.0, duration - max(EDGE_AT_LEAST, EDGE * duration)), duration)

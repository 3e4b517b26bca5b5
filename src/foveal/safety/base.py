"""What the content filter finds in a text or a picture, before anybody decides what that means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final, Literal, Protocol

from foveal.images.detail import DetailedImage

Category = Literal["hate", "self_harm", "sexual", "violence"]
CATEGORIES: Final[tuple[Category, ...]] = ("hate", "self_harm", "sexual", "violence")


class Severity(IntEnum):
    """How grave it is, in Azure's four words; they can be compared."""

    SAFE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Severities:
    """One for each of Azure's categories."""

    hate: Severity = Severity.SAFE
    self_harm: Severity = Severity.SAFE
    sexual: Severity = Severity.SAFE
    violence: Severity = Severity.SAFE

    def of(self, category: Category) -> Severity:
        found: Severity = getattr(self, category)
        return found


@dataclass(frozen=True, slots=True)
class Signs:
    """What was found: `profanity` (coarse words) and `jailbreak` (an attempt to talk the model out of its
    instructions) are found in texts only.
    """

    severities: Severities = Severities()
    profanity: bool = False
    jailbreak: bool = False


def worst(found: Iterable[Signs]) -> Signs:
    """The gravest of each; nothing found is safe."""
    signs = list(found)
    severities = [one.severities for one in signs]
    return Signs(
        Severities(
            **{
                field.name: max((getattr(one, field.name) for one in severities), default=Severity.SAFE)
                for field in fields(Severities)
            }
        ),
        any(one.profanity for one in signs),
        any(one.jailbreak for one in signs),
    )


def steady(found: Iterable[Severities]) -> Severities:
    """Of frames of one video: the second gravest of each category, since what is really shown is there for
    longer than one frame, and one frame in many is misjudged. Of one frame, what it has.
    """
    frames = list(found)

    def second(category: Category) -> Severity:
        ordered = sorted((one.of(category) for one in frames), reverse=True)
        return ordered[min(1, len(ordered) - 1)] if ordered else Severity.SAFE

    return Severities(**{category: second(category) for category in CATEGORIES})


class TextJudge(Protocol):
    def judge(self, texts: Sequence[str]) -> list[Signs]:
        """The signs of each text, of any length. Blocks the calling thread; safe for threads."""
        ...


class PictureJudge(Protocol):
    def judge(self, image: DetailedImage) -> Severities:
        """Blocks the calling thread; safe for threads. Raises `EngineUnavailable`, saying what to run, when
        weights are missing.
        """
        ...

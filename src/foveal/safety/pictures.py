"""Severities of pictures, by a net that tells sexual and graphic pictures from safe ones.

Hate and self-harm are nothing that it could see: of them a picture is always safe here. What is written in a
picture is for the judge of texts (docs/content-filter.md tells what that means for whoever relies on it).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from foveal.images.detail import DetailedImage
from foveal.images.frame import open_frame
from foveal.models.lease import ModelLease
from foveal.models.store import ModelStore
from foveal.perception.base import PictureRater
from foveal.safety.base import PictureJudge, Severities, Severity


@dataclass(frozen=True, slots=True)
class Steps:
    """The probabilities from which on something has a severity, each above the one before."""

    low: float
    medium: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.medium < self.high < 1:
            raise ValueError(f"the thresholds must rise between 0 and 1: {self}")

    def severity(self, probability: float) -> Severity:
        return Severity(sum(probability >= step for step in (self.low, self.medium, self.high)))


@dataclass(frozen=True, slots=True)
class PictureSteps:
    sexual: Steps
    violence: Steps


def load_steps() -> PictureSteps:
    text = (files(__package__) / "data" / "pictures.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return PictureSteps(Steps(**raw["sexual"]), Steps(**raw["violence"]))


class NetPictureJudge:
    """`PictureJudge`. Looks at the overview that is decoded already, whatever the detail."""

    def __init__(self, lease: ModelLease[PictureRater], steps: PictureSteps) -> None:
        self._lease = lease
        self._steps = steps

    def judge(self, image: DetailedImage) -> Severities:
        with self._lease.use() as rater:
            odds = rater.rate(image.overview)
        return Severities(
            sexual=self._steps.sexual.severity(odds.sexual),
            violence=self._steps.violence.severity(odds.graphic),
        )

    def warm(self) -> None:
        """Load the net now instead of at the first picture."""
        with self._lease.use():
            return

    def close(self) -> None:
        self._lease.close()


def load_picture_judge(
    models: ModelStore, *, threads: int, idle_seconds: float | None = None
) -> NetPictureJudge:
    """The net itself is loaded from `models` at the first picture, and unloaded when none was judged for
    `idle_seconds` (None: it is kept).
    """

    def load() -> PictureRater:
        from foveal.perception.safety import load_rater

        return load_rater(models, threads=threads)

    return NetPictureJudge(ModelLease(load, idle_seconds=idle_seconds), load_steps())


class FrameJudge:
    """`FrameGuard` of the ingestions: a frame is refused when it is sexual or violent, `least` or graver."""

    def __init__(self, judge: PictureJudge, least: Severity = Severity.MEDIUM) -> None:
        self._judge = judge
        self._least = least

    def refuses(self, jpeg: bytes) -> bool:
        found = self._judge.judge(open_frame(jpeg))
        return max(found.sexual, found.violence) >= self._least

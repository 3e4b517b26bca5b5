"""Image analysis: a picture and what is wanted of it in, an `Analysis` out. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from foveal.analysis.captions import CaptionWriter
from foveal.analysis.contract import Contract, Feature, Language, Options
from foveal.analysis.crops import crop, fitting_ratio, what_matters
from foveal.analysis.refusals import BAD_BYTES, NOT_ACCESSIBLE, RefusedAnalysis
from foveal.analysis.result import (
    Analysis,
    Caption,
    Crop,
    FoundObject,
    FoundPerson,
    PixelBox,
    RegionCaption,
)
from foveal.analysis.tags import tags_of
from foveal.analysis.text import read_lines
from foveal.analysis.wording import Wording
from foveal.engines.evidence.sights import Sights
from foveal.errors import InvalidImage, InvalidRequest
from foveal.images.detail import Detail, DetailedImage
from foveal.perception.base import TextLine
from foveal.perception.facts import FactFinder, Facts

LEAST_PERSON = 0.02  # confidence down to which persons are listed; below it the detector keeps nothing
_SEEN: frozenset[Feature] = frozenset(("caption", "denseCaptions", "tags", "objects", "people", "smartCrops"))


class Door(Protocol):
    """The media door."""

    async def open(self, url: str, detail: Detail, /, *, param: str) -> DetailedImage: ...

    async def open_bytes(self, data: bytes, detail: Detail, /, *, param: str) -> DetailedImage: ...


class Captioner(Protocol):
    async def caption(self, image: DetailedImage, language: Language) -> str | None:
        """A caption in that language; None when there is none to be had. Raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class AnalysisService:
    """Without a `captioner` captions are put together from facts."""

    finder: FactFinder
    door: Door
    contract: Contract
    wording: Wording
    captioner: Captioner | None = None

    async def open_bytes(self, data: bytes) -> DetailedImage:
        """A picture that came as bytes. Raises `RefusedAnalysis`, `TooManyRequests`."""
        if not 0 < len(data) <= self.contract.table["picture"]["max_bytes"]:
            raise RefusedAnalysis(BAD_BYTES, "InvalidImageSize")
        try:
            return self._sized(await self.door.open_bytes(data, "high", param="body"))
        except InvalidImage as error:
            raise _refusal(error) from error

    async def open_url(self, url: str) -> DetailedImage:
        """The picture at an http(s) or data URL. Raises as `open_bytes` does."""
        try:
            return self._sized(await self.door.open(url, "high", param="url"))
        except InvalidImage as error:
            raise _refusal(error) from error
        except InvalidRequest as error:
            raise RefusedAnalysis("The image url is badly formatted.", "InvalidImageUrl") from error

    async def analyze(self, image: DetailedImage, options: Options) -> Analysis:
        """Only what `options.features` names is looked for. Raises what the finder does: `TooManyRequests`,
        `EngineUnavailable` when weights are missing.
        """
        wanted = options.features
        facts, lines = await asyncio.gather(self._see(image, wanted), self._read(image, wanted))
        written = None
        if self.captioner is not None and wanted & {"caption", "denseCaptions"}:
            written = await self.captioner.caption(image, options.language)
        if facts is None:
            return Analysis(image.width, image.height, lines=read_lines(lines, image.width, image.height))
        captions = wanted & {"caption", "denseCaptions"}
        if written is None and captions and self._writer(facts, options.language).at_a_loss():
            facts = await self.finder.facts(image)  # perhaps it is a page: its text is read after all
        facts = replace(facts, width=image.width, height=image.height)
        return await asyncio.to_thread(self._compose, facts, lines, written, options)

    def _sized(self, image: DetailedImage) -> DetailedImage:
        limits = self.contract.table["picture"]
        if (
            min(image.width, image.height) < limits["min_side"]
            or max(image.width, image.height) > limits["max_side"]
        ):
            raise _bad_dimensions(limits["min_side"], limits["max_side"])
        return image

    async def _see(self, image: DetailedImage, wanted: frozenset[Feature]) -> Facts | None:
        if not wanted & _SEEN:
            return None
        # Crops keep text too; when it is read closely anyway, once is enough.
        if "smartCrops" in wanted and "read" not in wanted:
            return await self.finder.facts(image)
        return await self.finder.see(image)

    async def _read(self, image: DetailedImage, wanted: frozenset[Feature]) -> tuple[TextLine, ...]:
        return await self.finder.read(image) if "read" in wanted else ()

    def _compose(
        self, facts: Facts, lines: tuple[TextLine, ...], written: str | None, options: Options
    ) -> Analysis:
        wanted = options.features
        width, height = facts.width, facts.height
        writer = self._writer(facts, options.language)
        sights = writer.sights
        caption = None
        if wanted & {"caption", "denseCaptions"}:
            caption = self._caption(writer, written, options)
        dense = None
        if caption is not None and "denseCaptions" in wanted:
            dense = self._dense(writer, caption, lines, facts)
        return Analysis(
            width,
            height,
            caption=caption if "caption" in wanted else None,
            dense_captions=dense,
            tags=tags_of(sights, self.wording, options.language, lines) if "tags" in wanted else None,
            objects=self._objects(sights, options.language) if "objects" in wanted else None,
            people=_people(facts) if "people" in wanted else None,
            lines=read_lines(lines, width, height) if "read" in wanted else None,
            crops=self._crops(facts, lines, options) if "smartCrops" in wanted else None,
        )

    def _writer(self, facts: Facts, language: Language) -> CaptionWriter:
        sights = Sights(facts, self.wording.lexicon.words, self.wording.scenes)
        return CaptionWriter(sights, self.wording, language)

    def _caption(self, writer: CaptionWriter, written: str | None, options: Options) -> Caption:
        text = written or writer.whole()
        confidence = writer.confidence(text)
        if options.gender_neutral and options.language == "en":
            text = self.wording.neutral(text)
        return Caption(text, confidence)

    def _dense(
        self, writer: CaptionWriter, whole: Caption, lines: tuple[TextLine, ...], facts: Facts
    ) -> tuple[RegionCaption, ...]:
        """The whole picture first."""
        width, height = facts.width, facts.height
        found = [RegionCaption(whole.text, whole.confidence, PixelBox(0, 0, width, height))]
        for one in writer.regions(lines):
            box = PixelBox.around(one.box, width, height)
            if all(box != other.box for other in found):
                found.append(RegionCaption(one.text, one.confidence, box))
        return tuple(found)

    def _objects(self, sights: Sights, language: Language) -> tuple[FoundObject, ...]:
        """Every sure object, persons too; best first."""
        facts = sights.facts
        found = sorted(facts.objects, key=lambda one: -one.confidence)
        return tuple(
            FoundObject(
                sights.words.thing(one.label).korean if language == "ko" else one.label,
                one.confidence,
                PixelBox.around(one.box, facts.width, facts.height),
            )
            for one in found
        )

    def _crops(self, facts: Facts, lines: tuple[TextLine, ...], options: Options) -> tuple[Crop, ...]:
        things = what_matters(facts, lines or facts.lines)
        ratios = options.aspect_ratios
        if not ratios:
            rules = self.contract.table["aspect_ratio"]
            fitting = fitting_ratio(
                facts.width, facts.height, things, rules["default_least"], rules["default_most"]
            )
            ratios = (fitting,)
        return tuple(crop(facts.width, facts.height, ratio, things) for ratio in ratios)


def _people(facts: Facts) -> tuple[FoundPerson, ...]:
    """Sure ones and doubtful ones, best first."""
    found = [(one.confidence, one.box) for one in facts.objects if one.label == "person"]
    found += [(one.confidence, one.box) for one in facts.doubtful if one.label == "person"]
    found = sorted((one for one in found if one[0] >= LEAST_PERSON), key=lambda one: -one[0])
    return tuple(
        FoundPerson(confidence, PixelBox.around(box, facts.width, facts.height)) for confidence, box in found
    )


def _bad_dimensions(least: int, most: int) -> RefusedAnalysis:
    return RefusedAnalysis(
        f"The image dimension is not allowed to be smaller than {least} and larger than {most}.",
        "InvalidImageSize",
    )


def _refusal(error: InvalidImage) -> RefusedAnalysis:
    match error.reason:
        case "url":
            return RefusedAnalysis(NOT_ACCESSIBLE, "InvalidImageUrl")
        case "bytes":
            return RefusedAnalysis(BAD_BYTES, "InvalidImageSize")
        case "pixels":
            return RefusedAnalysis(error.message, "InvalidImageSize")
    return RefusedAnalysis(error.message, "InvalidImageFormat")

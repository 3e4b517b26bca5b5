"""The service: what it looks for, who writes captions, and what becomes of failures."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from tests.support.engines import EndlessEngine, ScriptedEngine
from tests.support.evidence import facts, line, picture, seen
from tests.support.facts import FixedFinder, street
from tests.support.house import analysis_service

from foveal.analysis.captioner import EngineCaptioner, tidy
from foveal.analysis.contract import load_contract
from foveal.analysis.result import Analysis, PixelBox
from foveal.analysis.wording import load_wording
from foveal.chat.admission import Gate
from foveal.engines.base import Engine
from foveal.errors import EngineError, TooManyRequests
from foveal.images.detail import DetailedImage
from foveal.perception.base import Box, DetectedObject, TextLine
from foveal.perception.facts import Facts

CONTRACT = load_contract()


async def analyzed(
    finder: FixedFinder, *features: str, engine: Engine | None = None, **options: str
) -> Analysis:
    captioner = None if engine is None else EngineCaptioner(engine, Gate(1, 1), load_wording(), seconds=5)
    service = analysis_service(finder, captioner=captioner)
    return await service.analyze(picture(), CONTRACT.options(features, **options))


@pytest.mark.parametrize(
    ("features", "calls"),
    [
        (["read"], ["read"]),
        (["tags"], ["see"]),
        (["objects", "people", "caption", "denseCaptions"], ["see"]),
        (["smartCrops"], ["facts"]),
        (["smartCrops", "read"], ["see", "read"]),
    ],
)
async def test_only_what_is_needed_is_looked_for(features: Sequence[str], calls: list[str]) -> None:
    finder = FixedFinder()
    await analyzed(finder, *features)
    assert finder.calls == calls


async def test_a_picture_that_shows_nothing_is_read_for_its_caption() -> None:
    finder = FixedFinder(facts(lines=[line("PAGE 1", (0.1, 0.1, 0.9, 0.2))]))
    found = await analyzed(finder, "caption")
    assert found.caption is not None
    assert found.caption.text == "a close up of text"
    assert finder.calls == ["see", "facts"]


async def test_boxes_are_whole_pixels_around_the_thing_inside_the_picture() -> None:
    odd = facts([seen("cat", (-0.01, 0.1001, 0.2501, 1.2)), seen("dog", (0.999999, 0.5, 1.0, 0.5))])
    found = await analyzed(FixedFinder(odd), "objects")
    assert found.objects is not None
    assert [one.box for one in found.objects] == [PixelBox(0, 48, 161, 432), PixelBox(639, 240, 1, 1)]


async def test_people_are_listed_down_to_the_floor_best_first() -> None:
    doubtful = (
        DetectedObject("person", 0.3, Box(0.5, 0.1, 0.7, 0.9)),
        DetectedObject("person", 0.01, Box(0.7, 0.1, 0.8, 0.9)),
        DetectedObject("dog", 0.3, Box(0.7, 0.1, 0.8, 0.9)),
    )
    found = await analyzed(FixedFinder(replace(street(), doubtful=doubtful)), "people")
    assert found.people is not None
    assert [one.confidence for one in found.people] == [0.97, 0.3]


async def test_names_in_korean() -> None:
    found = await analyzed(FixedFinder(), "objects", "caption", language="ko")
    assert found.objects is not None
    assert found.caption is not None
    assert [one.name for one in found.objects] == ["사람", "자동차", "개"]
    assert found.caption.text == "사람 한 명, 자동차 한 대와 개 한 마리"


async def test_words_without_places_of_their_own_share_the_lines() -> None:
    tilted = TextLine("두 단어", 0.8, ((0.0, 0.0), (0.4, 0.2), (0.4, 0.3), (0.0, 0.1)), "ko")
    found = await analyzed(FixedFinder(close_lines=(tilted,)), "read")
    assert found.lines is not None
    first, second = found.lines[0].words
    assert (first.text, second.text, second.confidence) == ("두", "단어", 0.8)
    assert first.polygon == ((0, 0), (64, 24), (64, 72), (0, 48))
    assert second.polygon == ((128, 48), (256, 96), (256, 144), (128, 96))


async def test_an_engine_that_looks_writes_the_caption() -> None:
    engine = ScriptedEngine(["The image shows a man ", "with his dog. ", "It is sunny."])
    found = await analyzed(FixedFinder(), "caption", "denseCaptions", engine=engine)
    assert found.caption is not None
    assert found.dense_captions is not None
    assert found.caption.text == found.dense_captions[0].text == "a man with his dog"
    assert found.caption.confidence == pytest.approx((0.97 + 0.9) / 2)
    (prompt,) = engine.prompts
    assert len(prompt.images) == 1
    assert prompt.sampling.temperature == 0
    neutral = await analyzed(FixedFinder(), "caption", engine=engine, gender_neutral="true")
    assert neutral.caption is not None
    assert neutral.caption.text == "a person with their dog"


async def test_the_engine_is_asked_in_the_language_of_the_caption() -> None:
    engine = ScriptedEngine(["이 사진에는 자동차와 개가 있습니다. 맑은 날입니다."])
    found = await analyzed(FixedFinder(), "caption", engine=engine, language="ko")
    assert found.caption is not None
    assert found.caption.text == "자동차와 개가 있습니다"
    assert "한 문장" in engine.prompts[0].turns[0].text


async def test_nobody_asks_the_engine_for_what_is_no_caption() -> None:
    engine = ScriptedEngine()
    await analyzed(FixedFinder(), "tags", "objects", "read", engine=engine)
    assert engine.prompts == []


@pytest.mark.parametrize(
    "engine",
    [
        ScriptedEngine(fail_at=(1, EngineError("The engine broke."))),
        ScriptedEngine(["  \n "]),
        ScriptedEngine([" “” "]),
    ],
)
async def test_facts_speak_where_the_engine_does_not(engine: ScriptedEngine) -> None:
    found = await analyzed(FixedFinder(), "caption", engine=engine)
    assert found.caption is not None
    assert found.caption.text == "a person wearing blue, a red car and a dog"
    assert engine.closed == 1


async def test_an_engine_that_takes_too_long_is_stopped() -> None:
    engine = EndlessEngine()
    captioner = EngineCaptioner(engine, Gate(1, 1), load_wording(), seconds=0.01)
    found = await analysis_service(FixedFinder(), captioner=captioner).analyze(
        picture(), CONTRACT.options(["caption"])
    )
    assert found.caption is not None
    assert found.caption.text.startswith("a person")
    assert engine.stopped.is_set()


async def test_a_full_engine_is_not_waited_for() -> None:
    engine = EndlessEngine()
    gate = Gate(1, 0)
    captioner = EngineCaptioner(engine, gate, load_wording(), seconds=5)
    first = asyncio.create_task(captioner.caption(picture(), "en"))
    await engine.started.wait()
    assert await captioner.caption(picture(), "en") is None
    engine.release.set()
    assert await first == "first last"
    assert gate.admitted == 0


@dataclass
class Busy(FixedFinder):
    async def see(self, image: DetailedImage) -> Facts:
        raise TooManyRequests("Too many pictures.")


async def test_a_full_finder_is_the_callers_to_know() -> None:
    with pytest.raises(TooManyRequests):
        await analyzed(Busy(), "tags", "read")


@pytest.mark.parametrize(
    ("answer", "caption"),
    [
        ("A cat sits on a sofa.", "a cat sits on a sofa"),
        ("This photo depicts two dogs! They play.", "two dogs"),
        ("There are three birds.\nMore follows.", "three birds"),
        ('"A red bus."', "a red bus"),
        ("**A plate of food**", "a plate of food"),
        ("...", None),
        ("word " * 200, ("word " * 200)[:300].strip()),
    ],
)
def test_answers_are_trimmed_to_captions(answer: str, caption: str | None) -> None:
    assert tidy(answer, load_wording().table["lead"]["en"]) == caption

"""The engine `gguf`, with a tiny model and a tiny picture encoder."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.asking import gather, turn
from tests.support.tiny_gguf import PICTURE_TOKENS

from foveal.engines.base import ImagePart, Prompt, ReadText, ResponseFormat, Sampling, TextPart, Turn
from foveal.engines.gguf import GgufEngine, data_urls
from foveal.engines.llama import ChatMessage, Generation, Picture
from foveal.errors import InvalidRequest
from foveal.images.detail import DetailedImage

GREEDY = Sampling(temperature=0, max_tokens=15)


@pytest.fixture
async def engine(tiny_model: Path, tiny_encoder: Path) -> AsyncIterator[GgufEngine]:
    engine = GgufEngine(tiny_model, mmproj=tiny_encoder, threads=1, context=2048)
    await engine.ready()
    yield engine
    await engine.close()


async def said(engine: GgufEngine, *turns: Turn, **sampling: Any) -> str:
    return (await gather(engine.answer(Prompt(turns, replace(GREEDY, **sampling))))).text


async def test_text(engine: GgufEngine) -> None:
    answer = await gather(engine.answer(Prompt((turn("hello"),), GREEDY)))
    assert answer.text
    assert answer.finish == "length"
    assert len(answer.deltas) > 5
    assert engine.count_tokens("four") == 4


async def test_what_is_in_the_picture_changes_the_answer(engine: GgufEngine, picture: DetailedImage) -> None:
    dark = replace(picture, detail="low", scaled=None, tiles=())
    light = replace(dark, overview=255 - dark.overview)
    none = await said(engine, turn("hello"))
    first = await said(engine, turn("hello", images=[dark]))
    second = await said(engine, turn("hello", images=[light]))
    assert len({none, first, second}) == 3
    assert first == await said(engine, turn("hello", images=[dark]))


async def test_text_that_was_read_in_the_picture_changes_the_answer(
    engine: GgufEngine, picture: DetailedImage
) -> None:
    seen = replace(picture, detail="low", scaled=None, tiles=())

    def with_text(text: str) -> Turn:
        return Turn("user", (TextPart("hello"), ImagePart(seen, ReadText((), text))))

    none = await said(engine, with_text(""))
    first, second = await said(engine, with_text("OPEN")), await said(engine, with_text("CLOSED"))
    assert len({none, first, second}) == 3
    assert none == await said(engine, turn("hello", images=[seen]))


async def test_every_view_is_evaluated(engine: GgufEngine, picture: DetailedImage) -> None:
    async def prompt_tokens(*urls: str) -> int:
        message = ChatMessage("user", parts=(*(Picture(url) for url in urls), "hello"))
        request = Generation((message,), GREEDY, 'root ::= "x"')
        usage = [piece async for piece in engine.runtime.generate(request)][-1].usage
        assert usage is not None
        return usage.prompt

    none = await prompt_tokens()
    high = data_urls(picture)
    assert len(high) == 3
    one = await prompt_tokens(*high[:1])
    three = await prompt_tokens(*high)
    assert one - none >= PICTURE_TOKENS
    assert three - one == 2 * (one - none)


def test_low_detail_shows_the_overview_only(picture: DetailedImage) -> None:
    assert len(data_urls(replace(picture, detail="low", scaled=None, tiles=()))) == 1
    assert len(data_urls(replace(picture, tiles=picture.tiles[:1]))) == 1


async def test_json(engine: GgufEngine, picture: DetailedImage) -> None:
    schema = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
    wanted = ResponseFormat("json_schema", schema)
    prompt = Prompt((turn("dark?", images=[picture]),), GREEDY, response_format=wanted)
    assert json.loads((await gather(engine.answer(prompt))).text)["yes"] in (True, False)


async def test_stop_and_cancel(engine: GgufEngine) -> None:
    whole = await said(engine, turn("hello"))
    assert await said(engine, turn("hello"), stop=(whole[4:6],)) == whole[: whole.index(whole[4:6])]
    deltas = engine.answer(Prompt((turn("hello"),), Sampling(temperature=0, max_tokens=100_000)))
    await anext(deltas)
    await deltas.aclose()
    assert await said(engine, turn("hello")) == whole


async def test_without_an_encoder_a_picture_is_refused(tiny_model: Path, picture: DetailedImage) -> None:
    engine = GgufEngine(tiny_model, threads=1, context=512)
    assert not engine.abilities.images
    turns = (turn("Be brief.", role="system"), turn("look", images=[picture]))
    with pytest.raises(
        InvalidRequest, match=r"Invalid content type\. image_url is only supported"
    ) as refused:
        await gather(engine.answer(Prompt(turns)))
    assert refused.value.param == "messages.[1].content.[1].type"
    assert await said(engine, turn("hello"))
    await engine.close()


def test_tiles_are_cut_from_the_working_picture(picture: DetailedImage) -> None:
    assert picture.scaled is not None
    other = np.array(picture.scaled)
    other[:, 600:] = 255
    before, after = data_urls(picture), data_urls(replace(picture, scaled=other))
    assert before[:2] == after[:2]
    assert before[2] != after[2]

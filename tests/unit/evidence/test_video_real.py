"""A real clip, decoded, looked at, listened to and asked about: what the parts find together."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio
from tests.support.clips import Scene, picture, speech, write_video

from foveal.assembly.house import House, build_house
from foveal.chat.events import TextPiece
from foveal.chat.local import ask, local_request
from foveal.chat.wire import read_chat_request
from foveal.settings import load_settings

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> AsyncIterator[House]:
    flags = {
        "data": str(tmp_path_factory.mktemp("data")),
        "models": str(models_folder),
        "engine": "evidence",
    }
    built = build_house(load_settings(flags, {}), ["evidence"])
    yield built
    await built.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cat until 0:05, a street until 0:11, an astronaut until 0:15, a Korean notice; a sentence at 0:06."""
    scenes = [
        Scene(picture("cat"), 5),
        Scene(picture("street"), 6),
        Scene(picture("astronaut"), 4),
        Scene(picture("notice-ko"), 4, "still"),
    ]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", scenes, sounds=[(6.0, speech("0880"))])


@pytest.mark.parametrize(
    ("question", "must", "must_not"),
    [
        ("Describe this video.", r"0:05.* a cat.*people.*도서관.*ill.disposed", "dog"),
        ("How many scenes are there?", r"four scenes.*0:00, 0:05, 0:11 and 0:15", ""),
        ("When does a cat appear?", r"from 0:00 to 0:0[34]", "0:05|0:1"),
        ("How many people are there at 0:13?", "one|a person", "two"),
        ("Is there a cat at 0:08?", "^No", "Yes"),
        ("What is said?", "0:06.*He was not an ill.disposed young man", ""),
        ("When is the young man mentioned?", r"0:0[678]", "isn't"),
        ("Who is the astronaut?", "^I can't tell", ""),
        ("What text is shown?", "도서관 이용 안내”.*0:15", ""),
        ("고양이는 언제 나오나요?", "0:00부터 0:0[34]까지", "0:1"),
        ("이 영상을 설명해 주세요.", "고양이 한 마리.*사람.*도서관", ""),
    ],
)
async def test_a_real_clip(house: House, clip: Path, question: str, must: str, must_not: str) -> None:
    request = read_chat_request(local_request([str(clip)], question, temperature=0.0))
    async with aclosing(ask(house.chat, request, "evidence")) as events:
        text = "".join([event.text async for event in events if isinstance(event, TextPiece)])
    assert re.search(must, text, re.DOTALL), text
    assert not must_not or not re.search(must_not, text, re.DOTALL), text

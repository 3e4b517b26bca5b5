"""The filter at work: everything of a prompt is judged, once, and failures are the operator's choice."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from tests.support.safety import Brightness, WrittenSigns

from foveal.errors import EngineUnavailable
from foveal.images.detail import DetailedImage
from foveal.resources.content_filters import Blocklist, Side
from foveal.safety.base import Severities, Severity, Signs
from foveal.safety.blocklists import Blocklists
from foveal.safety.service import REMEMBERED, ContentSafety, FilterUnavailable


def picture(red: int, name: str = "") -> DetailedImage:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0] = red
    return DetailedImage(name or f"red{red}", "png", 8, 8, "low", 85, pixels, None, (), b"")


class Missing:
    def judge(self, image: DetailedImage) -> Severities:
        raise EngineUnavailable("weights are missing: run `foveal models pull`")


async def test_texts_and_pictures_together() -> None:
    counted: list[tuple[str, str]] = []
    safety = ContentSafety(WrittenSigns(), Brightness(), blocked=lambda *blocked: counted.append(blocked))
    verdict = await safety.prompt(Side(), ["hate:low here", "fine"], [picture(10), picture(200)])
    assert verdict is not None
    assert verdict.severities == Severities(hate=Severity.LOW, violence=Severity.HIGH)
    assert counted == [("prompt", "violence")]
    answer = await safety.completion(Side(), "sexual:medium")
    assert answer is not None
    assert answer.blocked
    assert counted[1:] == [("completion", "sexual")]
    safety.close()


async def test_a_picture_is_looked_at_once() -> None:
    pictures = Brightness()
    safety = ContentSafety(WrittenSigns(), pictures)
    for _ in range(3):
        await safety.prompt(Side(), [], [picture(10)])
    assert pictures.asked == 1
    safety.close()


async def test_one_frame_of_a_video_may_be_misjudged() -> None:
    safety = ContentSafety(WrittenSigns(), Brightness())
    calm = [picture(0, f"calm{n}") for n in range(18)]
    for red, severity in ((0, Severity.SAFE), (1, Severity.SAFE), (2, Severity.HIGH)):
        frames = [*calm, *(picture(255, f"red{n}") for n in range(red))]
        verdict = await safety.prompt(Side(), ["hi"], [], frames)
        assert verdict is not None
        assert verdict.severities.violence == severity
    alone = await safety.prompt(Side(), [], [], [picture(255)])
    assert alone is not None
    assert alone.blocked
    safety.close()


async def test_an_earlier_turn_is_read_once() -> None:
    texts = WrittenSigns()
    safety = ContentSafety(texts)
    for turn in range(4):
        verdict = await safety.prompt(Side(), [f"hate:low in turn {n}" for n in range(turn + 1)])
        assert verdict is not None
        assert verdict.severities.hate == Severity.LOW
    assert sum(map(len, texts.asked)) == 4
    safety.close()


async def test_texts_that_come_meanwhile_are_judged_together() -> None:
    texts = WrittenSigns()
    safety = ContentSafety(texts)
    verdicts = await asyncio.gather(*(safety.completion(Side(), f"text {n}") for n in range(40)))
    assert len(verdicts) == 40
    assert sum(map(len, texts.asked)) == 40
    assert len(texts.asked) < 10
    safety.close()


class Slow(WrittenSigns):
    """It judges nothing before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may = threading.Event(), threading.Event()

    def judge(self, texts: Sequence[str]) -> list[Signs]:
        self.begun.set()
        self.may.wait()
        return super().judge(texts)


async def test_a_caller_who_leaves_spoils_nothing_for_others() -> None:
    texts = Slow()
    safety = ContentSafety(texts)
    left = asyncio.create_task(safety.completion(Side(), "violence:high, and gone"))
    await asyncio.to_thread(texts.begun.wait)
    stayed = asyncio.create_task(safety.completion(Side(), "sexual:high"))
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    texts.may.set()
    verdict = await stayed
    assert verdict is not None
    assert verdict.filtered == {"sexual"}
    safety.close()


async def test_only_so_many_texts_are_remembered() -> None:
    texts = WrittenSigns()
    safety = ContentSafety(texts)
    for number in range(REMEMBERED + 1):
        await safety.completion(Side(), f"text {number}")
    asked = len(texts.asked)
    await safety.completion(Side(), f"text {REMEMBERED}")
    assert len(texts.asked) == asked
    await safety.completion(Side(), "text 0")
    assert len(texts.asked) == asked + 1
    safety.close()


async def test_attacks_in_pictures_are_read_when_they_are_looked_for() -> None:
    read: list[str] = []

    async def reader(image: DetailedImage) -> str:
        read.append(image.sha256)
        return "jailbreak:yes and Contoso"

    safety = ContentSafety(WrittenSigns(), Brightness(), read=reader)
    quiet = await safety.prompt(Side(), ["hi"], [picture(10)])
    assert quiet is not None
    assert (quiet.blocked, read) == (False, [])
    side = Side(jailbreak="filter", blocklists=(Blocklist("names", ("contoso",)),))
    caught = await safety.prompt(side, ["hi"], [picture(10)])
    assert caught is not None
    assert caught.filtered == {"jailbreak", "custom_blocklists"}
    assert read == ["red10"]
    safety.close()


async def test_blocklists_are_searched_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of thousands of terms over a long text takes as long as many small requests."""
    searched: list[int] = []
    found = Blocklists.found

    def watched(self: Blocklists, lists: Sequence[Blocklist], *texts: str) -> list[str]:
        searched.append(threading.get_ident())
        return found(self, lists, *texts)

    monkeypatch.setattr(Blocklists, "found", watched)
    safety = ContentSafety(WrittenSigns())
    side = Side(blocklists=(Blocklist("names", ("contoso",)),))
    asked = await safety.prompt(side, ["Who is there?", "Contoso."])
    answered = await safety.completion(side, "Contoso is there.")
    assert asked is not None
    assert answered is not None
    assert (asked.blocked, answered.blocked) == (True, True)
    assert len(searched) == 2
    assert threading.get_ident() not in searched
    safety.close()


async def test_what_cannot_be_judged_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    safety = ContentSafety(WrittenSigns(), Missing())
    with pytest.raises(FilterUnavailable, match="foveal models pull") as caught:
        await safety.prompt(Side(), ["hi"], [picture(10)])
    assert caught.value.status == 503
    with caplog.at_level(logging.ERROR), pytest.raises(FilterUnavailable, match="failed"):
        await safety.completion(Side(), "broken:yes, my secret")
    assert "my secret" not in caplog.text
    safety.close()


async def test_or_passes_unjudged_where_the_operator_says_so(caplog: pytest.LogCaptureFixture) -> None:
    safety = ContentSafety(WrittenSigns(), Missing(), closed=False)
    with caplog.at_level(logging.WARNING):
        assert await safety.prompt(Side(), ["my secret"], [picture(10)]) is None
        assert await safety.completion(Side(), "broken:yes, my secret") is None
    assert "passes" in caplog.text
    assert "my secret" not in caplog.text
    again = await safety.completion(Side(), "violence:high")
    assert again is not None
    assert again.blocked
    safety.close()


async def test_a_judge_that_hangs_counts_as_one_that_failed() -> None:
    slow = Slow()
    safety = ContentSafety(slow, patience=0.05)
    try:
        with pytest.raises(FilterUnavailable, match="took longer than"):
            await safety.completion(Side(), "hate=low")
    finally:
        slow.may.set()
        safety.close()

"""A document of an index as part of a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.videos import DOCUMENT, INDEX, Shelf, WordFinder, made_video, open_shelf

from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.video.chat.asking import load_asking
from foveal.video.chat.chatting import VideoChat, VideoSamplingFailed, Watched


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shelf = open_shelf(tmp_path)
    yield shelf
    shelf.close()


class House:
    def __init__(self, shelf: Shelf, *, find: bool = True, room: int = 64) -> None:
        self.door = ImageDoor(MediaFetcher(), max_waiting=room)
        finder = WordFinder(shelf.library) if find else None
        self.chat = VideoChat(shelf.library, self.door, len, load_asking(), finder)

    async def ask(self, question: str, document_id: str = DOCUMENT, index: str = INDEX) -> Watched:
        return await self.chat.watch("local", index, document_id, question, param="here")


async def test_the_whole_of_the_notebook_s_clip(shelf: Shelf) -> None:
    shelf.publish(made_video(46.13))
    watched = await House(shelf).ask("Describe this video:")
    part = watched.part
    assert (part.duration, part.start, part.end, watched.queries) == (46.13, 0, 46.13, 0)
    times = [0, 4.6, 9.2, 13.8, 18.4, 23, 27.6, 32.2, 36.8, 41.4]
    assert [frame.at for frame in part.frames] == pytest.approx(times)
    assert all(frame.image.detail == "low" and frame.image.tokens == 85 for frame in part.frames)
    assert all(frame.facts is not None and frame.facts.objects for frame in part.frames)
    assert [frame.scene for frame in part.frames] == [int(at // 2 * 2 // 10) for at in times]
    assert len(part.scenes) == 5
    assert part.speech is not None
    assert len(part.speech) == 3


async def test_a_range_of_the_question_concentrates(shelf: Shelf) -> None:
    shelf.publish(made_video(200, every=1))
    part = (await House(shelf).ask("How many scenes from 20s to 40s?")).part
    assert (part.start, part.end) == (20, 40)
    assert [frame.at for frame in part.frames] == [20 + 2 * n for n in range(10)]
    assert part.scenes == ((20, 30), (30, 40))
    assert [one.start for one in part.speech or ()] == [30]


async def test_a_topic_is_looked_for_in_the_index(shelf: Shelf) -> None:
    shelf.publish(made_video(200, every=1))
    watched = await House(shelf).ask("When does the ferry leave for the island?")
    assert watched.queries == 1
    assert 12.0 in [frame.at for frame in watched.part.frames]
    without = await House(shelf, find=False).ask("When does the ferry leave for the island?")
    assert without.queries == 0
    assert 12.0 not in [frame.at for frame in without.part.frames]


async def test_a_video_without_frames_or_speech(shelf: Shelf) -> None:
    silent = made_video(30, speech=False)
    shelf.publish(silent, "silent")
    assert (await House(shelf).ask("Describe it", "silent")).part.speech == ()


async def test_frames_of_a_conversation_leave_room_at_the_door(shelf: Shelf) -> None:
    shelf.publish(made_video(200, every=1))
    part = (await House(shelf, room=4).ask("Describe it")).part
    assert len(part.frames) == 20


async def test_what_was_read_once_is_not_read_again(shelf: Shelf) -> None:
    key = shelf.publish(made_video())
    house = House(shelf)
    first = (await house.ask("Describe it")).part
    shelf.blobs.remove(f"documents/{key}/record.msgpack")
    assert (await house.ask("Describe it")).part.frames == first.frames


@pytest.mark.parametrize(
    ("document_id", "index", "code", "says"),
    [
        ("other", INDEX, "DocumentNotFound", "Document does not exist."),
        (DOCUMENT, "second", "DocumentNotFound", "Document does not exist."),
        (DOCUMENT, "x" * 60, "IndexNotFound", "Document does not exist. The index"),
        (
            "cooking",
            INDEX,
            "DocumentNotReady",
            "The document is still being ingested (40%",
        ),
        (
            "broken",
            INDEX,
            "DocumentNotFound",
            "Document does not exist: no video in it",
        ),
    ],
)
async def test_what_cannot_be_watched(
    shelf: Shelf, document_id: str, index: str, code: str, says: str
) -> None:
    shelf.publish(made_video())
    shelf.index("second")
    shelf.ingesting("cooking")
    shelf.failed("broken", "no video in it")
    with pytest.raises(VideoSamplingFailed) as failed:
        await House(shelf).ask("Describe it", document_id, index)
    assert (failed.value.status, failed.value.code, failed.value.param) == (400, code, "here")
    assert failed.value.message.startswith(f"'Video sampling' failed: {says}")


async def test_the_index_of_another_resource_is_not_there(shelf: Shelf) -> None:
    shelf.resource("theirs")
    shelf.publish(made_video(), resource="theirs")
    with pytest.raises(VideoSamplingFailed, match="Document does not exist"):
        await House(shelf).ask("Describe it")


async def test_a_document_that_goes_away_meanwhile(shelf: Shelf) -> None:
    key = shelf.publish(made_video())
    shelf.blobs.remove(f"documents/{key}")
    with pytest.raises(VideoSamplingFailed, match="Document does not exist"):
        await House(shelf).ask("Describe it")

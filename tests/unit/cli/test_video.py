"""`foveal index` and `foveal video`: what they print, keep, save and refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.cli import Run, runner
from tests.support.retrieval import OTHER, THUMBNAIL, Workshop, workshop

from foveal.cli import video_house
from foveal.settings import Settings
from foveal.store.media import MediaStore
from foveal.video.library import VideoLibrary
from foveal.video.retrieval.contract import RetrievalContract
from foveal.video.retrieval.documents import VideoDocuments
from foveal.video.retrieval.indexes import VideoIndexes
from foveal.video.retrieval.ingestions import VideoIngestions
from foveal.video.retrieval.query import Filters, Hit, Query, StringFilter
from foveal.video.retrieval.retrieval import Searcher


@dataclass(frozen=True)
class Built:
    """What the assembly builds, as far as the commands know."""

    contract: RetrievalContract
    indexes: VideoIndexes
    ingestions: VideoIngestions
    documents: VideoDocuments
    library: VideoLibrary
    search: Searcher
    media: MediaStore


@dataclass
class Bench:
    """The commands, and the workshop that stands behind them; `opened` says who meant to work."""

    run: Run
    house: Workshop
    opened: list[bool] = field(default_factory=list)

    def ok(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.code == 0, (ended.out, ended.err)
        return ended.out


@pytest.fixture
def bench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Bench]:
    monkeypatch.setenv("FOVEAL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    with workshop(tmp_path / "data") as house:
        made = Bench(runner(monkeypatch, capsys), house)
        parts = house.retrieval

        @contextmanager
        def build(settings: Settings, *, work: bool) -> Iterator[Built]:
            assert settings.data == tmp_path / "data"
            made.opened.append(work)
            house.queue.at_once = house.work if work else None
            yield Built(
                parts.contract,
                parts.indexes,
                parts.ingestions,
                parts.documents,
                parts.library,
                parts.search,
                house.media,
            )

        monkeypatch.setattr(video_house, "build", build)
        yield made


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip one.mp4"
    path.write_bytes(b"a video")
    return path


def test_make_list_show_and_remove_an_index(bench: Bench, clip: Path) -> None:
    fields = ("--field", "cameraId:string:filterable", "--field", "when:datetime:filterable:searchable")
    assert "cameras is made" in bench.ok("index", "create", "Cameras", *fields)
    assert "already" in bench.ok("index", "create", "cameras", *fields)
    bench.ok("video", "add", str(clip), "--index", "cameras")
    listed = json.loads(bench.ok("index", "ls", "--json"))
    assert [one["name"] for one in listed] == ["cameras"]
    assert listed[0]["holds"] == {
        "documents": 1,
        "frames": 12,
        "segments": 3,
        "seconds": 46.13,
        "bytes": 345_678,
    }
    assert [one["name"] for one in listed[0]["features"]] == ["vision", "speech"]
    table = bench.ok("index", "ls")
    assert all(word in table for word in ("cameras", "vision, speech", "0:46", "0.3 MB"))
    shown = bench.ok("index", "show", "CAMERAS")
    assert all(word in shown for word in ("0.01 hours", "frames: 12", "cameraid", "datetime"))
    assert json.loads(bench.ok("index", "show", "cameras", "--json")) == listed[0]
    assert "1 videos" in bench.ok("index", "rm", "cameras")
    assert json.loads(bench.ok("index", "ls", "--json")) == []


def test_a_schema_from_a_file(bench: Bench, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(
        "{'fields': [{'name': 'A', 'type': 'string', 'searchable': true, 'filterable': false}]}"
    )
    options = ("--schema", str(schema), "--feature", "vision:surveillance", "--json")
    made = json.loads(bench.ok("index", "create", "a", *options))
    assert made["metadataSchema"]["fields"][0]["name"] == "a"
    assert made["features"] == [{"name": "vision", "modelVersion": "2023-05-31", "domain": "surveillance"}]


def test_add_files_and_addresses(bench: Bench, clip: Path) -> None:
    bench.ok("index", "create", "a", "--field", "cameraId:string:filterable")
    url = "https://blobs.test/videos/second%20clip.mp4?sig=secret"
    added = bench.run("video", "add", str(clip), url, "--index", "a", "--metadata", "CameraId=c=1")
    assert (added.code, added.out) == (0, "clip one: done\nsecond clip: done\n")
    assert "clip one: done" in added.err
    listed = json.loads(bench.ok("video", "ls", "--index", "a", "--json"))
    assert [one["documentId"] for one in listed["documents"]] == ["clip one", "second clip"]
    assert [one["metadata"] for one in listed["documents"]] == [{"cameraid": "c=1"}] * 2
    assert listed["ingestions"] == []
    # The copy of the file has served its purpose.
    assert bench.house.media.all("local") == []
    assert bench.opened[-2:] == [True, False]
    table = bench.ok("video", "ls", "--index", "a")
    assert "second clip" in table
    assert "secret" not in table


def test_options_of_adding_reach_the_worker(bench: Bench, clip: Path) -> None:
    bench.ok("index", "create", "a")
    flags = ("--no-speech", "--drop-defective", "--moderation", "--managed-identity", "--no-watch")
    said = bench.ok("video", "add", str(clip), "--index", "a", "--id", "x", *flags, "--name", "Night")
    assert "ingestion night is written down" in said
    (task,) = bench.house.begin()
    assert (task.document_id, task.options["speech"]) == ("x", False)
    assert task.options["filterDefectedFrames"] is True
    assert task.options["moderation"] is True
    assert task.options["documentAuthenticationKind"] == "managedIdentity"
    (copy,) = bench.house.media.all("local")
    assert (copy.size, copy.name[:9]) == (len(b"a video"), "clip one-")
    assert f"/storage/local/{quote(copy.name)}?" in task.url
    assert bench.opened[-1] is False
    bench.house.worksheet.report(task, "looking", 0.42)
    assert "x looking, 42%" in bench.ok("video", "ls", "--index", "a")
    assert "night is cancelled" in bench.ok("video", "cancel", "night", "--index", "a")
    assert "over already: Failed" in bench.ok("video", "cancel", "night", "--index", "a")


def test_watch_goes_on_with_what_waits(bench: Bench) -> None:
    bench.ok("index", "create", "a")
    bench.ok("video", "add", "https://blobs.test/v.mp4", "--index", "a", "--no-watch", "--name", "n")
    bench.house.work()
    assert bench.ok("video", "watch", "n", "--index", "a") == "v: done\n"
    shown = json.loads(bench.ok("video", "watch", "n", "--index", "a", "--json"))
    assert shown["fileStatusDetails"][0]["state"] == "Succeeded"


def test_a_terminal_shows_a_bar_for_each_video(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    bench.house.broken["w"] = ("TooLong", "It is too long.")
    bench.ok("index", "create", "a")
    ended = bench.run("video", "add", "https://x.test/v.mp4", "https://x.test/w.mp4", "--index", "a")
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", ended.err)
    assert re.search(r"v ━+ 100% done", shown)
    assert re.search(r"w [━╺╸ ]+ +0% failed", shown)


def test_a_video_that_fails_is_told_with_its_reason(bench: Bench, clip: Path) -> None:
    bench.house.broken["clip one"] = ("UnsupportedCodec", "The video codec prores is not supported.")
    bench.ok("index", "create", "a")
    ended = bench.run("video", "add", str(clip), "--index", "a")
    assert ended.code == 1
    assert ended.out == "clip one: failed: The video codec prores is not supported.\n"


def test_show_a_video(bench: Bench, clip: Path) -> None:
    bench.ok("index", "create", "a")
    bench.ok("video", "add", str(clip), "--index", "a")
    shown = bench.ok("video", "show", "clip one", "--index", "a")
    for words in (
        "0:46, 1280 × 720",
        "h264 and aac",
        "a red car on a street",
        "a dog [running]",
        "leave the area",
    ):
        assert words in shown
    body = json.loads(bench.ok("video", "show", "clip one", "--index", "a", "--json"))
    assert [(one["start"], one["end"]) for one in body["scenes"]] == [
        ("00:00:00", "00:00:30"),
        ("00:00:30", "00:00:46.1300000"),
    ]
    assert body["speech"][0]["text"] == "leave the area"


def test_remove_videos(bench: Bench, clip: Path) -> None:
    bench.ok("index", "create", "a")
    bench.ok("video", "add", str(clip), "--index", "a")
    assert bench.ok("video", "rm", "clip one", "--index", "a") == "clip one is removed\n"
    gone = bench.run("video", "rm", "clip one", "--index", "a")
    assert (gone.code, gone.err) == (2, "foveal: There is no document 'clip one' in the index 'a'.\n")


def test_search_and_save_thumbnails(bench: Bench, clip: Path, tmp_path: Path) -> None:
    bench.ok("index", "create", "a")
    bench.ok("video", "add", str(clip), "--index", "a")
    key = bench.house.retrieval.documents.get("local", "a", "clip one").key
    bench.house.search.hits = [
        Hit("clip one", "VideoFrame", 0.0, 20.0, 2.0, 0.31, document=key, number=0, text="a red [car]"),
        Hit("clip one", "SpeechTextSegment", 3.5, 7.84, 3.5, 0.85, document=key, number=7, text="leave"),
    ]
    folder = tmp_path / "thumbs"
    options = ("--filter", "cameraId=c1", "--filter", "cameraId=c2", "--feature", "vision", "--top", "2")
    found = bench.run("video", "search", "a red car", "--index", "A", *options, "--save", str(folder))
    assert found.code == 0, found.err
    assert "a red [car]" in found.out
    assert "2 thumbnails" in found.err
    # What is said is shown by the frame that was seen meanwhile.
    assert sorted(path.name for path in folder.iterdir()) == [
        "01-clip_one-2.0s.jpg",
        "02-clip_one-3.5s.jpg",
    ]
    assert {path.read_bytes() for path in folder.iterdir()} == {THUMBNAIL}
    filters = Filters((StringFilter("cameraId", ("c1", "c2")),), (), ("vision",))
    assert bench.house.search.asked == [("local", "a", Query("a red car", filters, top=2))]
    body = json.loads(bench.ok("video", "search", "x", "--index", "a", "--json"))
    assert [one["documentKind"] for one in body] == ["VideoFrame", "SpeechTextSegment"]


def test_another_resource_has_its_own_indexes(bench: Bench) -> None:
    bench.ok("index", "create", "a", "--resource", OTHER)
    assert json.loads(bench.ok("index", "ls", "--json")) == []
    assert len(json.loads(bench.ok("index", "ls", "--json", "--resource", OTHER))) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("index", "create", "no_good"), "Value for indexName is invalid"),
        (("index", "create", "b", "--feature", "smell"), "'smell' is not one of"),
        (("index", "create", "b", "--field", "a:int"), "'int' is not one of"),
        (("index", "create", "b", "--field", "a:string:sortable"), "neither filterable nor searchable"),
        (("index", "create", "b", "--schema", "/none.json"), "does not exist"),
        (("index", "show", "none"), "The index 'none' does not exist."),
        (("index", "rm", "none"), "The index 'none' does not exist."),
        (("index", "ls", "--resource", "nobody"), "there is no resource 'nobody'"),
        (("video", "ls", "--index", "none"), "The index 'none' does not exist."),
        (("video", "add", "none.mp4", "--index", "a"), "there is no file none.mp4"),
        (("video", "add", "https://x.test/a", "--index", "none"), "`foveal index create none`"),
        (("video", "add", "https://x.test/a", "https://x.test/b", "--index", "a", "--id", "c"), "--id names"),
        (("video", "add", "https://x.test/a", "--index", "a", "--metadata", "b"), "name=value"),
        (("video", "add", "https://x.test/a", "--index", "a", "--metadata", "b=c"), "no metadata schema"),
        (("video", "add", "https://x.test/a", "https://x.test/a", "--index", "a"), "also that of videos[0]"),
        (("video", "watch", "none", "--index", "a"), "The ingestion 'none' does not exist."),
        (("video", "cancel", "none", "--index", "a"), "The ingestion 'none' does not exist."),
        (("video", "show", "none", "--index", "a"), "There is no document 'none'"),
        (("video", "search", " ", "--index", "a"), "The query text is empty"),
        (("video", "search", "x", "--index", "a", "--filter", "b"), "field=value"),
    ],
)
def test_what_cannot_be_done_is_told_and_exit_code_2(
    bench: Bench, arguments: tuple[str, ...], says: str
) -> None:
    bench.ok("index", "create", "a")
    ended = bench.run(*arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1 or ended.err.startswith("Usage:")

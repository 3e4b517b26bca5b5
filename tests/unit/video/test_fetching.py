"""Videos fetched from storages that work, break, change and refuse."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.support.flaky import FlakyStorage, Step, flaky

from foveal.errors import InvalidVideo, VideoUnreachable
from foveal.video.fetch.fetching import FetchLimits, MediaVideoFetcher
from foveal.video.work import Source

MB = 1_000_000
DATA = os.urandom(3 * MB)
OTHER = os.urandom(2 * MB)
QUICK = FetchLimits(pause=0.01, silence=5.0)


def nothing(_fraction: float) -> None:
    return None


def fetch(
    storage: FlakyStorage,
    to: Path,
    limits: FetchLimits = QUICK,
    progress: Callable[[float], None] = nothing,
    path: str = "/film.mp4?se=2999-01-01&sp=r&sig=SECRET",
) -> None:
    fetcher = MediaVideoFetcher(allow_hosts=(storage.host,), limits=limits)
    fetcher.fetch(Source(storage.url + path, "local"), to, progress)


def unreachable(storage: FlakyStorage, to: Path, limits: FetchLimits = QUICK) -> VideoUnreachable:
    with pytest.raises(VideoUnreachable) as told:
        fetch(storage, to, limits)
    assert "SECRET" not in told.value.message
    assert not to.exists()
    return told.value


def invalid(storage: FlakyStorage, to: Path, limits: FetchLimits = QUICK) -> InvalidVideo:
    with pytest.raises(InvalidVideo) as told:
        fetch(storage, to, limits)
    assert not to.exists()
    return told.value


def files(to: Path) -> list[str]:
    return sorted(path.name for path in to.parent.iterdir())


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("data", [b"", b"x", DATA])
def test_a_file_arrives_whole_and_alone(tmp_path: Path, data: bytes, chunked: bool) -> None:
    heard: list[float] = []
    with flaky(data, Step(chunked=chunked)) as storage:
        fetch(storage, tmp_path / "new" / "film.mp4", progress=heard.append)
    assert (tmp_path / "new" / "film.mp4").read_bytes() == data
    assert files(tmp_path / "new" / "film.mp4") == ["film.mp4"]
    assert heard == sorted(heard)
    assert all(0 <= part <= 1 for part in heard)
    if len(data) > 1 and not chunked:
        assert heard[-1] == 1


def test_a_storage_that_dies_mid_way_is_asked_for_the_rest(tmp_path: Path) -> None:
    with flaky(DATA, Step(cut=MB), Step(cut=MB // 2), Step(cut=0)) as storage:
        fetch(storage, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == DATA
    assert storage.ranges == [None, f"bytes={MB}-", f"bytes={MB * 3 // 2}-", f"bytes={MB * 3 // 2}-"]
    assert {request.get("if-match") for request in storage.requests[1:]} == {f'"{hash(DATA):x}"'}


@pytest.mark.parametrize(
    "steps",
    [
        [Step(cut=MB), Step(data=OTHER)],  # another file meanwhile
        [Step(cut=MB), Step(data=OTHER, ranges=False)],  # a server without ranges
        [Step(cut=MB), Step(data=OTHER, shift=7)],  # other bytes than those asked for
        [Step(cut=MB, etag=False), Step(data=OTHER)],  # nothing says whether it is the same
        [Step(cut=MB, headers={"ETag": 'W/"1"'}, etag=False), Step(data=OTHER)],
        [Step(cut=MB), Step(status=416), Step(data=OTHER)],
    ],
)
def test_two_files_are_never_spliced(tmp_path: Path, steps: Sequence[Step]) -> None:
    with flaky(DATA, *steps) as storage:
        fetch(storage, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == OTHER


def test_a_wrong_range_of_the_same_file_is_not_taken(tmp_path: Path) -> None:
    with flaky(DATA, Step(cut=MB), Step(shift=7)) as storage:
        fetch(storage, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == DATA
    assert storage.ranges == [None, f"bytes={MB}-", None]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_storage_in_trouble_is_asked_again(tmp_path: Path, status: int) -> None:
    with flaky(DATA, Step(status=status), Step(status=status)) as storage:
        fetch(storage, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == DATA
    assert len(storage.requests) == 3


def test_a_storage_that_stays_in_trouble_is_given_up_with_the_reason(tmp_path: Path) -> None:
    with flaky(DATA, *[Step(status=503)] * 9) as storage:
        error = unreachable(storage, tmp_path / "film")
    assert (error.again, error.code, len(storage.requests)) == (True, "VideoDownloadFailed", 5)
    assert error.message == "The storage answers 503, 5 times in a row; nothing of the video has arrived."


def test_a_storage_that_dies_each_time_is_given_up_with_what_has_arrived(tmp_path: Path) -> None:
    with flaky(DATA, *[Step(cut=1000)] * 9) as storage:
        error = unreachable(storage, tmp_path / "film")
    assert "broke the connection, 5 times in a row; 5000 of 3000000 bytes" in error.message
    assert error.again


def test_progress_gives_new_tries(tmp_path: Path) -> None:
    data = os.urandom(40 * MB)
    with flaky(data, *[Step(cut=5 * MB)] * 7) as storage:
        fetch(storage, tmp_path / "film", FetchLimits(pause=0.01, tries=2))
    assert (tmp_path / "film").read_bytes() == data
    assert len(storage.requests) == 8


def test_silence_ends_an_attempt_and_time_does_not(tmp_path: Path) -> None:
    with flaky(DATA, Step(cut=MB, silent=True)) as storage:
        fetch(storage, tmp_path / "film", FetchLimits(pause=0.01, silence=0.3))
        assert (tmp_path / "film").read_bytes() == DATA
        assert storage.ranges[1] == f"bytes={MB}-"
        storage.steps += [Step(cut=MB, silent=True)] * 2
        error = unreachable(storage, tmp_path / "film2", FetchLimits(pause=0.01, silence=0.3, tries=2))
    assert "went silent, 2 times in a row" in error.message


def test_nobody_there(tmp_path: Path) -> None:
    with flaky(DATA) as storage:
        pass
    error = unreachable(storage, tmp_path / "film", FetchLimits(pause=0.01, tries=2))
    assert error.message.startswith("The storage cannot be reached, 2 times")
    assert error.again


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (403, "", "lacks the read permission", "VideoAccessDenied"),
        (401, "", "the SAS is expired", "VideoAccessDenied"),
        (403, "AuthenticationFailed", "signed with another key", "VideoAccessDenied"),
        (403, "AuthorizationPermissionMismatch", "lacks the read permission (sp=r)", "VideoAccessDenied"),
        (409, "PublicAccessNotPermitted", "needs a SAS", "VideoAccessDenied"),
        (404, "BlobNotFound", "(404, BlobNotFound)", "VideoNotFound"),
        (404, "ContainerNotFound", "no such container", "VideoNotFound"),
        (404, "<script>alert(1)</script>", "no such video (404).", "VideoNotFound"),
        (410, "", "no such video", "VideoNotFound"),
        (400, "InvalidUri", "(400, InvalidUri)", "VideoUrlNotAccessible"),
        (304, "", "(304)", "VideoUrlNotAccessible"),
    ],
)
def test_a_refusal_is_final_and_says_why(
    tmp_path: Path, status: int, code: str, message: str, expected: str
) -> None:
    headers = {"x-ms-error-code": code} if code else {}
    with flaky(DATA, Step(status=status, headers=headers)) as storage:
        error = unreachable(storage, tmp_path / "film")
    assert message in error.message
    assert (error.code, error.again, len(storage.requests)) == (expected, False, 1)


def test_without_a_signature_a_refusal_asks_for_one(tmp_path: Path) -> None:
    with flaky(DATA, Step(status=403)) as storage, pytest.raises(VideoUnreachable, match="needs a SAS"):
        fetch(storage, tmp_path / "film", path="/film.mp4")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_too_large(tmp_path: Path, chunked: bool) -> None:
    with flaky(DATA, Step(chunked=chunked)) as storage:
        error = invalid(storage, tmp_path / "film", FetchLimits(max_bytes=2 * MB))
    assert (error.code, len(storage.requests)) == ("VideoTooLarge", 1)
    assert "at most 2 MB are taken" in error.message


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with flaky(DATA) as storage:
        error = invalid(storage, tmp_path / "film", FetchLimits(keep_free=1 << 60))
    assert error.code == "DiskFull"
    assert "needs 3 MB more" in error.message
    assert (tmp_path / "film.part").stat().st_size == 0


def test_a_disk_that_fills_up_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "film.part").symlink_to("/dev/full")  # every write: no space left on device
    with flaky(DATA) as storage:
        error = invalid(storage, tmp_path / "film")
    assert error.code == "DiskFull"
    assert files(tmp_path / "film") == []


class Stopped(Exception):
    pass


def test_work_that_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    """As when the process is killed: another fetcher finds what is there."""

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Stopped

    with flaky(DATA) as storage:
        with pytest.raises(Stopped):
            fetch(storage, tmp_path / "film", progress=stop)
        there = (tmp_path / "film.part").stat().st_size
        assert MB < there < len(DATA)
        fetch(storage, tmp_path / "film")
    assert storage.ranges == [None, f"bytes={there}-"]
    assert (tmp_path / "film").read_bytes() == DATA
    assert files(tmp_path / "film") == ["film"]


def test_what_was_complete_but_for_its_name_is_not_fetched_again(tmp_path: Path) -> None:
    def stop(fraction: float) -> None:
        if fraction == 1:
            raise Stopped

    with flaky(DATA) as storage:
        with pytest.raises(Stopped):
            fetch(storage, tmp_path / "film", progress=stop)
        fetch(storage, tmp_path / "film")
    assert len(storage.requests) == 1
    assert (tmp_path / "film").read_bytes() == DATA


def test_work_can_be_stopped_in_a_pause(tmp_path: Path) -> None:
    heard: list[float] = []

    def stop(fraction: float) -> None:
        heard.append(fraction)
        if len(heard) == 3:
            raise Stopped

    with flaky(DATA, Step(status=503, headers={"Retry-After": "25"})) as storage, pytest.raises(Stopped):
        fetch(storage, tmp_path / "film", progress=stop)
    assert heard == [0, 0, 0]


@pytest.mark.parametrize("note", [b"", b"{}", b'{"etag":"\\"1\\"","total":"x"}', b"\xff"])
def test_a_damaged_note_means_from_the_start(tmp_path: Path, note: bytes) -> None:
    (tmp_path / "film.part").write_bytes(b"old bytes")
    (tmp_path / "film.part.json").write_bytes(note)
    with flaky(DATA) as storage:
        fetch(storage, tmp_path / "film")
    assert storage.ranges == [None]
    assert (tmp_path / "film").read_bytes() == DATA


def test_redirects_are_judged_like_first_addresses(tmp_path: Path) -> None:
    with flaky(DATA) as hidden:
        location = {"Location": f"{hidden.url}/film.mp4"}
        with flaky(DATA, Step(status=302, headers=location)) as storage:
            error = unreachable(storage, tmp_path / "film")
            assert "FOVEAL_ALLOW_HOSTS" in error.message
            assert hidden.requests == []
            storage.steps.append(Step(status=307, headers={"Location": "/elsewhere.mp4"}))
            fetch(storage, tmp_path / "film")
    assert (tmp_path / "film").read_bytes() == DATA


def test_signatures_are_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), flaky(DATA, *[Step(status=503)] * 5) as storage:
        unreachable(storage, tmp_path / "film")
    assert "film.mp4?…" in caplog.text
    assert "SECRET" not in caplog.text

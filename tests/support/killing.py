"""Ends its own process, as `kill -9` does, at the n-th event of an ingestion.

    python -m tests.support.killing FOLDER FIRST LAST

For every n from FIRST to LAST: a process works on a fresh data directory and ends at event n, another one
goes on in the same directory until nothing is left to do. An event is the begin or the end of any call that
leaves something behind: fetching, looking, listening, blobs, vectors, SQL. Prints one line of JSON for each
n: whether the first process was ended, and what is there afterwards.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.finding import near
from tests.support.ingesting import World, make_world
from tests.support.metering import read_all

from foveal.video.ingest.jobs import Jobs
from foveal.video.library import VideoLibrary

WATCHED = {
    "begin", "publish", "fetch", "probe", "sample", "look", "sound", "transcribe", "embed", "put", "replace",
    "remove", "rename",
}  # fmt: skip


class Countdown:
    """Kills the process when it has been told `left` events."""

    def __init__(self, left: int) -> None:
        self._left = left

    def tick(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """Stands for `inner`; tells the countdown when a watched call begins and when it ends."""

    def __init__(self, inner: Any, countdown: Countdown) -> None:
        self._inner = inner
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in WATCHED:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._countdown.tick()
            result = found(*args, **kwargs)
            self._countdown.tick()
            return result

        return call


def watch(world: World, countdown: Countdown) -> None:
    """Put the countdown around everything that the ingestion calls."""
    old = world.ingesting
    vectors = Watched(world.vectors, countdown)
    worksheet: Any = Watched(old.worksheet, countdown)
    study = replace(
        old.study,
        decoder=Watched(old.study.decoder, countdown),
        looker=Watched(old.study.looker, countdown),
        transcriber=Watched(old.study.transcriber, countdown),
        embedder=Watched(old.study.embedder, countdown),
    )
    publisher = replace(
        old.publisher, worksheet=worksheet, blobs=Watched(world.blobs, countdown), vectors=lambda: vectors
    )
    world.ingesting = replace(
        old,
        worksheet=worksheet,
        fetcher=Watched(old.fetcher, countdown),
        study=study,
        publisher=publisher,
    )


def work(data: Path, left: int | None) -> None:
    """Work on everything that is unfinished; `left` events until the end of the process (None: no end)."""
    world = make_world(data)
    if left is not None:
        watch(world, Countdown(left))
    jobs = Jobs(world.ingesting, data, tick=0.1)
    jobs.start()
    world.finish()
    jobs.close()
    world.close()


def in_a_child(data: Path, left: int | None) -> int:
    """The signal that ended the child, 0 when it ended by itself."""
    child = os.fork()
    if child == 0:
        try:
            work(data, left)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    if os.WEXITSTATUS(status):
        raise SystemExit(f"the child failed with {os.WEXITSTATUS(status)}")
    return 0


def look(data: Path, ingestion: int, index: int) -> dict[str, Any]:
    """What is there."""
    world = make_world(data)
    world.ingesting.sweep()  # as every process does when it starts
    library = VideoLibrary(world.database, world.blobs)
    query = world.ingesting.study.embedder.embed(["a grey picture"])[0]
    hits = near(world.vectors, index, query, kinds=("frame", "speech"), documents=None, limit=1000)
    record = library.record(world.key("a"))
    counted = Counter((hit.document, hit.kind, hit.number) for hit in hits)
    found = {
        "states": world.states(ingestion),
        "published": world.published(),
        "frames": [frame.at for frame in record.frames],
        "scenes": sorted({frame.scene for frame in record.frames}),
        "speech": [segment.text for segment in record.speech or ()],
        "rows": len(hits),
        "doubled": sum(times > 1 for times in counted.values()),
        "blobs": len(world.blobs.list("documents/")),
        "work": len(list((data / "work").glob("*"))),
        "billed": [[row.requests, row.units] for row in read_all(world.database, by="kind").rows],
    }
    world.close()
    return found


def prepare(data: Path) -> tuple[int, int]:
    world = make_world(data)
    index = world.index()
    ingestion = world.ingestion(index, ("add", "a"), ("update", "a"))
    world.close()
    return ingestion, index


def main(folder: Path, first: int, last: int) -> None:
    importlib.import_module("dbos")  # once, before the processes part
    for number in range(first, last + 1):
        data = folder / str(number)
        child = os.fork()  # libraries that start threads must not be used before a fork
        if child == 0:
            rows = prepare(data)
            (data / "rows.json").write_text(json.dumps(rows))
            os._exit(0)
        os.waitpid(child, 0)
        ingestion, index = json.loads((data / "rows.json").read_text())
        killed = in_a_child(data, number) == signal.SIGKILL
        if killed:
            in_a_child(data, None)
        child = os.fork()
        if child == 0:
            found = {"event": number, "killed": killed, **look(data, ingestion, index)}
            print(json.dumps(found), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        if not killed:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

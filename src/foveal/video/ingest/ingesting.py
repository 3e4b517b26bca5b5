"""What is done with one video of an ingestion, as steps that may each be repeated.

A step writes only below the document's own work folder and blobs, and writes the same again when it is
repeated; what it returns is small, holds no secret, and is remembered by the runner of the steps. So a
process may end at any moment: whoever goes on takes the finished steps from the runner's memory and repeats
the one that was cut. Nobody sees a document before `publish`, which is one transaction.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from foveal.errors import FovealError
from foveal.video.ingest.publishing import Publisher
from foveal.video.ingest.shards import WorkFolder
from foveal.video.ingest.studying import Part, Study
from foveal.video.ingest.worksheet import Cancelled, Task, Waiting, Worksheet
from foveal.video.work import Source, VideoFetcher

log = logging.getLogger(__name__)

Outcome = dict[str, Any]


class Steps(Protocol):
    """Runs steps by name and remembers what they returned, over the end of the process."""

    def run(self, name: str, work: Callable[[], Outcome]) -> Outcome: ...


class Direct:
    """`Steps` that remembers nothing."""

    def run(self, name: str, work: Callable[[], Outcome]) -> Outcome:
        return work()


class _Ended(Exception):
    """A step ended the work: with a reason to show, or because it was cancelled (no reason)."""

    def __init__(self, code: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Ingesting:
    """The work on videos. `work` holds a folder for each document while it is made; `minutes` is told the
    length of each video that was added.
    """

    worksheet: Worksheet
    fetcher: VideoFetcher
    study: Study
    publisher: Publisher
    work: Path
    minutes: Callable[[float], None]

    def run(self, video: Waiting, steps: Steps) -> str:
        """Do all of it; returns how it ended: succeeded, failed, cancelled, or gone."""
        begun = _Run(self, video, steps)
        try:
            return begun.work()
        except _Ended as reason:
            steps.run("end", partial(self._end, video, reason))
            return "cancelled" if reason.code is None else "failed"

    def abandon(self, video: Waiting) -> None:
        """End a video that the process could not live with."""
        message = "The work on this video ended the server several times; it is given up."
        self._end(video, _Ended("ProcessEnded", message))

    def sweep(self) -> None:
        """Free what no row speaks of any more: of removed documents, and of attempts that were given up."""
        self.publisher.sweep()
        found = list(self.work.iterdir()) if self.work.is_dir() else []
        making = {str(key) for key in self.worksheet.unpublished()}
        for place in found:
            if place.name not in making:
                WorkFolder(place).remove()

    def folder(self, document: int) -> WorkFolder:
        """Where the work on a document keeps its files."""
        return WorkFolder(self.work / str(document))

    def _end(self, video: Waiting, ended: _Ended) -> Outcome:
        """Forget everything that was made, then say why: a row that has ended has left nothing behind."""
        task = self.worksheet.find(video)
        if task is not None and task.document is not None:
            self.publisher.discard(task.index, [task.document])
            self.folder(task.document).remove()
        if ended.code is None:
            self.worksheet.cancelled(video)
        else:
            self.worksheet.fail(video, ended.code, ended.message)
        return {}


@dataclass(frozen=True, slots=True)
class _Run:
    house: Ingesting
    video: Waiting
    steps: Steps

    def work(self) -> str:
        begun = self._step("begin", self._begin)
        match begun.get("mode"):
            case "add":
                self._add(begun)
            case "update":
                self._step("update", self._update)
            case "remove":
                self._step("remove", self._remove)
            case _:
                return "gone"
        return "succeeded"

    def _begin(self) -> Outcome:
        task = self.house.worksheet.begin(self.video)
        if task is None:
            raise Cancelled
        return {"mode": task.mode, "document": task.document, "speech": task.wants_speech}

    def _add(self, begun: Outcome) -> None:
        study, folder = self.house.study, self.house.folder(begun["document"])
        self._step("fetch", partial(self._fetch, folder))
        info = self._step("probe", partial(study.probe, folder))
        frames: list[Outcome] = []
        for part in study.parts(info):
            frames.append(
                self._step(f"frames {part.number}", partial(self._look, folder, info, part, frames))
            )
        speech: list[Outcome] = []
        while begun["speech"] and study.goes_on(info, speech):
            speech.append(self._step(f"speech {len(speech)}", partial(self._listen, folder, info, speech)))
        counts = (len(frames), len(speech) if begun["speech"] else None)
        self._step("publish", partial(self._publish, folder, info, counts))
        self._step("clean", partial(self._clean, folder))

    def _look(self, folder: WorkFolder, info: Outcome, part: Part, before: Sequence[Outcome]) -> Outcome:
        last = before[-1] if before else None
        return self.house.study.look(self._task(), folder, info, part, last, self._report)

    def _listen(self, folder: WorkFolder, info: Outcome, before: Sequence[Outcome]) -> Outcome:
        return self.house.study.listen(self._task(), folder, info, before, self._report)

    def _fetch(self, folder: WorkFolder) -> Outcome:
        task = self._task()
        managed = str(task.options.get("documentAuthenticationKind", "")).lower() == "managedidentity"
        source = Source(task.url, task.resource, managed)
        self.house.fetcher.fetch(source, folder.video, self.house.study.pace(task, self._report).fetching())
        return {}

    def _publish(self, folder: WorkFolder, info: Outcome, counts: tuple[int, int | None]) -> Outcome:
        task = self._task()
        self.house.study.pace(task, self._report).publishing()
        self.house.publisher.publish(task, folder, info, *counts)
        self.house.minutes(info["duration"] / 60)
        return {}

    def _clean(self, folder: WorkFolder) -> Outcome:
        folder.remove()
        return {}

    def _update(self) -> Outcome:
        self.house.worksheet.rename(self._task())
        return {}

    def _remove(self) -> Outcome:
        task = self._task()
        key = self.house.worksheet.remove(task)
        self.house.publisher.discard(task.index, [key])
        return {}

    def _task(self) -> Task:
        task = self.house.worksheet.task(self.video)
        if task is None:
            raise Cancelled
        return task

    def _report(self, task: Task, step: str, progress: float) -> None:
        self.house.worksheet.report(task, step, progress)

    def _step(self, name: str, work: Callable[[], Outcome]) -> Outcome:
        outcome = self.steps.run(name, lambda: _outcome(work))
        if "ended" in outcome:
            raise _Ended(outcome["ended"], outcome["message"])
        return outcome


def _outcome(work: Callable[[], Outcome]) -> Outcome:
    """What a step returned, or why it ended the work, in a form that can be remembered."""
    try:
        return work()
    except Cancelled:
        return {"ended": None, "message": ""}
    except FovealError as error:
        return {"ended": error.code or "InvalidVideo", "message": error.message}
    except Exception:
        number = uuid.uuid4().hex[:12]
        log.exception("ingestion error %s", number)
        return {
            "ended": "InternalServerError",
            "message": f"An unexpected error was encountered; the server's log has it under {number}.",
        }

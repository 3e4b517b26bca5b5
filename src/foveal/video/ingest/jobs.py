"""Ingestions as durable workflows: what was begun is finished, whatever happens to the process.

The rows of `ingestion_videos` are the queue. One process of a data directory, the one that holds the lock
`worker.lock`, gives them to DBOS one by one, which remembers each finished step in `jobs.db`; after a crash
the next process that takes the lock goes on from there. A process without work never loads DBOS.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from foveal.video.ingest.ingesting import Ingesting, Outcome
from foveal.video.ingest.memory import give_back
from foveal.video.ingest.worksheet import Waiting

log = logging.getLogger(__name__)

# Changes when the steps of the workflow do: what an older Foveal began is then begun anew.
STEPS_VERSION = "1"
TICK = 1.0  # seconds between two looks at the rows, which other processes write too
AT_HAND = 16  # videos that are handed to DBOS ahead of their turn
ATTEMPTS = 20  # ends of the process while it works on one video, until that video is given up
_QUEUE = "ingestions"
_DEAD = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Stopped(BaseException):
    """This process is ending: the work is left as it is, for whoever goes on."""


class Jobs:
    """`IngestionQueue` over a data directory. `at_once` videos are worked on side by side; `sweeps` free what
    else nobody needs.
    """

    def __init__(
        self,
        ingesting: Ingesting,
        data: Path,
        *,
        at_once: int = 1,
        tick: float = TICK,
        sweeps: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._ingesting = ingesting
        self._data = data
        self._at_once = at_once
        self._tick = tick
        self._sweeps = (ingesting.sweep, *sweeps)
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._supervisor: threading.Thread | None = None
        self._sweeper = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sweep")
        self._lock = FileLock(data / "worker.lock", thread_local=False)
        self._dbos: _Workflows | None = None

    def start(self) -> None:
        """Free what nobody needs, then work on what is unfinished, whichever process asked for it, until
        `close`.
        """
        for sweep in self._sweeps:
            self._sweeper.submit(self._guarded, sweep)
        self._supervisor = threading.Thread(target=self._supervise, name="ingestions", daemon=True)
        self._supervisor.start()

    def sweep(self) -> None:
        """Free, before this returns, what stands outside SQL and is of nobody: a resource was removed."""
        for sweep in self._sweeps:
            sweep()

    def submit(self, ingestion: int) -> None:
        self.wake()

    def cancel(self, ingestion: int) -> None:
        self._ingesting.worksheet.cancel(ingestion)
        self.wake()

    def discard(self, index: int, documents: Sequence[int]) -> None:
        keys = list(documents)
        self._sweeper.submit(self._guarded, lambda: self._free(index, keys))

    def wake(self) -> None:
        """Look at the rows now. Nothing happens in a process that does not work (`start`)."""
        self._awake.set()

    def close(self) -> None:
        """Leave the work as it is; the next process goes on with it."""
        self._stopping.set()
        self._awake.set()
        if self._supervisor is not None:
            self._supervisor.join()
        self._sweeper.shutdown(wait=True, cancel_futures=True)

    def _supervise(self) -> None:
        try:
            while not self._stopping.is_set():
                self._awake.clear()
                self._guarded(self._dispatch)
                self._awake.wait(self._tick)
        finally:
            if self._dbos is not None:
                self._dbos.close()
                self._lock.release()

    def _dispatch(self) -> None:
        unfinished = self._ingesting.worksheet.unfinished()
        if not unfinished:
            return
        if self._dbos is None:
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return  # another process works, on this too
            self._dbos = _Workflows(self._work, self._data, self._at_once)
        for video in unfinished[:AT_HAND]:
            if self._dbos.begin(video) in _DEAD:
                self._ingesting.abandon(video)

    def _work(self, video: Waiting, run_step: Callable[[str, Callable[[], Outcome]], Outcome]) -> str:
        return self._ingesting.run(video, _Remembered(run_step, self._stopping))

    def _free(self, index: int, documents: Sequence[int]) -> None:
        publisher = self._ingesting.publisher
        if index in self._ingesting.worksheet.indexes():
            publisher.discard(index, documents)
        else:
            self._ingesting.sweep()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("work on ingestions failed; it is tried again")


class _Remembered:
    """`Steps` whose memory is DBOS's. Nothing is begun any more once the process is ending."""

    def __init__(
        self, run_step: Callable[[str, Callable[[], Outcome]], Outcome], stopping: threading.Event
    ) -> None:
        self._run_step = run_step
        self._stopping = stopping

    def run(self, name: str, work: Callable[[], Outcome]) -> Outcome:
        return self._run_step(name, lambda: self._unless_stopping(work))

    def _unless_stopping(self, work: Callable[[], Outcome]) -> Outcome:
        if self._stopping.is_set():
            raise Stopped
        outcome = work()
        give_back()
        if self._stopping.is_set():
            raise Stopped
        return outcome


class _Workflows:
    """DBOS, which there is once in a process, with the one workflow that Foveal has."""

    def __init__(self, work: Callable[..., str], data: Path, at_once: int) -> None:
        # Imported here: it takes more than a second, and most processes never ingest a video.
        from dbos import DBOS

        def ingest(ingestion: int, position: int, batch: str) -> str:
            return work(Waiting(ingestion, position, batch), _run_step)

        def _run_step(name: str, step: Callable[[], Outcome]) -> Outcome:
            return DBOS.run_step({"name": name}, step)

        self._dbos: Any = DBOS
        DBOS(
            config={
                "name": "foveal",
                "system_database_url": f"sqlite:///{data / 'jobs.db'}",
                "application_version": STEPS_VERSION,
                "executor_id": "local",
                "log_level": "CRITICAL",  # what goes wrong is logged here, with its reason
                "enable_otlp": False,
            }
        )
        self._ingest = DBOS.workflow(name="ingest", max_recovery_attempts=ATTEMPTS)(ingest)
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE, worker_concurrency=at_once, polling_interval_sec=0.25, on_conflict="always_update"
        )
        (data / "jobs.db").chmod(0o600)
        self._begun: set[str] = set()

    def begin(self, video: Waiting) -> str:
        """Hand a video over, once; returns what has become of it."""
        from dbos import SetWorkflowID

        name = f"{video.batch}-{video.position}-v{STEPS_VERSION}"
        if name not in self._begun:
            self._begun.add(name)
            with SetWorkflowID(name):
                self._dbos.enqueue_workflow(
                    _QUEUE, self._ingest, video.ingestion, video.position, video.batch
                )
        status = self._dbos.get_workflow_status(name)
        return "" if status is None else str(status.status)

    def close(self) -> None:
        self._dbos.destroy(destroy_registry=True)

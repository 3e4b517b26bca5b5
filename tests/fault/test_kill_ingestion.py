"""The process ends at every step of an ingestion; the next one finishes it, nothing doubled, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
SIDE_BY_SIDE = 4  # processes that try events at once; they mostly wait
MOST = 60  # events of one ingestion, more than there are

WHOLE = {
    "states": ["succeeded", "succeeded"],
    "published": ["a"],
    "frames": [float(at) for at in range(0, 25, 2)],
    "scenes": [0, 1, 2],
    "speech": ["it is second 0", "it is second 10", "it is second 20"],
    "rows": 13 + 3,
    "doubled": 0,
    "blobs": 2 * 13 + 1,
    "work": 0,
    "billed": [[1, {"video_minutes": 0.416667}]],  # of 25 seconds, kept in millionths
}


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What was there after the process had ended at each event and another had gone on."""
    share = MOST // SIDE_BY_SIDE
    runs = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.killing",
                str(tmp_path_factory.mktemp("data")),
                str(1 + part * share),
                str((part + 1) * share),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in range(SIDE_BY_SIDE)
    ]
    lines = [line for run in runs for line in run.communicate(timeout=300)[0].splitlines()]
    assert all(run.returncode == 0 for run in runs)
    return sorted((json.loads(line) for line in lines), key=lambda one: int(one["event"]))


def test_every_event_was_tried(tried: list[dict[str, Any]]) -> None:
    killed = [one["event"] for one in tried if one["killed"]]
    assert killed == list(range(1, len(killed) + 1))
    assert len(killed) >= 30
    assert any(not one["killed"] for one in tried), "more events than were tried"


def test_whatever_was_cut_is_finished_once(tried: list[dict[str, Any]]) -> None:
    for one in tried:
        assert {key: one[key] for key in WHOLE} == WHOLE, f"after event {one['event']}"

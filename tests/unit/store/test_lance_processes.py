"""Vectors in LanceDB under several processes, one of which is killed in the middle of its writes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
from tests.support.finding import near

from foveal.store.lance import LanceVectorStore
from foveal.store.lance_tending import Tending
from foveal.store.vectors import VectorHit, VectorRow

SIDE = 8
ROWS = 50
WRITER = f"""
import sys
import numpy as np
from foveal.store.lance import LanceVectorStore
from foveal.store.lance_tending import Tending
from foveal.store.vectors import VectorRow

store = LanceVectorStore(sys.argv[1], {SIDE}, tending=Tending(indexed=100, fragments=3))
vector = np.ones({SIDE}, np.float32) / {SIDE} ** 0.5
turn = 0
while True:
    turn += 1
    store.replace(1, 5, [VectorRow(5, "frame", n, n, n, n, f"turn {{turn}}", vector) for n in range({ROWS})])
    print(turn, flush=True)
"""


def vector() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.ones(SIDE, np.float32) / np.float32(SIDE**0.5)


def found(store: LanceVectorStore) -> list[VectorHit]:
    return near(store, 1, vector(), kinds=["frame"], documents={5}, limit=1_000)


def whole(hits: list[VectorHit]) -> bool:
    """Every row once, all of one write."""
    return len({hit.text for hit in hits}) == 1 and sorted(hit.number for hit in hits) == list(range(ROWS))


def test_a_reader_never_sees_half_a_write_nor_does_a_kill_leave_one(tmp_path: Path) -> None:
    store = LanceVectorStore(tmp_path, SIDE, tending=Tending(background=False))
    store.replace(1, 4, [VectorRow(4, "frame", 0, 0, 0, 0, "other", vector())])
    seen: Counter[bool] = Counter()
    for lines in (3, 7, 5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                assert writer.stdout.readline().strip()
                seen[whole(found(store))] += 1
            writer.send_signal(signal.SIGKILL)  # the next write has begun
        seen[whole(found(store))] += 1
    assert seen == {True: 18}
    assert store.documents(1) == {4, 5}
    store.tend(1)
    assert whole(found(store))


def test_writers_of_different_documents_do_not_lose_each_others_rows(tmp_path: Path) -> None:
    stores = [LanceVectorStore(tmp_path, SIDE, tending=Tending(indexed=200, fragments=4)) for _ in range(3)]
    stores[0].replace(1, 999, [])
    failed: list[Exception] = []

    def write(place: int) -> None:
        try:
            for turn in range(6):
                document = 10 * place + turn
                made = [VectorRow(document, "frame", n, n, n, n, "", vector()) for n in range(ROWS)]
                stores[place].replace(1, document, made)
                stores[place].replace(1, document, made)
                if turn % 3 == 2:
                    stores[place].remove(1, [document])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert failed == []
    left = {10 * place + turn for place in range(3) for turn in range(6) if turn % 3 != 2}
    assert stores[1].documents(1) == left
    hits = near(stores[2], 1, vector(), kinds=["frame"], documents=None, limit=10_000)
    assert Counter(hit.document for hit in hits) == dict.fromkeys(left, ROWS)

"""What metering costs a request, how fast the ledger gets into SQL, and how fast usage is read.

  python bench/metering.py [--entries 20000] [--rows 1000000]

settle    one entry: built, encoded, written to the journal; alone, and with three budgets that cover it
admit     the check of three budgets before a request
end       entries settled and moved into SQLite while they are settled: a second, all of it
move      the same entries from the journal into SQLite, alone
size      of the database, per entry of a ledger of a million
usage     `foveal usage` over a ledger of a million rows: read and priced, and the whole command
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from foveal.metering.base import Entry, Kind
from foveal.metering.budgets import Budget, set_budget
from foveal.metering.prices import load_prices
from foveal.metering.rows import write_entries
from foveal.metering.service import Metering
from foveal.metering.usage import GROUPS, UsageQuery, read_usage
from foveal.resources.accounts import open_accounts
from foveal.store.database import FILE_NAME, open_database

UNITS = {"input_tokens": 1156, "output_tokens": 80, "ocr": 1, "grounding": 1}
DAY = 86_400_000_000
START = 1_712_620_800_000_000  # 2024-04-09


def settle(metering: Metering) -> None:
    metering.settle("local", "key1", "chat", "answered", UNITS, "gpt-4v")


def median_micros(call: Callable[[], None], times: int) -> tuple[float, float]:
    """Median and 99th percentile."""
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        call()
        taken.append((time.perf_counter() - before) * 1e6)
    taken.sort()
    return statistics.median(taken), taken[int(len(taken) * 0.99)]


def on_the_path(folder: Path, entries: int) -> None:
    for budgets in (0, 3):
        data = folder / f"path-{budgets}"
        database = open_database(data)
        open_accounts(database, operator_key="k" * 32, engine="echo", strict=False)
        for number in range(budgets):
            set_budget(database, Budget(f"b{number}", Decimal(10) ** 9, "month", "local"))
        metering = Metering(database, data, load_prices())
        metering.start()
        middle, high = median_micros(partial(settle, metering), entries)
        print(f"settle  {budgets} budgets: median {middle:.1f} µs, p99 {high:.1f} µs")
        middle, high = median_micros(partial(metering.admit, "local", "gpt-4v"), entries)
        print(f"admit   {budgets} budgets: median {middle:.2f} µs, p99 {high:.2f} µs")
        metering.close()
        database.dispose()


def into_sql(folder: Path, entries: int) -> None:
    for name in ("end", "move"):
        data = folder / name
        database = open_database(data)
        metering = Metering(database, data, load_prices())
        if name == "end":
            metering.ledger.start()
        before = time.perf_counter()
        for _ in range(entries):
            settle(metering)
        if name == "move":
            before = time.perf_counter()
        metering.close()
        print(f"{name:<7} {entries / (time.perf_counter() - before):,.0f} entries/s")
        database.dispose()


def fill(database: Engine, rows: int) -> None:
    """A ledger of 90 days, 3 resources with 4 deployments and 2 keys, chat and the rest."""
    chance = random.Random(7)
    kinds: list[Kind] = ["chat", "chat", "chat", "query", "analysis"]
    numbers = iter(range(rows))
    while part := list(itertools.islice(numbers, 20_000)):
        entries = []
        for number in part:
            at = START + chance.randrange(90 * DAY)
            kind = chance.choice(kinds)
            entries.append(
                Entry(
                    f"{at:014x}-0123456789ab-{number:x}",
                    at,
                    f"resource-{chance.randrange(3)}",
                    f"deployment-{chance.randrange(4)}" if kind == "chat" else None,
                    f"key{chance.randrange(1, 3)}",
                    kind,
                    "answered" if chance.random() < 0.95 else "filtered",
                    UNITS if kind == "chat" else {"video_queries": 1},
                )
            )
        with database.begin() as connection:
            write_entries(connection, entries)


def reading(folder: Path, rows: int) -> None:
    database = open_database(folder / "usage")
    fill(database, rows)
    size = (folder / "usage" / FILE_NAME).stat().st_size
    print(f"size    {size / rows:.0f} bytes an entry")
    for by in GROUPS:
        taken = []
        for _ in range(5):
            before = time.perf_counter()
            report = read_usage(database, load_prices(), UsageQuery(by))
            taken.append(time.perf_counter() - before)
        middle = statistics.median(taken) * 1000
        print(
            f"usage   by {by}: {middle:.0f} ms, {report.total.requests:,} requests, {len(report.rows)} rows"
        )
    database.dispose()
    command = [sys.executable, "-m", "foveal", "usage", "--csv", "--data", str(folder / "usage")]
    for by in GROUPS:
        spans = []
        for _ in range(3):
            before, worked = time.perf_counter(), _worked()
            subprocess.run([*command, "--by", by], check=True, capture_output=True, env=os.environ)
            spans.append((time.perf_counter() - before, _worked() - worked))
        wall, cpu = (statistics.median(column) for column in zip(*spans, strict=True))
        print(f"command foveal usage --by {by}: {wall:.2f} s, {cpu:.2f} s of a core")


def _worked() -> float:
    """Seconds of a core that children took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        on_the_path(Path(folder), given.entries)
        into_sql(Path(folder), given.entries)
        reading(Path(folder), given.rows)


if __name__ == "__main__":
    main()

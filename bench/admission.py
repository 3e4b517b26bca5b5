"""What the way of a request costs before and after its work: the key, the deployment, the limits, the ledger.

    python bench/admission.py [--requests 5000]

In process, one thread, over a data directory as `foveal serve` has it: medians in microseconds of each part
and of all of them together. Aim: 150 for all.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from foveal.metering.prices import load_prices
from foveal.metering.service import Metering
from foveal.resources.accounts import open_accounts
from foveal.resources.limits import Operation, RateLimits, Reservation
from foveal.resources.live import LiveAccounts
from foveal.store.database import open_database

KEY = "k" * 32
CHAT = Operation("ChatCompletions_Create", "2023-12-01-preview", "S0")


def measure(work: Callable[[], object], count: int) -> float:
    """The median of `count` calls in microseconds."""
    took = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return 1e6 * statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=5_000)
    count = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        database = open_database(data)
        open_accounts(database, operator_key=KEY, engine="echo", strict=False)
        accounts = LiveAccounts(database, engine="echo", strict=False)
        limits = RateLimits(data)
        metering = Metering(database, data, load_prices(None))
        metering.start()
        deployment = accounts.find("local", "gpt-4v")
        assert deployment is not None

        def admit() -> Reservation:
            return limits.reserve("local", deployment, 400, CHAT)

        def settle() -> None:
            units = {"input_tokens": 300.0, "output_tokens": 90.0, "ocr": 1.0}
            metering.settle("local", "key1", "chat", "answered", units, "gpt-4v")

        def everything() -> None:
            who = accounts.check(KEY)
            assert who is not None
            found = accounts.find(who.resource.name, "gpt-4v")
            assert found is not None
            metering.admit("local", "gpt-4v")
            reservation = admit()
            reservation.headers()
            limits.settle(reservation, 390)
            settle()

        parts: dict[str, Callable[[], object]] = {
            "key": lambda: accounts.check(KEY),
            "deployment": lambda: accounts.find("local", "gpt-4v"),
            "budgets": lambda: metering.admit("local", "gpt-4v"),
            "limit, reserved": admit,
            "ledger": settle,
            "all": everything,
        }
        everything()
        for name, work in parts.items():
            print(f"{name:<16} {measure(work, count):7.1f} µs", flush=True)
        metering.close()
        limits.close()
        database.dispose()


if __name__ == "__main__":
    main()

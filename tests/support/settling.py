"""Settles entries until it is killed, and says each one that is safe.

    python -m tests.support.settling FOLDER

Prints the number of an entry, in its `principal`, after `settle` has returned: unbuffered, so that what was
printed was acknowledged. The journal is moved into SQL all the while, as often as it can be.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from foveal.metering.prices import load_prices
from foveal.metering.service import Metering
from foveal.store.database import open_database


def main(data: Path) -> None:
    metering = Metering(open_database(data), data, load_prices())

    def move() -> None:
        while True:
            metering.ledger.flush()

    threading.Thread(target=move, daemon=True).start()
    number = 0
    while True:
        metering.settle("local", f"n{number}", "chat", "answered", {"input_tokens": 1})
        os.write(1, b"%d\n" % number)
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))

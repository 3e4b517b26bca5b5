"""The accounts as they are now: a change by any process is seen within a quarter of a second.

Keys are rotated, deployments made and upgraded and content filters changed without a restart.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Engine, select

from foveal.resources.accounts import Accounts, Principal, Resource, read_accounts
from foveal.resources.deployments import Deployment
from foveal.store.tables import account_changes

LOOKED = 0.25  # seconds after which is looked again whether anything changed


class LiveAccounts:
    """`KeyChecker` and `DeploymentTable`. `engine` and `strict` hold for the deployments that do not say.
    Thread-safe; most calls look at no file.
    """

    def __init__(
        self, database: Engine, *, engine: str, strict: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._engine = engine
        self._strict = strict
        self._clock = clock
        self._lock = threading.Lock()
        self._count = -1
        self._looked = float("-inf")
        self._accounts = Accounts({}, (), {})
        self.now()

    def now(self) -> Accounts:
        """A snapshot that is at most so old."""
        if self._clock() - self._looked < LOOKED:
            return self._accounts
        with self._lock:
            if self._clock() - self._looked >= LOOKED:
                self._look()
        return self._accounts

    def changed(self) -> None:
        """Look at the next call: this process has changed something."""
        self._looked = float("-inf")

    @property
    def resources(self) -> Mapping[str, Resource]:
        return self.now().resources

    def check(self, presented: str) -> Principal | None:
        return self.now().check(presented)

    def find(self, resource: str, name: str) -> Deployment | None:
        return self.now().find(resource, name)

    def all(self, resource: str) -> Sequence[Deployment]:
        return self.now().all(resource)

    def _look(self) -> None:
        with self._database.connect() as connection:
            count = connection.scalar(select(account_changes.c.count)) or 0
        if count != self._count:
            self._accounts = read_accounts(self._database, engine=self._engine, strict=self._strict)
            self._count = count
        self._looked = self._clock()

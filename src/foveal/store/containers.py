"""Whose uploaded media are whose: each resource has one container, of its own name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from foveal.store.tables import resources

FOLDER = "containers"


@dataclass(frozen=True, slots=True)
class Container:
    """`name` is the resource's as it is registered; `made`: when the resource was, in seconds since 1970."""

    name: str
    made: int

    @property
    def id(self) -> str:
        """Another one for a resource that is made after one of its name was removed."""
        return f"{self.name.lower()}-{self.made}"

    @property
    def folder(self) -> str:
        """Where its blobs stand."""
        return f"{FOLDER}/{self.id}"


class Containers:
    """Read anew each time: resources come and go while a server runs. All calls block; thread-safe."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def find(self, name: str) -> Container | None:
        """The container of this name, in any letter case."""
        query = select(resources.c.name, resources.c.created_at).where(
            func.lower(resources.c.name) == name.lower()
        )
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Container(row.name, row.created_at)

    def all(self) -> list[Container]:
        """In the order in which the resources were made."""
        query = select(resources.c.name, resources.c.created_at).order_by(
            resources.c.created_at, resources.c.name
        )
        with self._database.connect() as connection:
            return [Container(row.name, row.created_at) for row in connection.execute(query)]

    def gone(self, folders: Iterable[str]) -> set[str]:
        """Those of these folders of blobs that are of no container; what is there is read last."""
        found = set(folders)
        return found - {one.folder for one in self.all()}

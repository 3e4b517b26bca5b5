"""What `foveal models` shows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from foveal.models.catalogue import data_folder
from foveal.models.store import ModelStore, State


@dataclass(frozen=True, slots=True)
class Row:
    """One model of the catalogue and what there is of it. `path` is None unless it is usable."""

    name: str
    ability: str
    summary: str
    size: int
    licence: str
    publisher: str
    default: bool
    state: State
    source: str | None
    path: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def overview(store: ModelStore, *, again: bool = False) -> list[Row]:
    """Every entry in the order of the catalogue; `again` hashes every present file once more."""
    rows: list[Row] = []
    for entry in store.catalogue:
        state = store.state(entry.name, again=again)
        present = state == "present"
        rows.append(
            Row(
                name=entry.name,
                ability=entry.ability,
                summary=entry.summary,
                size=entry.size,
                licence=entry.licence,
                publisher=entry.publisher,
                default=entry.default,
                state=state,
                source=(store.source(entry.name) or "hand") if present else None,
                path=str(store.folder / entry.files[0].path) if present else None,
            )
        )
    return rows


def licence_text(store: ModelStore, name: str) -> str:
    """The licence of a model's weights, word for word."""
    return (data_folder() / "licences" / store.catalogue[name].licence_file).read_text(encoding="utf-8")

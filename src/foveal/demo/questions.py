"""The demo's questions about its bundled pictures and its clip."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Asked:
    """`picture` is a file name in `foveal/demo/pictures`, also that of a video; `enhancements` names those to
    turn on.
    """

    picture: str
    question: str
    enhancements: tuple[str, ...] = ()


def demo_questions() -> list[Asked]:
    text = (files("foveal.demo") / "questions.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["ask"]
    return [Asked(row["picture"], row["question"], tuple(row.get("enhancements", ()))) for row in rows]

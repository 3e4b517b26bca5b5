"""What no sentence of ours looks like and yet is sent all day: code, logs, tables, times, documentation.

All of it is this repository's own, and safe.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.content_filter.example import ALL_SAFE, Example

ROOT = Path(__file__).parents[2]
WEIGHT = 2.0
_CODE = 1_000  # lines
_PROSE = 1_500  # lines and sentences
_MADE = 600
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\s*\|\s*|\n")
_HANGUL = re.compile(r"[가-힣]")
# These speak of what the filter finds, or hold examples of it.
_LEFT_OUT = re.compile(r"content.filter|safety|moderat|profan|blocklist")


def plain_examples() -> list[Example]:
    chance = random.Random(7)
    prose = sorted({text for path in _files("*.md", "docs", ".") for text in _sentences(path)})
    code = sorted({text for path in _files("**/*.py", "src", "bench", "tests") for text in _lines(path)})
    asked = sorted({text for path in _files("**/*.toml", "src", "bench", "tests") for text in _strings(path)})
    made = [_made(chance) for _ in range(_MADE)]
    texts = [
        *chance.sample(prose, min(_PROSE, len(prose))),
        *chance.sample(code, min(_CODE, len(code))),
        *chance.sample(asked, min(_PROSE, len(asked))),
        *made,
    ]
    return [
        Example(text, dict(ALL_SAFE), False, "ko" if _HANGUL.search(text) else "en", "plain", text, WEIGHT)
        for text in dict.fromkeys(texts)
    ]


def _files(pattern: str, *folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).glob(pattern)):
            if not _LEFT_OUT.search(str(path.relative_to(ROOT))):
                yield path


def _sentences(path: Path) -> Iterator[str]:
    for text in _SENTENCE.split(path.read_text("utf-8")):
        if 2 < len(text.strip()) < 400 and not _LEFT_OUT.search(text.lower()):
            yield text.strip()


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        if 2 < len(line.strip()) < 200 and not _LEFT_OUT.search(line.lower()):
            yield line.strip()


def _strings(path: Path) -> Iterator[str]:
    """The texts of a data file: questions, names of things."""
    waiting: list[Any] = [tomllib.loads(path.read_text("utf-8"))]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and 2 < len(value.strip()) < 400:
            yield value.strip()


def _made(chance: random.Random) -> str:
    """A line as programs write them: times, sizes, numbers, paths, JSON."""
    number, small = chance.randrange(100_000), chance.randrange(60)
    name = chance.choice(("frame", "client", "page", "item", "user", "image", "answer", "step", "video"))
    return chance.choice(
        (
            f"{name.title()} at 00:{small:02}:{chance.randrange(60):02}.{number:07}:",
            f"A video of 00:{small:02}:{chance.randrange(60):02}; below is what it shows.",
            f"{name} {number}",
            f"{number} {name}s in {small} seconds",
            f"I am {small}",
            f"You said: {name} {small}",
            f"{chance.randrange(4000)}×{chance.randrange(4000)} (low), sha256 {number:08x}",
            f'{{"{name}": {number}, "at": {small}.{number}, "ok": true}}',
            f"2026-{small % 12 + 1:02}-{small % 28 + 1:02} {small % 24:02}:{small:02} INFO {name} done",
            f"/data/{name}s/{number}/{small}.jpg",
            f"{chance.choice('ABCDEFGH')}{small}: {number / 100:.2f} €",
            f"{name}, {name} {small} and {name} {small + 1}.",
            f"word word {name} word",
            " ".join(name for _ in range(small % 7 + 1)),
        )
    )

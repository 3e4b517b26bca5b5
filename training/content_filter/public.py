"""The labelled public sets, with their labels put into Azure's terms.

Their texts are offensive by nature: they are read here and never written anywhere. Licences and attribution
are in docs/content-filter.md. A file that is not in the folder is left out.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

from foveal.safety.base import Category, Severity
from training.content_filter.example import Example, Range

SAFE, LOW, MEDIUM, HIGH = Severity.SAFE, Severity.LOW, Severity.MEDIUM, Severity.HIGH
_OPENAI: dict[str, Category] = {"H": "hate", "SH": "self_harm", "S": "sexual", "V": "violence"}
_EVERY = 10  # of the tweets that are not hateful, one in so many teaches
_TWEET_NOISE = re.compile(r"https?://\S+|@\w+:?|\bRT\b|^!+")


def public_examples(folder: Path) -> list[Example]:
    found: list[Example] = []
    for name, read in (
        ("openai-moderation-eval-part.jsonl", _openai),
        ("davidson-labeled_data.csv", _davidson),
        ("korean-hate-speech-train.tsv", _korean),
        ("korean-hate-speech-dev.tsv", _korean),
    ):
        if (folder / name).is_file():
            found += read(folder / name)
    return found


def _openai(path: Path) -> Iterator[Example]:
    """1 is what a service should act upon: medium or high. 0 may still be low: a mild or fictional thing.
    A missing key is a category that nobody labelled.
    """
    with path.open(encoding="utf-8") as lines:
        for at, line in enumerate(lines):
            row = json.loads(line)
            known: dict[Category, Range] = {
                category: (MEDIUM, HIGH) if row[key] else (SAFE, LOW)
                for key, category in _OPENAI.items()
                if key in row
            }
            if row.get("H2"):
                known["hate"] = (HIGH, HIGH)
                known["violence"] = (LOW, HIGH)
            if row.get("HR") and "hate" in known:
                known["hate"] = (known["hate"][0], HIGH) if row.get("H") else (SAFE, LOW)
            yield Example(row["prompt"], known, None, "en", "openai", str(at), 4.0)


def _davidson(path: Path) -> Iterator[Example]:
    """ "Offensive" is mostly coarse talk: at most low in hate. What is neither says nothing of the others."""
    known: dict[str, dict[Category, Range]] = {
        "0": {"hate": (LOW, HIGH), "self_harm": (SAFE, SAFE)},
        "1": {"hate": (SAFE, LOW), "self_harm": (SAFE, SAFE)},
        "2": {"hate": (SAFE, LOW), "self_harm": (SAFE, SAFE), "sexual": (SAFE, LOW)},
    }
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            text = _TWEET_NOISE.sub(" ", html.unescape(row["tweet"])).strip()
            certain = int(row["hate_speech"]) / int(row["count"])
            told = dict(known[row["class"]])
            if row["class"] == "0" and certain > 0.9:
                told["hate"] = (MEDIUM, HIGH)
            weight = 0.8 if row["class"] == "0" else 0.2
            taught = row["class"] == "0" or int(row[""]) % _EVERY == 0
            yield Example(text, told, None, "en", "davidson", row[""], weight, taught)


def _korean(path: Path) -> Iterator[Example]:
    """ "Hate" against a group is medium or more; against one person it is an insult, low or more."""
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            biased = row["bias"] != "none"
            hate: Range = {
                "hate": (MEDIUM, HIGH) if biased else (LOW, MEDIUM),
                "offensive": (LOW, MEDIUM) if biased else (SAFE, LOW),
                "none": (SAFE, LOW) if biased else (SAFE, SAFE),
            }[row["hate"]]
            known: dict[Category, Range] = {"hate": hate, "self_harm": (SAFE, LOW)}
            if row["hate"] == "none":
                known |= {"sexual": (SAFE, LOW), "violence": (SAFE, LOW)}
            yield Example(row["comments"], known, None, "ko", "korean", row["comments"], 0.6)

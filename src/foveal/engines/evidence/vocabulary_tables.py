"""The vocabulary, put together from its data files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from foveal.engines.evidence.vocabulary import WORD, TagKind, Thing, Vocabulary, bare, pluralise

# Tag names that mean something else in everyday questions: never taken as a question's word for the
# tag.
AMBIGUOUS = frozenset(
    [
        "crane",
        "kite",
        "bow",
        "nail",
        "file",
        "hook",
        "jack",
        "rule",
        "switch",
        "safe",
        "ear",
        "hip",
        "plane",
        "racer",
        "mouse",
        "screen",
        "stage",
        "packet",
        "pick",
        "pole",
        "tick",
        "bubble",
        "wing",
        "pot",
        "slot",
        "scale",
        "vault",
        "brass",
        "groom",
        "drake",
        "admiral",
        "monarch",
        "tank",
        "suit",
        "chest",
        "organ",
        "upright",
        "coil",
        "iron",
        "brush",
        "reel",
        "kind",
        "chain",
        "block",
        "titi",
        "patas",
        "gar",
        "eft",
        "fly",
        "print",
        "buckle",
        "bell",
        "home",
        "knot",
        "mask",
        "throne",
        "seat",
        "mortar",
        "muzzle",
        "nipple",
        "velvet",
        "wreck",
        "hay",
        "ringlet",
        "boxer",
        "papillon",
        "cairn",
        "chow",
        "indri",
        "coho",
        "spindle",
        "torch",
        "shield",
        "whistle",
        "wool",
        "plate",
        "trifle",
        "amphibian",
        "sock",
    ]
)


def data_table(name: str) -> dict[str, Any]:
    """One TOML file of `data/`."""
    source = resources.files("foveal.engines.evidence").joinpath("data", f"{name}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


class _Builder:
    """Collects the tables into one vocabulary; the first owner of a word keeps it."""

    def __init__(self) -> None:
        self.english: dict[tuple[str, ...], tuple[Thing, bool]] = {}
        self.korean: dict[str, Thing] = {}
        self.objects: dict[str, Thing] = {}
        self.kinds: dict[str, TagKind] = {}

    def add(self, thing: Thing, words: Iterable[str], korean: Iterable[str] = ()) -> None:
        for word in words:
            self._word(word, thing, plural=False)
            self._word(pluralise(word), thing, plural=True)
        self._word(thing.plural, thing, plural=thing.plural != thing.singular)
        for name in korean:
            self.korean.setdefault(name, thing)

    def _word(self, text: str, thing: Thing, *, plural: bool) -> None:
        key = tuple(bare(word) for word in WORD.findall(text.lower()))
        if key:
            self.english.setdefault(key, (thing, plural))

    def load_objects(self, members: Mapping[str, list[str]]) -> None:
        for label, row in data_table("objects").items():
            thing = Thing(
                label,
                row.get("name", label),
                row.get("plural", pluralise(label)),
                row["ko"],
                row["unit"],
                (label,),
                tuple(members.get(label, ())),
            )
            self.objects[label] = thing
            self.add(thing, [label, *row.get("words", ())], [row["ko"], *row.get("ko_words", ())])
            self._narrower(thing, row.get("narrower", ()), row.get("ko_narrower", ()), "kind")

    def _narrower(self, thing: Thing, words: Iterable[str], korean: Iterable[str], adds: str) -> None:
        for word in words:
            narrow = replace(thing, adds=adds, said=word)
            self._word(word, narrow, plural=False)
            self._word(pluralise(word), narrow, plural=True)
        for name in korean:
            self.korean.setdefault(name, replace(thing, adds="종류" if adds == "kind" else adds, said=name))

    def load_people(self) -> None:
        person = self.objects["person"]
        people = data_table("people")
        for row in people["word"]:
            self._narrower(person, row["words"], (), row["adds"])
        for row in people["korean"]:
            self._narrower(person, (), row["words"], row["adds"])

    def load_groups(self, classes: Mapping[str, list[str]]) -> None:
        for key, row in data_table("groups").items():
            tags = tuple(
                tag for kind in row.get("kinds", ()) for tag in classes.get(kind.removeprefix("*"), ())
            )
            thing = Thing(
                key,
                key,
                row.get("plural", pluralise(key)),
                row["ko"],
                row["unit"],
                tuple(row["labels"]),
                tags,
                group=True,
            )
            self.add(thing, [key, *row.get("words", ())], [row["ko"], *row.get("ko_words", ())])

    def load_tags(self, table: Mapping[str, Any]) -> None:
        korean: Mapping[str, str] = table["korean"]
        plain: Mapping[str, str] = table["plain"]
        for row in table["kind"]:
            kind = TagKind(
                row["name"],
                row.get("plural", pluralise(row["name"])),
                row.get("ko", ""),
                row.get("label", ""),
                row["class"],
            )
            self.kinds.update((member.lower(), kind) for member in row["members"])
            if not kind.label:
                thing = Thing(
                    kind.name,
                    kind.name,
                    kind.plural,
                    kind.korean,
                    "마리",
                    (),
                    tuple(row["members"]),
                    "tagger",
                    group=True,
                )
                self.add(thing, [kind.name], [kind.korean] if kind.korean else [])
        for word, names in table["words"].items():
            ko = korean.get(word, "")
            self._tag(word, tuple(names) if names != [word] else (word,), ko)
        for row in table["loose"]:
            for member in row["members"]:
                self.kinds.setdefault(member.lower(), TagKind(row["class"], "", "", "", row["class"]))
        for row in [*table["kind"], *table["loose"]]:
            for member in row["members"]:
                if member.lower() not in AMBIGUOUS:
                    name = plain.get(member, member)
                    self._tag(name, (member,), korean.get(name, korean.get(member, "")))

    def _tag(self, word: str, tags: tuple[str, ...], korean: str) -> None:
        thing = Thing(word, word, pluralise(word), korean or word, "개", (), tags, "tagger")
        self.add(thing, [word], [korean] if korean else [])


def load_vocabulary() -> Vocabulary:
    """Reads the data files (some 2,000 words; 20 ms): callers keep the result."""
    table = data_table("tags")
    members: dict[str, list[str]] = {}
    classes: dict[str, list[str]] = {}
    for row in table["kind"]:
        if row.get("label"):
            members.setdefault(row["label"], []).extend(row["members"])
        classes.setdefault(row["class"], []).extend(row["members"])
    for row in table["loose"]:
        classes.setdefault(row["class"], []).extend(row["members"])
    builder = _Builder()
    builder.load_objects(members)
    builder.load_people()
    builder.load_groups(classes)
    builder.load_tags(table)
    korean = tuple(sorted(builder.korean.items(), key=lambda pair: -len(pair[0])))
    return Vocabulary(
        builder.objects, builder.english, korean, builder.kinds, table["plain"], table["korean"]
    )

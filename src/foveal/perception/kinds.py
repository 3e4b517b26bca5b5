"""The cross-check of animals: the detector knows ten kinds, the tagger hundreds.

SSD calls a cheetah a bird with certainty 1.0 and a squirrel too, because it must choose among its own ten.
The tagger, asked about the crop, is right at 0.9. So every animal found is shown to the tagger: if it sees
an animal of another kind with high confidence, the finding is dropped in favour of the tagger's word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

from foveal.images.detail import Pixels
from foveal.perception.base import DetectedObject, Tag, Tagger
from foveal.perception.colours import crop

_FIRM = 0.8  # confidence of the detector that no tag of the whole picture shakes


@dataclass(frozen=True, slots=True)
class KindCheck:
    """`kinds`: tag name → COCO label of the animal it is a kind of, or "" for animals that COCO lacks."""

    kinds: Mapping[str, str]
    animals: frozenset[str]
    convinced: float = 0.6  # of a tag on a crop
    certain: float = 0.9  # of a tag on the whole picture
    largest: int = 3
    worth: float = 0.1  # confidence from which an animal gets a look; fainter ones are mostly noise

    def check(
        self, found: Sequence[DetectedObject], tags: Sequence[Tag], pixels: Pixels, tagger: Tagger
    ) -> list[DetectedObject]:
        """Best first, as the detector gives them. `tags` are those of the whole picture; of the animals, the
        `largest` get a look of their own.
        """
        if tags and tags[0].confidence >= self.certain and self.kinds.get(tags[0].name) == "":
            # An animal that the detector has no word for: it takes a baboon for a tie and a vase.
            found = [one if one.confidence >= _FIRM else _doubt(one, tags[0].confidence) for one in found]
        animals = (one for one in found if one.label in self.animals and one.confidence >= self.worth)
        suspects = sorted(animals, key=lambda one: -one.box.area)[: self.largest]
        verdicts = {id(one): self._verdict(one, pixels, tagger) for one in suspects}
        checked = [verdicts.get(id(one), one) for one in found]
        return sorted((one for one in checked if one is not None), key=lambda one: -one.confidence)

    def _verdict(self, one: DetectedObject, pixels: Pixels, tagger: Tagger) -> DetectedObject | None:
        window, _ = crop(pixels, one.box, margin=0.1)
        by_kind: dict[str, float] = {}
        for tag in tagger.tag(window):
            if tag.name in self.kinds:
                kind = self.kinds[tag.name]
                by_kind[kind] = by_kind.get(kind, 0.0) + tag.confidence
        if not by_kind:
            return one
        kind, weight = max(by_kind.items(), key=lambda pair: pair[1])
        if kind == one.label:
            return replace(one, confidence=max(one.confidence, 1 - (1 - one.confidence) * (1 - 0.5 * weight)))
        if weight < self.convinced or by_kind.get(one.label, 0.0) > 0.2:
            return one
        if kind:
            return replace(one, label=kind, confidence=min(one.confidence, weight))
        # An animal that COCO has no word for: what was seen is there, but not what it was taken for.
        return _doubt(one, weight)


def _doubt(one: DetectedObject, weight: float) -> DetectedObject:
    return replace(one, confidence=min(one.confidence * 0.4, 1.0 - weight))


def load_kind_check(names: Sequence[str], labels: Iterable[str]) -> KindCheck:
    text = (resources.files("foveal.perception") / "data" / "kinds.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    first, last = data["animals"]
    kinds = dict.fromkeys(names[first : last + 1], "")
    known = set(labels)
    for label, ranges in data["kind"].items():
        if label not in known:
            raise ValueError(f"kinds.toml: {label!r} is not a label of the detector")
        for low, high in ranges:
            kinds.update(dict.fromkeys(names[low : high + 1], label))
    return KindCheck(kinds, frozenset(data["kind"]))

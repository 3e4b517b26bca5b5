"""Tags of a picture: what was detected, what the tagger says of the whole, kinds of these, place, colours.

A detected kind has the confidence of its surest object; a tag that of the tagger (those of one kind add up);
a group that of its best member; indoor, outdoor and the place what their votes come to (score / (score + ½),
so that the evidence from which a place is named at all gives 0.67); a colour its share of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from foveal.analysis.contract import Language
from foveal.analysis.result import NamedTag
from foveal.analysis.wording import Wording
from foveal.engines.evidence.notes import INDOORS
from foveal.engines.evidence.sights import SEEN_TAG, Place, Sights
from foveal.perception.base import TextLine

_MAIN_COLOUR = 0.25  # share of the picture from which a colour is a tag
_NAMED_PLACE = 1.0  # score, as in descriptions
_SURE_FACE = 0.5
_MOST = 0.99


def tags_of(
    sights: Sights, wording: Wording, language: Language, lines: Sequence[TextLine] = ()
) -> tuple[NamedTag, ...]:
    """Best first; each name once, with the best of its confidences."""
    best: dict[str, float] = {}
    for name, confidence in _all(sights, wording, language, lines):
        best[name] = max(best.get(name, 0.0), min(_MOST, confidence))
    ordered = sorted(best.items(), key=lambda item: -item[1])
    return tuple(NamedTag(name, confidence) for name, confidence in ordered)


def _all(
    sights: Sights, wording: Wording, language: Language, lines: Sequence[TextLine]
) -> Iterator[tuple[str, float]]:
    facts = sights.facts
    korean = language == "ko"
    seen: dict[str, float] = {}
    for one in facts.objects:
        seen[one.label] = max(seen.get(one.label, 0.0), one.confidence)
    for label, confidence in seen.items():
        yield (sights.words.thing(label).korean if korean else label), confidence
    yield from _tagger(sights, wording, korean)
    for name, row in wording.groups.items():
        confidence = max((seen.get(label, 0.0) for label in row["labels"]), default=0.0)
        if confidence > 0:
            yield (row["ko"] if korean else name), confidence
    named = wording.table["tags"]["named"][language]
    yield from _places(sights.place(), named, korean)
    faces = [face.confidence for face in facts.faces if face.confidence >= _SURE_FACE]
    if faces:
        yield named["face"], max(faces)
        yield (sights.words.thing("person").korean if korean else "person"), max(faces)
    if lines:
        yield named["text"], max(line.confidence for line in lines)
    for share in facts.colours:
        if share.share >= _MAIN_COLOUR:
            yield (wording.lexicon.colours.names[share.name] if korean else share.name), share.share


def _tagger(sights: Sights, wording: Wording, korean: bool) -> Iterator[tuple[str, float]]:
    """Each likely tag, and what tags have in common: their kind ("dog") and the class of that ("animal")."""
    classes: dict[str, str] = wording.table["tags"]["classes"]
    kinds: dict[str, float] = {}
    for tag in sights.facts.tags:
        kind = sights.words.kind_of(tag.name)
        names = set[str]()
        if kind is not None and kind.plural:  # kinds without one are mere classes
            names.add(kind.korean if korean and kind.korean else kind.name)
        if kind is not None and kind.klass in classes:
            names.add(classes[kind.klass] if korean else kind.klass)
        for name in names:
            kinds[name] = kinds.get(name, 0.0) + tag.confidence
        if tag.confidence >= SEEN_TAG:
            words = sights.words
            yield (words.tag_korean(tag.name) if korean else words.tag_name(tag.name)), tag.confidence
    yield from ((name, confidence) for name, confidence in kinds.items() if confidence >= SEEN_TAG)


def _places(place: Place | None, named: dict[str, str], korean: bool) -> Iterator[tuple[str, float]]:
    if place is None:
        return
    confidence = place.score / (place.score + 0.5)
    if not place.indoor or place.score >= INDOORS:
        yield named["indoors" if place.indoor else "outdoors"], confidence
    if place.score >= _NAMED_PLACE and place.name != "outdoors":
        yield (place.korean if korean else place.name), confidence

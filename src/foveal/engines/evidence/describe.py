"""Descriptions from phrase patterns: whole ones, and what they add to a caption of the language model."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.evidence.english_words import an, join, number, quoted, some, spot, upper
from foveal.engines.evidence.notes import Notes, Subject
from foveal.engines.evidence.places import Position, position
from foveal.engines.evidence.shares import clear, names
from foveal.engines.evidence.sights import SURFACES, Sights

NOTHING = "I don't recognise any objects in the picture."
MAIN = 2  # kinds whose place a plain description tells; a detailed one tells all
CLEAR = 0.03  # share of the picture from which on a thing's (a person's clothing's) colours are told


def amount(one: Subject) -> str:
    """ "a red bus", "three people" """
    text = some(one.thing, one.count)
    if one.colour and one.count == 1:
        return f"{an(one.colour)} {one.thing.singular}"
    return text


def english(notes: Notes) -> list[str]:
    """What is there, the most telling first."""
    sentences: list[str] = []
    if notes.subjects:
        sentences.append(f"The picture shows {join([amount(one) for one in notes.subjects])}.")
    for act in notes.acts[:2]:
        if not act.phrase.startswith("with "):
            sentences.append(f"A person is {act.phrase}.")
    if notes.looks_like:
        sentences.append(f"{'It' if sentences else 'The picture'} looks like {an(notes.looks_like)}.")
    if notes.place is not None:
        sentences.append(f"The place looks like {an(notes.place.name)}.")
    return sentences or [NOTHING]


def more_english(notes: Notes, sights: Sights, *, detailed: bool) -> list[str]:
    """Where the main things are and how they look; the colours of the whole; the text."""
    sentences = []
    for one in notes.subjects[: None if detailed else MAIN]:
        boxes = sights.boxes(one.thing)
        if one.count == 1 and boxes:
            sentences.append(f"{_one(one, position(boxes[0]), colours_of(one, sights))}.")
        elif boxes:
            sentences.append(f"{_several(one, [position(box) for box in boxes])}.")
    if notes.side and notes.place is None:
        sentences.append(f"It looks like the picture was taken {notes.side}.")
    hues = names(sights.facts.colours)
    if hues and whole_told(notes, sights, detailed=detailed):
        sentences.append(f"The main {'colours are' if len(hues) > 1 else 'colour is'} {join(hues)}.")
    if detailed and sights.facts.faces:
        count = len(sights.facts.faces)
        sentences.append(f"{upper(number(count))} {'face is' if count == 1 else 'faces are'} visible.")
    if notes.texts:  # last, but where there is nothing else
        place = len(sentences) if notes.subjects or notes.looks_like else 0
        sentences.insert(place, f"The text reads {quoted(notes.texts)}.")
    return sentences


def whole_told(notes: Notes, sights: Sights, *, detailed: bool) -> bool:
    """Whether the whole picture's colours are told: with details, or when there is nothing else to tell; not
    after those of the one thing that fills the picture.
    """
    if not detailed:
        return not (notes.subjects or notes.texts)
    return not any(len(notes.subjects) == 1 and _fills(one, sights) for one in notes.subjects)


def colours_of(one: Subject, sights: Sights) -> list[str]:
    """The colours of the one thing of its kind (of a person's clothing), when it is large enough to tell, and
    its box is not filled with other things.
    """
    found = max(sights.objects(one.thing), key=lambda each: each.confidence, default=None)
    if found is None or found.box.area < CLEAR or (_fills(one, sights) and one.thing.key in SURFACES):
        return []
    return clear(found.clothing if one.thing.key == "person" else found.colours)


def _fills(one: Subject, sights: Sights) -> bool:
    return one.count == 1 and any(position(box).fills for box in sights.boxes(one.thing))


def missing_subjects(notes: Notes, said: Sequence[str], keys: set[str]) -> str:
    """The sentence that adds the subjects that the caption left out; empty when it named them."""
    left = [one for one in notes.subjects if one.thing.key not in keys]
    if not left:
        return ""
    lead = "The picture also shows" if said else "The picture shows"
    return f"{lead} {join([amount(one) for one in left])}."


def lean(places: Sequence[Position]) -> str:
    """ "left", "right" or "": where most of many things are."""
    left = sum(place.across.startswith("left") for place in places)
    right = sum(place.across.startswith("right") for place in places)
    return "left" if left > 2 * right + 1 else "right" if right > 2 * left + 1 else ""


def _one(one: Subject, place: Position, hues: Sequence[str]) -> str:
    plural = one.thing.singular == one.thing.plural and one.thing.singular.endswith("s")
    be = "are" if plural else "is"
    where = f"fill{'' if plural else 's'} most of the picture" if place.fills else f"{be} {spot(place)}"
    if not hues or list(hues) == [one.colour]:  # that was said where the thing was named
        return f"The {one.thing.singular} {where}"
    looks = f"wears {join(hues)}" if one.thing.key == "person" else f"{be} mostly {join(hues)}"
    return f"The {one.thing.singular} {where}{',' if ',' in where else ''} and {looks}"


def _several(one: Subject, places: Sequence[Position]) -> str:
    spots = list(dict.fromkeys(spot(place) for place in places))
    be = "is" if one.thing.key == "broccoli" else "are"
    if len(spots) <= 2:
        return f"The {one.thing.plural} {be} {join(spots)}"
    side = lean(places)
    return f"The {one.thing.plural} {be} {f'mostly on the {side}' if side else 'spread across the picture'}"

"""Descriptions from phrase patterns, English and Korean: what stands in when the language model is
not used or fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foveal.engines.evidence.english_words import an, join, number, quoted, some, spot, upper
from foveal.engines.evidence.korean import counted, joined, subject, topic
from foveal.engines.evidence.korean_phrases import quoted as korean_quoted
from foveal.engines.evidence.korean_phrases import spot as korean_spot
from foveal.engines.evidence.notes import Notes, Subject
from foveal.engines.evidence.places import position
from foveal.engines.evidence.shares import names
from foveal.engines.evidence.sights import Sights

NOTHING = "I don't recognise any objects in the picture."


def amount(one: Subject) -> str:
    """ "a red bus", "three people" """
    text = some(one.thing, one.count)
    if one.colour and one.count == 1:
        return f"{an(one.colour)} {one.thing.singular}"
    return text


def english(notes: Notes, sights: Sights, *, detailed: bool) -> list[str]:
    """Sentences, the most telling first."""
    sentences: list[str] = []
    if notes.subjects:
        sentences.append(f"The picture shows {join([amount(one) for one in notes.subjects])}.")
    for act in notes.acts[:2]:
        if not act.phrase.startswith("with "):
            sentences.append(f"A person is {act.phrase}.")
    if notes.looks_like:
        sentences.append(f"{'It' if sentences else 'The picture'} looks like {an(notes.looks_like)}.")
    if notes.place is not None:
        sentences.append(f"It looks like {an(notes.place.name)}.")
    if notes.texts:
        sentences.append(f"The text reads {quoted(notes.texts)}.")
    if not sentences:
        hues = names(sights.facts.colours)
        return [NOTHING, *([f"It is mostly {join(hues)}."] if hues else [])]
    return [*sentences, *more_english(notes, sights)] if detailed else sentences


def more_english(notes: Notes, sights: Sights) -> list[str]:
    """Positions, colours and light: what a detailed description adds."""
    sentences = []
    for one in notes.subjects[:5]:
        found = sights.objects(one.thing)
        if one.count == 1 and found:
            where = position(found[0].box)
            hue = names(found[0].clothing if one.thing.key == "person" else found[0].colours)
            looks = f" and {'wears' if one.thing.key == 'person' else 'is mostly'} {join(hue)}" if hue else ""
            place = "fills most of the picture" if where.fills else f"is {spot(where)}"
            sentences.append(f"The {one.thing.singular} {place}{looks}.")
        elif found:
            spots = list(dict.fromkeys(spot(position(each.box)) for each in found))
            if len(spots) <= 2:
                sentences.append(f"The {number(one.count)} {one.thing.plural} are {join(spots)}.")
    hues = names(sights.facts.colours)
    if hues:
        sentences.append(f"The main {'colours are' if len(hues) > 1 else 'colour is'} {join(hues)}.")
    if sights.facts.faces:
        count = len(sights.facts.faces)
        sentences.append(f"{upper(number(count))} {'face is' if count == 1 else 'faces are'} visible.")
    return sentences


def korean(notes: Notes, sights: Sights, colours: Mapping[str, str], *, detailed: bool) -> list[str]:
    sentences: list[str] = []
    if notes.subjects:
        seen = joined([counted(one.thing, one.count) for one in notes.subjects])
        where = f"{notes.place.korean}에 " if notes.place is not None else "사진에 "
        sentences.append(f"{where}{subject(seen)} 있습니다.")
    for act in notes.acts[:1]:
        if act.korean:
            sentences.append(f"{act.korean} 장면으로 보입니다.")
    if notes.looks_like_korean:
        sentences.append(f"{subject(notes.looks_like_korean)} 찍힌 사진으로 보입니다.")
    if notes.texts:
        sentences.append(f"{korean_quoted(notes.texts)}라는 글자가 보입니다.")
    hues = joined([colours.get(name, name) for name in names(sights.facts.colours)])
    if not sentences:
        return ["사진에서 알아볼 수 있는 물체가 없습니다.", *([f"사진은 주로 {hues}입니다."] if hues else [])]
    if detailed:
        for one in notes.subjects[:5]:
            found = sights.objects(one.thing)
            if one.count == 1 and found:
                sentences.append(
                    f"{topic(one.thing.korean)} 사진의 {korean_spot(position(found[0].box))}에 있습니다."
                )
        if hues:
            sentences.append(f"사진은 주로 {hues}입니다.")
    return sentences


def missing_subjects(notes: Notes, said: Sequence[str], keys: set[str]) -> str:
    """The sentence that adds the most prominent subjects that the caption left out; empty when it
    named them.
    """
    left = [one for one in notes.subjects[:4] if one.thing.key not in keys]
    if not left:
        return ""
    lead = "The picture also shows" if said else "The picture shows"
    return f"{lead} {join([amount(one) for one in left])}."

"""Descriptions in Korean, from phrase patterns alone: no model writes Korean here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from foveal.engines.evidence.describe import MAIN, colours_of, lean, whole_told
from foveal.engines.evidence.korean import counted, joined, particle, subject, topic, toward
from foveal.engines.evidence.korean_phrases import quoted, spot
from foveal.engines.evidence.notes import Notes, Subject
from foveal.engines.evidence.places import Position, position
from foveal.engines.evidence.shares import names
from foveal.engines.evidence.sights import Sights

NOTHING = "사진에서 알아볼 수 있는 물체가 없습니다."
_SIDES = {"indoors": "실내", "outdoors": "실외"}


def korean(notes: Notes, sights: Sights, colours: Mapping[str, str], *, detailed: bool) -> list[str]:
    """What is there, where the main things are, the kind of place, the text; `colours` in Korean."""
    sentences: list[str] = []
    if notes.subjects:
        seen = joined([counted(one.thing, one.count) for one in notes.subjects])
        sentences.append(f"사진에 {subject(seen)} 있습니다.")
    for act in notes.acts[:1]:
        if act.korean:
            sentences.append(f"{act.korean} 장면으로 보입니다.")
    if notes.looks_like_korean:
        sentences.append(f"{subject(notes.looks_like_korean)} 찍힌 사진으로 보입니다.")
    known = bool(sentences or notes.texts)
    for one in notes.subjects[: None if detailed else MAIN]:
        boxes = sights.boxes(one.thing)
        hues = [colours.get(name, name) for name in colours_of(one, sights)]
        if one.count == 1 and boxes:
            sentences.append(_one(one, position(boxes[0]), hues))
        elif boxes:
            sentences.append(_several(one, [position(box) for box in boxes]))
    where = notes.place.korean if notes.place is not None else _SIDES.get(notes.side, "")
    if where:
        sentences.append(f"{particle('장소', '은', '는')} {toward(where)} 보입니다.")
    if notes.texts:
        sentences.append(f"{quoted(notes.texts)}{_called(notes.texts[-1])} 글자가 보입니다.")
    hues = [colours.get(name, name) for name in names(sights.facts.colours)]
    if hues and whole_told(notes, sights, detailed=detailed):
        sentences.append(f"사진은 주로 {joined(hues)}입니다.")
    if detailed and sights.facts.faces:
        sentences.append(f"얼굴이 {len(sights.facts.faces)}개 보입니다.")
    return sentences if known else [NOTHING, *sentences]


def _one(one: Subject, place: Position, hues: Sequence[str]) -> str:
    name = topic(one.thing.korean)
    person = one.thing.key == "person"
    looks = f"{joined(list(hues))} 옷을 입고 있습니다" if person else f"주로 {joined(list(hues))}입니다"
    if place.fills:
        return f"{name} 사진을 거의 가득 채우고 있{f'고, {looks}' if hues else '습니다'}."
    where = f"{name} 사진의 {spot(place)}에 있"
    return f"{where}고, {looks}." if hues else f"{where}습니다."


def _several(one: Subject, places: Sequence[Position]) -> str:
    name = topic(one.thing.korean)
    spots = list(dict.fromkeys(spot(place) for place in places))
    if len(spots) <= 2:
        return f"{name} 사진의 {joined(spots)}에 있습니다."
    side = {"left": "왼쪽", "right": "오른쪽"}.get(lean(places), "")
    return f"{name} 주로 사진의 {side}에 있습니다." if side else f"{name} 사진 곳곳에 있습니다."


def _called(text: str) -> str:
    """ "라는" after a vowel, "이라는" after a consonant."""
    bare = re.sub(r"[\W_]+$", "", text)
    return particle(bare, "이라는", "라는").removeprefix(bare)

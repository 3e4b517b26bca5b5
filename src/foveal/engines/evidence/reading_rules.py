"""The rules about text."""

from __future__ import annotations

from foveal.engines.evidence import reading
from foveal.engines.evidence.intents import Answer, Question
from foveal.engines.evidence.phrases import Phrases
from foveal.engines.evidence.sights import Sights


def read(question: Question, sights: Sights, say: Phrases) -> Answer:
    lines = reading.readable(sights.facts.lines)
    if not lines:
        return say.no_text(question.target)
    boxes = [one.box for thing in question.things for one in sights.objects(thing)]
    if question.target == "brand":
        near = reading.near(lines, boxes) if boxes else []
        return say.brand(reading.texts(near)[:3]) if near else say.cannot_tell()
    if boxes and question.target not in ("phone",):
        lines = reading.near(lines, boxes) or lines
    number = reading.line_number(question.text)
    if number is not None and -1 <= number <= len(lines):
        chosen = lines[number - 1] if number > 0 else lines[-1]
        return say.read([chosen.text.strip()], asked=True)
    if question.target in ("", "any"):
        return say.read(reading.texts(lines), asked=question.target == "any")
    pieces = reading.targets(lines, question.target)
    if not pieces:
        return say.no_text(question.target)
    return say.read_target(question.target, pieces[:6])


def says(question: Question, sights: Sights, say: Phrases) -> Answer:
    lines = reading.readable(sights.facts.lines, floor=0.5)
    if not lines:
        return say.no_text("")
    return say.says(question.quoted, reading.says(lines, question.quoted), reading.texts(lines))

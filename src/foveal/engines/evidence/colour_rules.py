"""The rules about colours."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.evidence.absence import missing
from foveal.engines.evidence.intents import Answer, Question
from foveal.engines.evidence.phrases import Phrases
from foveal.engines.evidence.places import within
from foveal.engines.evidence.shares import both, has_colour, names, unique
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.facts import SeenObject


def colour(question: Question, sights: Sights, say: Phrases) -> Answer:
    person = any("person" in thing.labels for thing in question.things[:1])
    if question.part == "background":
        return say.part_colour("background", names(sights.background()))
    if question.part == "clothing" or person:
        thing = question.things[0] if question.things else sights.words.thing("person")
        people = sorted(sights.objects(thing), key=lambda one: -one.box.area)
        if not people:
            return missing(thing, sights, say)
        worn = [names(one.clothing) for one in people[:3] if one.clothing]
        return say.colour(thing, worn, clothing=True) if worn else say.cannot_tell()
    if not question.things:
        known = question.part == "picture" or not question.rest
        return say.part_colour("picture", names(sights.facts.colours)) if known else say.cannot_tell()
    asked = unique(question.things)[: 2 if " and " in question.text else 1]
    return both([_colour_of(thing, question, sights, say) for thing in asked])


def _colour_of(thing: Thing, question: Question, sights: Sights, say: Phrases) -> Answer:
    found = sights.objects(thing)
    if question.anchor is not None and question.relation is not None and found:
        found = sights.standing(found, question.relation, question.anchor) or found
    if question.place and found:
        found = [one for one in found if within(one.box, question.place)] or found
    if not found:
        return missing(thing, sights, say)
    largest = sorted(found, key=lambda one: -one.box.area)[:3]
    each = [names(one.colours) for one in largest if one.colours]
    return say.colour(thing, each, clothing=False) if each else say.cannot_tell()


def is_colour(question: Question, sights: Sights, say: Phrases) -> Answer:
    if question.part == "greyscale":
        grey = sum(share.share for share in sights.facts.colours if share.name in ("black", "white", "grey"))
        return say.greyscale(grey > 0.97)
    if question.part == "background":
        shares = sights.background()
        return say.is_colour(None, question.colour, has_colour(shares, question.colour), names(shares))
    thing = question.things[0] if question.things else sights.words.thing("person")
    found = sorted(sights.objects(thing), key=lambda one: -one.box.area)
    if not found:
        return missing(thing, sights, say)
    person = "person" in thing.labels
    shares = found[0].clothing if person else found[0].colours
    if not shares:
        return say.cannot_tell()
    ok = any(has_colour(one.clothing if person else one.colours, question.colour) for one in found[:3])
    return say.is_colour(thing, question.colour, ok, names(shares))


def coloured(thing: Thing, found: Sequence[SeenObject], colour: str, say: Phrases) -> Answer:
    fitting = [one for one in found if has_colour(one.colours, colour)]
    return say.coloured(thing, colour, len(fitting), names(found[0].colours) if not fitting else ())

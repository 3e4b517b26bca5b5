"""Answers from the facts alone: a question of a known kind in, what the picture shows out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from foveal.engines.evidence import colour_rules, reading_rules
from foveal.engines.evidence.absence import guessed, missing
from foveal.engines.evidence.intents import Answer, Ask, Question, Relation
from foveal.engines.evidence.phrases import Items, Phrases
from foveal.engines.evidence.places import position, within
from foveal.engines.evidence.shares import both, has_colour, unique
from foveal.engines.evidence.sights import SURFACES, Sights, prominence
from foveal.engines.evidence.vocabulary import Thing
from foveal.perception.base import Box
from foveal.perception.facts import SeenObject

MOST_KINDS = 6  # in a listing


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules over one picture, speaking one language."""

    sights: Sights
    say: Phrases

    def answer(self, question: Question) -> Answer | None:
        """None when the question is for a describer or for the open path."""
        rules: dict[Ask, Callable[[Question], Answer]] = {
            Ask.PRESENCE: self._presence,
            Ask.COUNT: self._count,
            Ask.COMPARE: self._compare,
            Ask.WHERE: self._where,
            Ask.PLACE_YES_NO: self._is_placed,
            Ask.RELATION_YES_NO: self._is_related,
            Ask.WHAT_AT: self._what_at,
            Ask.COLOUR: lambda asked: colour_rules.colour(asked, self.sights, self.say),
            Ask.COLOUR_YES_NO: lambda asked: colour_rules.is_colour(asked, self.sights, self.say),
            Ask.READ: lambda asked: reading_rules.read(asked, self.sights, self.say),
            Ask.SAYS: lambda asked: reading_rules.says(asked, self.sights, self.say),
            Ask.WHAT_IS: self._what_is,
            Ask.LIST: self._list,
            Ask.DOING: self._doing,
            Ask.FACES: self._faces,
            Ask.SCENE: self._scene,
            Ask.EXTREME: self._extreme,
            Ask.UNKNOWABLE: self._unknowable,
        }
        rule = rules.get(question.ask)
        return rule(question) if rule else None

    def _presence(self, question: Question) -> Answer:
        if not question.things:
            return self.say.cannot_see(question.target)
        if len(question.things) > 1 and question.anchor is None:
            return both([self._is_there(thing, question) for thing in unique(question.things)])
        return self._is_there(question.things[0], question)

    def _is_there(self, thing: Thing, question: Question) -> Answer:
        found = self.sights.objects(thing)
        if found and question.colour:
            return colour_rules.coloured(thing, found, question.colour, self.say)
        if found and question.anchor is not None and question.relation is not None:
            return self._related(thing, question.relation, question.anchor, there=True)
        if found and question.place:
            here = [one for one in found if within(one.box, question.place)]
            return self.say.is_placed(thing, question.place, bool(here), position(found[0].box))
        if (found or self.sights.verdict(thing) == "yes") and thing.adds:
            return self._narrower(thing, self.sights.number(thing))
        if found and self._narrowed(question):
            return self.say.counted_but(thing, self.sights.number(thing))
        verdict = self.sights.verdict(thing)
        if verdict == "yes":
            if not found and not thing.group and thing.seer == "tagger":
                return self.say.looks_like(self._tag_name(thing), yes=True)
            return self.say.present(thing, self.sights.number(thing), sure=True)
        if verdict == "likely" and not thing.adds:
            return self.say.present(thing, 1, sure=False)
        return self.say.absent(thing) if verdict == "no" else self.say.unsure(thing)

    def _narrower(self, thing: Thing, count: int) -> Answer:
        """A "pigeon" among the birds: the tagger may know, else it cannot be told."""
        named = [
            tag for tag in self.sights.facts.tags if thing.said and thing.said.lower() in tag.name.lower()
        ]
        if sum(tag.confidence for tag in named) >= 0.4:
            return self.say.looks_like(thing.said, yes=True)
        return self.say.partly(thing, max(count, 1), counting=False)

    def _tag_name(self, thing: Thing) -> str:
        tags = self.sights.tags(thing)
        best = max(tags, key=lambda tag: tag.confidence)
        korean = self.say.language == "ko"
        return self.sights.words.tag_korean(best.name) if korean else self.sights.words.tag_name(best.name)

    @staticmethod
    def _narrowed(question: Question) -> bool:
        return bool(question.rest) and question.anchor is None

    def _count(self, question: Question) -> Answer:
        if not question.things:
            return self.say.cannot_see(question.target)
        if len(question.things) > 1 and question.anchor is None:
            return both([self._count_one(thing, question) for thing in unique(question.things)])
        return self._count_one(question.things[0], question)

    def _count_one(self, thing: Thing, question: Question) -> Answer:
        found = self.sights.objects(thing)
        if not found:
            return self._count_none(thing)
        if question.colour:
            fitting = [one for one in found if has_colour(one.colours, question.colour)]
            return self.say.coloured(thing, question.colour, len(fitting), ())
        if question.anchor is not None and question.relation is not None:
            near = self.sights.standing(found, question.relation, question.anchor)
            if self.sights.objects(question.anchor):
                return self.say.counted_where(
                    thing, len(near), self.say.where_relation(question.relation, question.anchor)
                )
            return self.say.counted_but(thing, len(found))
        if question.place:
            here = [one for one in found if within(one.box, question.place)]
            return self.say.counted_where(thing, len(here), self.say.where_place(question.place))
        count = self.sights.number(thing)
        if thing.adds:
            return self.say.partly(thing, count, counting=True)
        return (
            self.say.counted_but(thing, count) if self._narrowed(question) else self.say.counted(thing, count)
        )

    def _count_none(self, thing: Thing) -> Answer:
        count = self.sights.number(thing)
        if count and thing.adds:
            return self.say.partly(thing, count, counting=True)
        return self.say.counted(thing, count)

    def _compare(self, question: Question) -> Answer:
        if question.compare is not None:
            if not question.things:
                return self.say.cannot_tell()
            thing = question.things[0]
            count = self.sights.number(thing)
            kind, number = question.compare
            ok = {
                "more": count > number,
                "fewer": count < number,
                "least": count >= number,
                "most": count <= number,
            }.get(kind, count == number)
            return self.say.compared(thing, count, kind, number, ok)
        if len(question.things) < 2:
            return self.say.cannot_tell()
        one, other = question.things[0], question.things[1]
        a, b = self.sights.number(one), self.sights.number(other)
        ok = a > b if question.target == "more" else a == b if question.target == "as many" else a < b
        return self.say.compared_two((one, a), (other, b), ok)

    def _where(self, question: Question) -> Answer:
        if not question.things:
            return self.say.cannot_see(question.target) if question.target else self.say.cannot_tell()
        answers = [self._where_one(thing) for thing in unique(question.things)[:3]]
        return both(answers)

    def _where_one(self, thing: Thing) -> Answer:
        boxes = self.sights.boxes(thing)
        if not boxes:
            if self.sights.verdict(thing) == "yes":  # the tagger knows it of the whole picture
                return self.say.placed(thing, [position(Box(0, 0, 1, 1))], None)
            return guessed(thing, self.sights, self.say)
        return self.say.placed(thing, [position(box) for box in boxes], self._surface(boxes, thing))

    def _surface(self, boxes: Sequence[Box], thing: Thing) -> Thing | None:
        """What the one asked thing stands or lies on, when boxes tell it clearly."""
        if len(boxes) != 1:
            return None
        for one in self.sights.facts.objects:
            if one.label in SURFACES and one.label not in thing.labels and one.box.area > 1.2 * boxes[0].area:
                inside = boxes[0].overlap(one.box) / boxes[0].area if boxes[0].area else 0
                if inside > 0.6 and self.sights.related(
                    one.box, Relation.ON, [SeenObject(thing.key, 1.0, boxes[0])]
                ):
                    return self.sights.words.thing(one.label)
        return None

    def _is_placed(self, question: Question) -> Answer:
        if not question.things:
            return self.say.cannot_tell()
        thing = question.things[0]
        boxes = self.sights.boxes(thing)
        if not boxes:
            return guessed(thing, self.sights, self.say)
        ok = any(within(box, question.place) for box in boxes)
        return self.say.is_placed(thing, question.place, ok, position(boxes[0]))

    def _is_related(self, question: Question) -> Answer:
        assert question.anchor is not None
        assert question.relation is not None
        return self._related(question.things[0], question.relation, question.anchor, there=False)

    def _related(self, thing: Thing, relation: Relation, anchor: Thing, *, there: bool) -> Answer:
        found = self.sights.objects(thing)
        if not found:
            return missing(thing, self.sights, self.say)
        if not self.sights.objects(anchor):
            return missing(anchor, self.sights, self.say)
        return self.say.related(thing, relation, anchor, bool(self.sights.standing(found, relation, anchor)))

    def _what_at(self, question: Question) -> Answer:
        everything = [
            one
            for one in self.sights.facts.objects
            if not question.things or one.label in question.things[0].labels
        ]
        if question.anchor is None:
            here = [one for one in everything if within(one.box, question.place)]
            if question.place == "background":
                here = [one for one in here if one.box.area < 0.25]
            return self.say.what_at(self.items(here), self.say.where_place(question.place))
        anchors = self.sights.objects(question.anchor)
        if not anchors:
            return missing(question.anchor, self.sights, self.say)
        if question.target == "wearing":
            worn = replace(question, ask=Ask.COLOUR, things=(question.anchor,), part="clothing")
            return colour_rules.colour(worn, self.sights, self.say)
        relation = question.relation or Relation.NEXT_TO
        others = [one for one in everything if one.label not in question.anchor.labels]
        found = self.sights.standing(others, relation, question.anchor)
        if relation == Relation.NEXT_TO:
            same = (
                [one for one in everything if one.label in question.anchor.labels] if len(anchors) > 1 else []
            )
            found = found or same
        return self.say.what_at(self.items(found), self.say.where_relation(relation, question.anchor))

    def items(self, found: Sequence[SeenObject]) -> Items:
        """Kinds and numbers of some objects, most prominent kind first."""
        weight: dict[str, float] = {}
        number: dict[str, int] = {}
        for one in found:
            weight[one.label] = weight.get(one.label, 0.0) + prominence(one.box)
            number[one.label] = number.get(one.label, 0) + 1
        order = sorted(number, key=lambda label: -weight[label])[:MOST_KINDS]
        return [(self.sights.words.thing(label), number[label]) for label in order]

    def _what_is(self, question: Question) -> Answer:
        thing = question.things[0] if question.things else None
        found = self.sights.objects(thing) if thing else list(self.sights.facts.objects)
        main = sorted(found, key=lambda one: -prominence(one.box))
        tag = self.sights.animal_tag() or self.sights.sure_tag()
        if tag is None and not main:
            tag = self.sights.main_tag()
        if tag is not None and thing is not None and not self.sights.tags(thing) and thing.labels:
            tag = None
        name, kind = "", ""
        if tag is not None:
            korean = self.say.language == "ko"
            words = self.sights.words
            name = words.tag_korean(tag.name) if korean else words.tag_name(tag.name)
            known = words.kind_of(tag.name)
            kind = known.label if known else ""
        if not main and not name and thing is not None and thing.seer == "tagger":
            return self.say.cannot_tell()
        if not main and not name:
            return self.say.missing(thing) if thing else self.say.cannot_tell()
        keep = main if thing else [one for one in main if one.label == main[0].label]
        return self.say.identity(self.items(keep), name, kind)

    def _list(self, question: Question) -> Answer:
        thing = question.things[0] if question.things else None
        found = self.sights.objects(thing) if thing else list(self.sights.facts.objects)
        if not found:
            if thing is not None and self.sights.tags(thing):
                return self._what_is(question)
            return self.say.missing(thing) if thing else self.say.nothing_seen()
        return self.say.listing(self.items(found))

    def _doing(self, question: Question) -> Answer:
        acts = self.sights.acts()
        if acts and (not question.things or "person" in question.things[0].labels):
            return self.say.doing(acts[:2])
        thing = question.things[0] if question.things else self.sights.words.thing("person")
        count = len(self.sights.objects(thing))
        if not count and question.things:
            return missing(thing, self.sights, self.say)
        return self.say.doing_unknown(thing, count)

    def _faces(self, question: Question) -> Answer:
        return self.say.faces(len(self.sights.facts.faces), counting=question.target == "count")

    def _scene(self, question: Question) -> Answer:
        place = self.sights.place()
        if place is None:
            return self.say.cannot_tell()
        low = question.text.lower()
        asked = next(
            (
                name
                for name in self.sights.scenes.places
                if name != "outdoors" and re.search(rf"^(?:is|are)\b.*\b{name}\b", low)
            ),
            "",
        )
        door = any(word in low for word in ("indoor", "outdoor", "inside", "outside", "실내", "실외", "야외"))
        return self.say.place(place, door=door, asked=asked)

    def _extreme(self, question: Question) -> Answer:
        found = [
            one
            for one in self.sights.facts.objects
            if not question.things or one.label in question.things[0].labels
        ]
        if not found:
            return self.say.nothing_seen()
        if question.target in ("smallest",):
            chosen = min(found, key=lambda one: one.box.area)
        elif question.target in ("tallest",):
            chosen = max(found, key=lambda one: one.box.height)
        elif question.target in ("highest", "lowest"):
            chosen = sorted(found, key=lambda one: one.box.centre[1])[
                0 if question.target == "highest" else -1
            ]
        else:
            chosen = max(
                found, key=lambda one: prominence(one.box) if question.target != "largest" else one.box.area
            )
        return self.say.extreme(self.sights.words.thing(chosen.label), question.target)

    def _unknowable(self, question: Question) -> Answer:
        thing = question.things[0] if question.things else None
        if thing is not None and question.named and self.sights.verdict(thing) == "no":
            missing = self.say.missing(thing)
            return replace(self.say.cannot_tell(), text=f"{missing.text} {self.say.cannot_tell().text}")
        return self.say.cannot_tell()

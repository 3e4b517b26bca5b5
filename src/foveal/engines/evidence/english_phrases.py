"""The rules' findings in English sentences."""

from __future__ import annotations

from collections.abc import Sequence

from foveal.engines.evidence.english_words import (
    CANNOT,
    an,
    join,
    named,
    number,
    quoted,
    some,
    spot,
    there,
    upper,
)
from foveal.engines.evidence.intents import Answer, Relation
from foveal.engines.evidence.phrases import Items
from foveal.engines.evidence.places import Position
from foveal.engines.evidence.sights import Act, Place
from foveal.engines.evidence.vocabulary import Language, Thing

_LOOKED_FOR = {
    "price": "price",
    "time": "time",
    "phone": "phone number",
    "email": "e-mail address",
    "url": "web address",
    "date": "date",
    "plate": "number plate",
    "number": "number",
    "title": "title",
    "name": "name",
}
_RELATION = {
    Relation.WITH: "with",
    Relation.LEFT_OF: "to the left of",
    Relation.RIGHT_OF: "to the right of",
}


class EnglishPhrases:
    """`Phrases` in English."""

    language: Language = "en"

    def present(self, thing: Thing, count: int, *, sure: bool) -> Answer:
        if not sure:
            return Answer(f"Yes, I think {there(thing, count)} in the picture, but I'm not certain.", "Yes")
        return Answer(f"Yes, {there(thing, count)} in the picture.", "Yes")

    def partly(self, thing: Thing, count: int, counting: bool) -> Answer:
        what = f"{upper(there(thing, count))} in the picture"
        if thing.adds == "kind":
            verb = "it is" if count == 1 else "they are"
            said = an(named(thing)) if count == 1 else named(thing, plural=True)
            return Answer(
                f"{what}, but I can't tell whether {verb} {said}.", number(count) if counting else "Unsure"
            )
        verb = "" if thing.adds == "who they are" else "the "
        tell = thing.adds if verb == "" else f"{verb}{thing.adds}"
        return Answer(f"{what}, but I can't tell {tell}.", str(count) if counting else "Unsure")

    def absent(self, thing: Thing) -> Answer:
        word = named(thing)
        plain = thing.singular == thing.plural or thing.key in (
            "furniture",
            "cutlery",
            "food",
            "fruit",
            "luggage",
        )
        what = f"any {word if plain else named(thing, plural=True)}"
        return Answer(f"No, I don't see {what} in the picture.", "No")

    def missing(self, thing: Thing) -> Answer:
        """ "I don't see any cats": the answer to a question that is not yes or no."""
        return Answer(upper(self.absent(thing).text.removeprefix("No, ")), "None")

    def unsure(self, thing: Thing) -> Answer:
        return Answer(
            f"I can't tell for sure whether there is {an(named(thing))} in the picture.",
            "Unsure",
            known=False,
        )

    def guessed(self, thing: Thing, place: Position) -> Answer:
        where = spot(place)
        doubt = f"I can't tell for sure whether there is {an(named(thing))}"
        return Answer(
            f"{doubt}; if so, it is {where} of the picture.",
            f"Unsure, {where}",
            known=False,
        )

    def cannot_see(self, noun: str) -> Answer:
        if not noun:
            return self.cannot_tell()
        return Answer(
            f"I can't tell from the picture: I have no way to recognise “{noun}”.", "Can't tell", known=False
        )

    def looks_like(self, name: str, *, yes: bool) -> Answer:
        return Answer(f"{'Yes, it' if yes else 'It'} looks like {an(name)}.", "Yes" if yes else upper(name))

    def coloured(self, thing: Thing, colour: str, count: int, actual: Sequence[str]) -> Answer:
        if count == 1:
            return Answer(f"Yes, there is {an(colour)} {thing.singular} in the picture.", "Yes")
        if count:
            return Answer(f"Yes, there are {number(count)} {colour} {thing.plural} in the picture.", "Yes")
        seen = f" The {thing.singular} looks {join(actual)}." if actual else ""
        return Answer(f"No, I don't see {an(colour)} {thing.singular} in the picture.{seen}", "No")

    def counted(self, thing: Thing, count: int) -> Answer:
        if not count:
            return Answer(f"There are no {thing.plural} in the picture that I can see.", "0")
        about = f"about {count} {thing.plural}" if count > 12 else number(count) + " " + thing.named(count)
        return Answer(f"There {'is' if count == 1 else 'are'} {about} in the picture.", str(count))

    def counted_where(self, thing: Thing, count: int, where: str) -> Answer:
        if not count:
            return Answer(f"I don't see any {thing.plural} {where}.", "0")
        return Answer(
            f"There {'is' if count == 1 else 'are'} {number(count)} {thing.named(count)} {where}.", str(count)
        )

    def counted_but(self, thing: Thing, count: int) -> Answer:
        return Answer(
            f"I see {some(thing, count) if count != 1 else 'one ' + thing.singular} in "
            "the picture, but the rest of the question "
            "I can't tell from it.",
            "Can't tell",
            known=False,
        )

    def compared(self, thing: Thing, count: int, kind: str, number_: int, ok: bool) -> Answer:
        seen = (
            f"I don't see any {thing.plural}"
            if not count
            else f"there {'is' if count == 1 else 'are'} {number(count)} {thing.named(count)}"
        )
        return Answer(f"{'Yes' if ok else 'No'}, {seen} in the picture.", "Yes" if ok else "No")

    def compared_two(self, one: tuple[Thing, int], other: tuple[Thing, int], ok: bool) -> Answer:
        parts = [f"{number(count)} {thing.named(count)}" for thing, count in (one, other)]
        return Answer(f"{'Yes' if ok else 'No'}, I see {parts[0]} and {parts[1]}.", "Yes" if ok else "No")

    def placed(self, thing: Thing, places: Sequence[Position], on: Thing | None) -> Answer:
        if len(places) == 1:
            upon = f", on {an(on.singular)}" if on is not None else ""
            verb = "are" if thing.singular == thing.plural and thing.singular.endswith("s") else "is"
            where = spot(places[0])
            if places[0].fills:
                return Answer(f"The {thing.singular} fills most of the picture{upon}.", "Everywhere")
            return Answer(f"The {thing.singular} {verb} {where} of the picture{upon}.", upper(where))
        spots = [spot(place) for place in places]
        counted = {where: spots.count(where) for where in dict.fromkeys(spots)}
        if len(counted) == 1:
            return Answer(
                f"The {number(len(places))} {thing.plural} are {spots[0]} of the picture.", upper(spots[0])
            )
        if len(places) > 5:
            left = sum(place.across.startswith("left") for place in places)
            right = sum(place.across.startswith("right") for place in places)
            lean = "on the left" if left > 2 * right + 1 else "on the right" if right > 2 * left + 1 else ""
            where = f"mostly {lean}" if lean else "spread across the picture"
            return Answer(f"There are {number(len(places))} {thing.plural}, {where}.", upper(where))
        parts = [f"{number(count)} {where}" for where, count in counted.items()]
        return Answer(
            f"There are {number(len(places))} {thing.plural}: {join(parts)} of the picture.",
            upper(join(parts)),
        )

    def is_placed(self, thing: Thing, place: str, ok: bool, actual: Position) -> Answer:
        if ok:
            return Answer(f"Yes, the {thing.singular} is {self.where_place(place)}.", "Yes")
        return Answer(f"No, the {thing.singular} is {spot(actual)} of the picture.", "No")

    def related(self, thing: Thing, relation: Relation, anchor: Thing, ok: bool) -> Answer:
        word = _RELATION.get(relation, relation.value)
        if ok:
            return Answer(f"Yes, it looks like {an(thing.singular)} is {word} {an(anchor.singular)}.", "Yes")
        return Answer(f"No, it doesn't look like {an(thing.singular)} is {word} {an(anchor.singular)}.", "No")

    def what_at(self, items: Items, where: str) -> Answer:
        if not items:
            return Answer(f"I don't recognise anything {where}.", "Nothing", known=False)
        seen = join([some(thing, count) for thing, count in items])
        return Answer(f"I see {seen} {where}.", upper(seen))

    def where_relation(self, relation: Relation, anchor: Thing) -> str:
        return f"{_RELATION.get(relation, relation.value)} the {anchor.singular}"

    def where_place(self, place: str) -> str:
        if place in ("foreground", "background", "middle"):
            return f"in the {place} of the picture" if place == "middle" else f"in the {place}"
        return f"{'on' if place in ('left', 'right') else 'at'} the {place} of the picture"

    def colour(self, thing: Thing, each: Sequence[Sequence[str]], *, clothing: bool) -> Answer:
        if clothing:
            if len(each) == 1:
                return Answer(f"The {named(thing)}'s clothing looks {join(each[0])}.", upper(join(each[0])))
            kinds = list(dict.fromkeys(join(names) for names in each))
            return Answer(f"The clothing of the people looks {join(kinds)}.", upper(join(kinds)))
        kinds = list(dict.fromkeys(join(names) for names in each))
        verb = "are" if thing.singular == thing.plural and thing.singular.endswith("s") else "is"
        if len(each) == 1:
            return Answer(f"The {thing.singular} {verb} {kinds[0]}.", upper(kinds[0]))
        if len(kinds) == 1:
            return Answer(f"The {thing.plural} are {kinds[0]}.", upper(kinds[0]))
        return Answer(f"The {thing.plural} are {join(kinds)}; the largest is {kinds[0]}.", upper(kinds[0]))

    def part_colour(self, part: str, names: Sequence[str]) -> Answer:
        if not names:
            return self.cannot_tell()
        return Answer(f"The {part} is mostly {join(names)}.", upper(join(names)))

    def is_colour(self, thing: Thing | None, colour: str, ok: bool, actual: Sequence[str]) -> Answer:
        what = "background" if thing is None else thing.singular
        if thing is not None and "person" in thing.labels:
            what = "person's clothing"
        if ok:
            return Answer(f"Yes, the {what} is {colour}.", "Yes")
        return Answer(f"No, the {what} looks {join(actual)}.", "No")

    def greyscale(self, ok: bool) -> Answer:
        return Answer(
            "Yes, the picture is black and white." if ok else "No, the picture is in colour.",
            "Yes" if ok else "No",
        )

    def read(self, texts: Sequence[str], *, asked: bool) -> Answer:
        short = " ".join(texts)
        if asked and len(texts) == 1:
            return Answer(f"Yes, it reads {quoted(texts)}." if asked else f"It reads {quoted(texts)}.", short)
        lead = "Yes, the text reads" if asked else "The text reads"
        if len(texts) > 4 or len(short) > 200:
            return Answer(f"{lead}:\n" + "\n".join(texts), short)
        return Answer(f"{lead} {quoted(texts)}.", short)

    def read_target(self, target: str, pieces: Sequence[str]) -> Answer:
        what = _LOOKED_FOR[target]
        if target in ("title", "name"):
            return Answer(f"The largest text reads {quoted(pieces[:1])}.", pieces[0])
        if len(pieces) == 1:
            return Answer(f"The {what} in the picture is {pieces[0]}.", pieces[0])
        return Answer(f"I can read these: {join(pieces)}.", ", ".join(pieces))

    def no_text(self, target: str) -> Answer:
        if target == "any":
            return Answer("No, I don't see any readable text in the picture.", "No")
        if target in _LOOKED_FOR:
            return Answer(
                f"I can't tell: I don't see a readable {_LOOKED_FOR[target]} in the picture.",
                "Can't tell",
                known=False,
            )
        return Answer("I don't see any readable text in the picture.", "None", known=False)

    def says(self, quoted_: str, ok: bool, texts: Sequence[str]) -> Answer:
        if ok:
            return Answer(f"Yes, it says “{quoted_}”.", "Yes")
        more = f" It reads {quoted(texts)}." if len(" ".join(texts)) <= 120 else ""
        return Answer(f"No, I don't read “{quoted_}” in the picture.{more}", "No")

    def listing(self, items: Items) -> Answer:
        seen = join([some(thing, count) for thing, count in items])
        return Answer(f"I see {seen}.", upper(", ".join(some(thing, count) for thing, count in items)))

    def identity(self, items: Items, tag: str, tag_kind: str) -> Answer:
        if not items:
            return Answer(f"It looks like {an(tag)}.", upper(tag))
        thing, count = items[0]
        seen = join([some(one, many) for one, many in items])
        subject = "It is" if count == 1 and len(items) == 1 else "I see"
        detail = ""
        if tag and tag_kind == thing.key and tag != thing.singular and count == 1:
            detail = f" It looks like {an(tag)}."
        elif tag and not tag_kind and len(items) == 1:
            return Answer(
                f"It looks like {an(tag)}; there is also {seen}." if tag != seen else f"It is {seen}.",
                upper(tag),
            )
        return Answer(f"{subject} {seen}.{detail}", upper(seen))

    def doing(self, acts: Sequence[Act]) -> Answer:
        act = acts[0]
        return Answer(f"There is a person {act.phrase}, so it looks like {act.doing}.", upper(act.doing))

    def doing_unknown(self, thing: Thing, count: int) -> Answer:
        if not count:
            return self.cannot_tell()
        return Answer(
            f"I see {some(thing, count)}, but what "
            f"{'it is' if count == 1 and thing.key != 'person' else 'they are'} doing I "
            "can't tell from the picture.",
            "Can't tell",
            known=False,
        )

    def faces(self, count: int, *, counting: bool) -> Answer:
        if not count:
            return Answer(
                "I don't see any faces in the picture."
                if counting
                else "No, I don't see any faces in the picture.",
                "0" if counting else "No",
            )
        seen = (
            f"{'there is' if count == 1 else 'there are'} {number(count)} "
            f"{'face' if count == 1 else 'faces'} in the picture."
        )
        return Answer(upper(seen) if counting else f"Yes, {seen}", str(count) if counting else "Yes")

    def brand(self, texts: Sequence[str]) -> Answer:
        return Answer(
            f"I can't tell for sure from the picture; on it I read {quoted(texts)}.",
            "Can't tell",
            known=False,
        )

    def place(self, place: Place, *, door: bool, asked: str) -> Answer:
        side = "indoors" if place.indoor else "outdoors"
        if asked:
            yes = asked == place.name
            return Answer(
                f"{'Yes, it looks like' if yes else 'It looks more like'} {an(place.name)}.",
                "Yes" if yes else "No",
            )
        if door or place.score < 1.0 or place.name == "outdoors":
            return Answer(f"It looks like it is {side}.", upper(side))
        return Answer(f"It looks like {an(place.name)}, so {side}.", upper(place.name))

    def extreme(self, thing: Thing, word: str) -> Answer:
        return Answer(f"The {word} thing that I recognise is {an(thing.singular)}.", upper(thing.singular))

    def cannot_tell(self) -> Answer:
        return Answer(CANNOT, "Can't tell", known=False)

    def nothing_seen(self) -> Answer:
        return Answer("I don't recognise any objects in the picture.", "Nothing", known=False)

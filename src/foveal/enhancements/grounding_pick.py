"""Which boxes a mention stands for: by place, colour, size, company, and what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foveal.enhancements.grounding_scene import (
    Candidate,
    candidate,
    fit,
    holds_face,
    prominence,
    shared,
    sided,
    union,
    without_heaps,
)
from foveal.enhancements.grounding_words import FACE, Mention
from foveal.enhancements.spans import Findings
from foveal.perception.base import Box

SURE = 0.4  # confidence from which an object is there
FLOOR = 0.3  # and from which one is taken where no sure one of its kind is (docs/grounding.md)
_FACE_SURE = 0.5
_SAME = 0.6  # overlap from which two boxes of one mention's kinds are the same thing
_MOST = 60  # candidates of one kind
_CLEAR = 0.12  # the best box of a single thing must lead the next by so much
_INSIDE = 0.35  # how well each of many things must lie where they are said to be
_RUN = 8  # single persons of one sentence that are told apart together
_BEAM = 24
_KEPT = 48  # things said before that are remembered


@dataclass(frozen=True, slots=True)
class Entity:
    """What a mention before stood for."""

    mention: Mention
    chosen: tuple[Candidate, ...]
    single: bool


class Picker:
    """Chooses the boxes of one text's mentions, first to last."""

    def __init__(self, findings: Findings, near: Mapping[str, frozenset[str]]) -> None:
        self._findings = findings
        self._near = near
        self._pools: dict[tuple[str, ...], list[Candidate]] = {}
        self._said: list[Entity] = []
        self._by_start: dict[int, tuple[Candidate, ...]] = {}
        self._runs: dict[int, tuple[Candidate, ...]] = {}

    def pick(self, mentions: Sequence[Mention]) -> list[tuple[Mention, Box]]:
        """The mentions that are seen, each with the union of its boxes."""
        found: list[tuple[Mention, Box]] = []
        for number, mention in enumerate(mentions):
            if mention.form == "none" or not mention.noun.labels:
                continue
            chosen = self._choose(mentions, number)
            if not chosen:
                continue
            self._by_start[number] = chosen
            self._said.append(Entity(mention, chosen, not mention.plural and len(chosen) == 1))
            self._said = self._said[-_KEPT:]
            found.append((mention, union([one.box for one in chosen])))
        return found

    def _choose(self, mentions: Sequence[Mention], number: int) -> tuple[Candidate, ...]:
        mention = mentions[number]
        if mention.noun.labels == (FACE,):
            return self._faces(mentions, number)
        pool = self._pool(mention.noun.labels)
        if not pool:
            return ()
        if number in self._runs:
            return self._runs.pop(number) or self._repeated(mention)
        before = self._again(mention)
        if before is not None:
            return before
        if mention.plural:
            return self._several(mention, pool)
        if mention.neutral:
            return self._neutral(mention, pool)
        run = self._run(mentions, number)
        if len(run) > 1:
            self._assign(mentions, run, self._left(mention, pool))
            return self._runs.pop(number, ())
        return self._one(mention, pool)

    def _pool(self, labels: tuple[str, ...]) -> list[Candidate]:
        """Sure boxes of the kinds, best first, then doubtful ones down to the floor."""
        known = self._pools.get(labels)
        if known is None:
            wanted = frozenset(labels)
            known = []
            for number, one in enumerate(self._findings.objects):
                if one.confidence < FLOOR or one.label.lower() not in wanted:
                    continue
                if all(one.box.iou(other.box) < _SAME for other in known):
                    known.append(candidate(number, one))
                if len(known) >= _MOST:
                    break
            known.sort(key=lambda one: -one.confidence)
            known = without_heaps(known)
            self._pools[labels] = known
        return known

    def _again(self, mention: Mention) -> tuple[Candidate, ...] | None:
        """What the same words stood for before: "a dog … the dog"; None when they bring in something new."""
        if mention.form not in ("the", "bare") or mention.rest:
            return None
        if mention.form == "bare" and not mention.neutral:
            return None
        for entity in reversed(self._said):
            if _could_be(mention, entity):
                return entity.chosen
        return self._ordinal(mention)

    def _ordinal(self, mention: Mention) -> tuple[Candidate, ...] | None:
        """ "the second woman": of those told one by one; else of all, left to right."""
        if not mention.ordinal or mention.place:
            return None
        told = [
            entity
            for entity in self._said
            if entity.single and _same_kind(mention, entity.mention) and _gender_fits(mention, entity.mention)
        ]
        chosen = list(dict.fromkeys(entity.chosen for entity in told))
        if len(chosen) >= mention.ordinal and len(told) > 1:
            return chosen[mention.ordinal - 1]
        sure = [one for one in self._pool(mention.noun.labels) if one.confidence >= SURE]
        ordered = sorted(sure, key=lambda one: one.box.centre[0])
        if 1 < len(ordered) <= 4 and mention.ordinal <= len(ordered):
            return (ordered[mention.ordinal - 1],)
        return None

    def _used(self, mention: Mention) -> set[int]:
        """Boxes that were told of one by one before."""
        return {
            one.number
            for entity in self._said
            if entity.single or (entity.mention.sentence == mention.sentence and entity.mention.count)
            if _same_kind(mention, entity.mention)
            for one in entity.chosen
        }

    def _left(self, mention: Mention, pool: Sequence[Candidate]) -> list[Candidate]:
        """What a new thing may be: not what was told before; of "two men: a …, a …" only those two."""
        single = {
            one.number
            for entity in self._said
            if entity.single and _same_kind(mention, entity.mention)
            for one in entity.chosen
        }
        for entity in reversed(self._said):
            whole = not entity.single and entity.mention.sentence == mention.sentence
            if whole and _same_kind(mention, entity.mention) and not mention.plural and not mention.rest:
                inside = [one for one in entity.chosen if one.number not in single]
                if inside:
                    return inside
        if mention.plural or mention.rest:
            single = self._used(mention)
        return [one for one in pool if one.number not in single]

    def _several(self, mention: Mention, pool: Sequence[Candidate]) -> tuple[Candidate, ...]:
        free = list(pool)
        if mention.form != "the":
            left = self._left(mention, pool)
            enough = len([one for one in left if one.confidence >= SURE]) >= (mention.count or 2)
            if mention.rest or enough:
                free = left
        sure = [one for one in free if one.confidence >= SURE]
        if len(sure) < (mention.count or 2):
            sure = free
        flat = tuple(name for name in mention.place if name not in ("foreground", "background"))
        if flat:
            sure = [one for one in sure if fit(one, flat, sure) > _INSIDE]
        if mention.colours and mention.count and len(sure) > mention.count:
            sure.sort(key=lambda one: -self._hue(one.colours, mention.colours))
        elif mention.count and len(sure) > mention.count:
            sure.sort(key=lambda one: -(one.confidence + 0.5 * prominence(one.box)))
        if mention.count:
            sure = sure[: mention.count]
        needed = 2 if not mention.count else -(-2 * mention.count // 3)
        return tuple(sure) if len(sure) >= max(2, needed) else ()

    def _neutral(self, mention: Mention, pool: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Korean nouns do not tell one from many: the clear one, else all that are sure."""
        one = self._one(mention, pool)
        if one:
            return one
        sure = tuple(one for one in pool if one.confidence >= SURE)
        return sure if len(sure) > 1 and not mention.place else ()

    def _one(self, mention: Mention, pool: Sequence[Candidate]) -> tuple[Candidate, ...]:
        free = list(pool)
        if mention.form in ("a", "another"):
            free = self._left(mention, pool)
            if not free and mention.form == "a":
                return self._repeated(mention)
        sure = [one for one in free if one.confidence >= SURE]
        free = sure or free[:1]
        if not free:
            return ()
        scores = sorted(((self._score(one, mention, free), one) for one in free), key=lambda p: -p[0])
        if sided(mention.place) and fit(scores[0][1], sided(mention.place), free) <= 0:
            return ()
        if len(scores) > 1 and scores[0][0] - scores[1][0] < _CLEAR:
            return ()
        return (scores[0][1],)

    def _repeated(self, mention: Mention) -> tuple[Candidate, ...]:
        """ "The picture shows a dog. … A dog is on a bed.": the same again, when nothing tells it apart."""
        for entity in reversed(self._said):
            same = entity.single and entity.mention.noun.word == mention.noun.word
            if same and entity.mention.sentence != mention.sentence:
                plain = (
                    not mention.rest
                    and not mention.place
                    and set(mention.colours) <= set(entity.mention.colours)
                )
                return entity.chosen if plain else ()
        return ()

    def _score(self, one: Candidate, mention: Mention, pool: Sequence[Candidate]) -> float:
        score = 0.6 * one.confidence + 1.2 * prominence(one.box)
        if mention.place:
            score += 2.0 * fit(one, mention.place, pool)
        if mention.noun.person:
            hues = mention.worn or mention.colours or mention.hints
            score += 1.2 * self._hue(one.clothing or one.colours, hues)
        elif mention.colours or mention.hints:
            score += 1.5 * self._hue(one.colours, mention.colours or mention.hints)
        if mention.size and len(pool) > 1:
            areas = [other.box.area for other in pool]
            rank = (one.box.area - min(areas)) / max(1e-9, max(areas) - min(areas))
            score += 0.8 * (rank if mention.size == "large" else 1.0 - rank) - (
                mention.size == "small"
            ) * prominence(one.box)
        company = mention.noun.company or mention.beside
        if company:
            score += 0.9 * self._together(one, company)
        if mention.holder is not None:
            holders = self._by_start.get(mention.holder, ())
            score += 0.6 * max((shared(one.box, other.box) for other in holders), default=0.0)
        for labels, side in ((mention.left_of, -1), (mention.right_of, 1)):
            anchors = self._pool(labels)[:3] if labels else []
            score += any(side * (one.box.centre[0] - other.box.centre[0]) > 0 for other in anchors)
        return score

    def _hue(self, shares: Mapping[str, float], wanted: Sequence[str]) -> float:
        """How much of a thing has the colours told, 0..1; colours that pass into them count half."""
        if not wanted or not shares:
            return 0.0
        near = {other for name in wanted for other in self._near.get(name, ())} - set(wanted)
        much = sum(shares.get(name, 0.0) for name in wanted) + 0.5 * sum(
            shares.get(name, 0.0) for name in near
        )
        return min(1.0, much / 0.6)

    def _together(self, one: Candidate, labels: tuple[str, ...]) -> float:
        best = 0.0
        for other in self._findings.objects:
            if other.confidence < 0.15 or other.label not in labels:
                continue
            best = max(best, shared(one.box, other.box))
        return best

    def _run(self, mentions: Sequence[Mention], number: int) -> list[int]:
        """Single new things of one kind, from this one on: "a man in blue, a woman in red"."""
        first = mentions[number]
        if first.form != "a" or first.plural:
            return [number]
        run: list[int] = []
        names: set[str] = set()
        for place in range(number, min(len(mentions), number + 6 * _RUN)):
            other = mentions[place]
            if len(run) >= _RUN:
                break
            new = other.sentence == first.sentence or other.noun.word not in names or _told(other)
            single = other.form in ("a", "another") and not other.plural
            if single and new and other.noun.labels == first.noun.labels:
                run.append(place)
                names.add(other.noun.word)
        return run

    def _assign(self, mentions: Sequence[Mention], run: Sequence[int], pool: Sequence[Candidate]) -> None:
        """Gives each of the run a box of its own; without other signs they are told from left to right."""
        sure = [one for one in pool if one.confidence >= SURE] or list(pool)[:1]
        sure = sorted(sure, key=lambda one: -prominence(one.box) - one.confidence)[: 2 * _RUN]
        told = [_told(mentions[number]) for number in run]
        beam: list[tuple[float, tuple[Candidate | None, ...]]] = [(0.0, ())]
        previous = run[0]
        for number in run:
            scored = [(self._score(one, mentions[number], sure), one) for one in sure]
            beside = number > run[0] and mentions[number].sentence == mentions[previous].sentence
            previous = number
            grown = [(total, (*taken, None)) for total, taken in beam]
            for total, taken in beam:
                last = next((one for one in reversed(taken) if one is not None), None)
                for score, one in scored:
                    if one in taken:
                        continue
                    order = (
                        0.5 if beside and last is not None and last.box.centre[0] < one.box.centre[0] else 0.0
                    )
                    grown.append((total + score + order, (*taken, one)))
            beam = sorted(grown, key=lambda pair: -pair[0])[:_BEAM]
        best = beam[0][1]
        signs = sum(told)
        for number, given, clear in zip(run, best, told, strict=True):
            mention = mentions[number]
            fits = given is not None and not (
                sided(mention.place) and fit(given, sided(mention.place), sure) <= 0
            )
            certain = clear or signs >= len(run) - 1 or len(run) > 2
            self._runs[number] = (given,) if given is not None and fits and certain else ()

    def _faces(self, mentions: Sequence[Mention], number: int) -> tuple[Candidate, ...]:
        mention = mentions[number]
        faces = [
            Candidate(place, face.box, face.confidence)
            for place, face in enumerate(self._findings.faces)
            if face.confidence >= _FACE_SURE
        ]
        owner: tuple[Candidate, ...] = ()
        if mention.owner is not None:
            whose = mentions[mention.owner]
            if not whose.noun.person:
                return ()
            asked = Mention(
                whose.noun,
                whose.start,
                whose.head,
                whose.end,
                whose.sentence,
                form="the",
                plural=whose.plural,
            )
            owner = self._again(asked) or ()
        elif mention.owned:
            owner = next((e.chosen for e in reversed(self._said) if e.single and e.mention.noun.person), ())
        if owner:
            faces = [face for face in faces if any(holds_face(one.box, face.box) for one in owner)]
        if mention.plural or (mention.neutral and not owner):
            wanted = mention.count or len(faces)
            return tuple(faces[:wanted]) if faces and wanted else ()
        if len(faces) > 1:
            return self._one(mention, faces) if not owner else tuple(faces[:1])
        return tuple(faces)


def _same_kind(one: Mention, other: Mention) -> bool:
    return bool(set(one.noun.labels) & set(other.noun.labels))


def _gender_fits(one: Mention, other: Mention) -> bool:
    return not one.noun.gender or not other.noun.gender or one.noun.gender == other.noun.gender


def _could_be(mention: Mention, entity: Entity) -> bool:
    """Whether "the …" may be what was told before: same kind and number, nothing said against it."""
    before = entity.mention
    if not _same_kind(mention, before) or not _gender_fits(mention, before):
        return False
    if mention.noun.person and mention.noun.word != before.noun.word:
        general = ("person", "사람", "people", "group")
        related = mention.noun.gender and mention.noun.gender == before.noun.gender
        if not (
            related or mention.noun.word in general or before.noun.word in general or not mention.noun.gender
        ):
            return False
    if mention.neutral and mention.form != "the" and mention.place and len(entity.chosen) > 1:
        return False
    number_fits = mention.neutral or before.neutral or mention.plural == before.plural
    if not number_fits or (mention.count and mention.count != len(entity.chosen)):
        return False
    if mention.ordinal and mention.ordinal != before.ordinal:
        return False
    if mention.size and before.size and mention.size != before.size:
        return False
    if mention.worn and before.worn and not set(mention.worn) & set(before.worn):
        return False
    if mention.colours and not set(mention.colours) & {*before.colours, *before.worn}:
        return False
    if mention.place and before.place and not set(mention.place) & set(before.place):
        return False
    if len(entity.chosen) > 1 or before.place or not sided(mention.place):
        return True
    return fit(entity.chosen[0], sided(mention.place), entity.chosen) > 0


def _told(mention: Mention) -> bool:
    """Whether anything tells this one from others of its kind."""
    return bool(
        mention.place
        or mention.colours
        or mention.worn
        or mention.size
        or mention.beside
        or mention.noun.company
    )

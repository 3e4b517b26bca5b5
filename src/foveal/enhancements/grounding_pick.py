"""Which boxes a mention stands for: by place, colour, size, company, and what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from math import inf, log, sqrt

from foveal.enhancements.grounding_assign import assign, told
from foveal.enhancements.grounding_scene import (
    CLEAR,
    SURE,
    Candidate,
    Scene,
    fit,
    holds_face,
    sided,
)
from foveal.enhancements.grounding_words import FACE, Mention
from foveal.enhancements.spans import Findings
from foveal.perception.base import Box

_FACE_SURE = 0.5
_INSIDE = 0.35  # how well each of many things must lie where they are said to be
_RUN = 8  # single persons of one sentence that are told apart together
_SPARE = 4  # boxes beyond the number told that are weighed
_MOST_GROUPS = 300
_UNLIKE_PEOPLE = 0.7  # what things counted together lose for being of unlike size
_UNLIKE = 0.18
_TAKEN = 0.7  # overlap with a thing of another kind that was told before
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
        self._scene = Scene(findings.objects, near)
        self._said: list[Entity] = []
        self._by_start: dict[int, tuple[Candidate, ...]] = {}
        self._other_boxes: tuple[tuple[tuple[str, ...], int], list[Box]] = (((), -1), [])
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
            found.append((mention, Box.around([one.box for one in chosen])))
        return found

    def _choose(self, mentions: Sequence[Mention], number: int) -> tuple[Candidate, ...]:
        mention = mentions[number]
        if mention.noun.labels == (FACE,):
            return self._faces(mentions, number)
        pool = self._scene.pool(mention.noun.labels)
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
        free, whole = self._left(mention, pool)
        run = self._run(mentions, number, alone=whole)
        if len(run) > 1:
            given = assign([mentions[place] for place in run], free, self._score)
            self._runs.update(zip(run, given, strict=True))
            return self._runs.pop(number)
        return self._one(mention, pool)

    def _score(self, mention: Mention, one: Candidate, pool: Sequence[Candidate]) -> float:
        holders = self._by_start.get(mention.holder, ()) if mention.holder is not None else ()
        taken = any(box.iou(one.box) > _TAKEN for box in self._others(mention))
        return self._scene.score(mention, one, pool, holders) - taken

    def _others(self, mention: Mention) -> list[Box]:
        """Boxes of single things of other kinds that were told before."""
        key = mention.noun.labels, len(self._by_start)
        if self._other_boxes[0] != key:
            told = [e for e in self._said if e.single and not _same_kind(mention, e.mention)]
            self._other_boxes = key, [one.box for entity in told for one in entity.chosen]
        return self._other_boxes[1]

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
        sure = [one for one in self._scene.pool(mention.noun.labels) if one.confidence >= SURE]
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

    def _left(self, mention: Mention, pool: Sequence[Candidate]) -> tuple[list[Candidate], bool]:
        """What a new thing may be: not what was told before; of "two men: a …, a …" only those two (True)."""
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
                    return inside, True
        if mention.plural or mention.rest:
            single = self._used(mention)
        return [one for one in pool if one.number not in single], False

    def _several(self, mention: Mention, pool: Sequence[Candidate]) -> tuple[Candidate, ...]:
        free = list(pool)
        if mention.form != "the":
            left, _ = self._left(mention, pool)
            enough = len([one for one in left if one.confidence >= SURE]) >= (mention.count or 2)
            if mention.rest or enough:
                free = left
        sure = [one for one in free if one.confidence >= SURE]
        if len(sure) < (mention.count or 2):
            sure = free
        if mention.noun.company:
            sure = [one for one in sure if self._scene.together(one, mention.noun.company) > 0]
        flat = tuple(name for name in mention.place if name not in ("foreground", "background"))
        if flat:
            sure = [one for one in sure if fit(one, flat, sure) > _INSIDE]
        if mention.count and len(sure) > mention.count:
            sure = self._best_of(mention, sure, mention.count)
        needed = 2 if not mention.count else -(-2 * mention.count // 3)
        return tuple(sure) if len(sure) >= max(2, needed) else ()

    def _best_of(self, mention: Mention, pool: Sequence[Candidate], count: int) -> list[Candidate]:
        """ "two dogs" of three: the ones that fit best; things counted together are of about one size."""
        scores = [
            (self._score(mention, one, pool) - 0.2 * one.confidence, log(max(1e-6, one.box.area)), one)
            for one in pool
        ]
        scores.sort(key=lambda pair: -pair[0])
        scores = scores[: count + _SPARE]
        unlike = _UNLIKE_PEOPLE if mention.noun.person else _UNLIKE
        best, taken = -inf, [one for _, _, one in scores[:count]]
        for group in islice(combinations(scores, count), _MOST_GROUPS):
            sizes = [size for _, size, _ in group]
            total = sum(score for score, _, _ in group) - unlike * _spread(sizes)
            if total > best:
                best, taken = total, [one for _, _, one in group]
        return taken

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
            free, _ = self._left(mention, pool)
            if not free and mention.form == "a":
                return self._repeated(mention)
        sure = [one for one in free if one.confidence >= SURE]
        free = sure or free[:1]
        if not free:
            return ()
        scores = sorted(((self._score(mention, one, free), one) for one in free), key=lambda p: -p[0])
        if sided(mention.place) and fit(scores[0][1], sided(mention.place), free) <= 0:
            return ()
        if len(scores) > 1 and scores[0][0] - scores[1][0] < CLEAR:
            return ()
        return (scores[0][1],)

    def _repeated(self, mention: Mention) -> tuple[Candidate, ...]:
        """ "The picture shows a dog. … A dog is on a bed.": the same again, when nothing tells it apart."""
        for entity in reversed(self._said):
            same = entity.single and entity.mention.noun.word == mention.noun.word
            if same and entity.mention.sentence != mention.sentence:
                plain = not (mention.rest or mention.detailed or mention.place) and set(
                    mention.colours
                ) <= set(entity.mention.colours)
                return entity.chosen if plain else ()
        return ()

    def _run(self, mentions: Sequence[Mention], number: int, *, alone: bool) -> list[int]:
        """Single new things of one kind, from this one on: "a man in blue, a woman in red"; with `alone`
        those of its sentence only.
        """
        first = mentions[number]
        if first.form != "a" or first.plural:
            return [number]
        run: list[int] = []
        names: set[str] = set()
        for place in range(number, min(len(mentions), number + 6 * _RUN)):
            other = mentions[place]
            if len(run) >= _RUN:
                break
            same = other.sentence == mentions[run[-1] if run else number].sentence
            new = same or (not alone and (other.noun.word not in names or told(other) or other.detailed))
            single = other.form in ("a", "another") and not other.plural
            if single and new and other.noun.labels == first.noun.labels:
                run.append(place)
                names.add(other.noun.word)
        return run

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


def _spread(values: Sequence[float]) -> float:
    """The standard deviation (the library's takes fifty times as long)."""
    mean = sum(values) / len(values)
    return sqrt(sum((value - mean) ** 2 for value in values) / len(values))

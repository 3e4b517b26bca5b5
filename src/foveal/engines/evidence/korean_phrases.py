"""The rules' findings in Korean sentences (polite style), from phrase patterns: no model writes Korean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foveal.engines.evidence.intents import Answer, Relation
from foveal.engines.evidence.korean import amount, counted, joined, object_of, particle, subject, topic
from foveal.engines.evidence.phrases import Items
from foveal.engines.evidence.places import Position
from foveal.engines.evidence.sights import Act, Place
from foveal.engines.evidence.vocabulary import Language, Thing

CANNOT = "사진만으로는 알 수 없습니다."
_LOOKED_FOR = {
    "price": "가격",
    "time": "시간",
    "phone": "전화번호",
    "email": "이메일 주소",
    "url": "웹 주소",
    "date": "날짜",
    "plate": "번호판",
    "number": "숫자",
    "title": "제목",
    "name": "이름",
}
_PLACES = {
    "left": "왼쪽",
    "right": "오른쪽",
    "middle": "가운데",
    "top": "위쪽",
    "bottom": "아래쪽",
    "top left": "왼쪽 위",
    "top right": "오른쪽 위",
    "bottom left": "왼쪽 아래",
    "bottom right": "오른쪽 아래",
    "foreground": "앞쪽",
    "background": "배경",
}
_ACROSS = {
    "left": "왼쪽",
    "right": "오른쪽",
    "middle": "가운데",
    "left of the middle": "가운데에서 조금 왼쪽",
    "right of the middle": "가운데에서 조금 오른쪽",
}
_RELATIONS = {
    Relation.ON: "위",
    Relation.UNDER: "아래",
    Relation.ABOVE: "위",
    Relation.BELOW: "아래",
    Relation.LEFT_OF: "왼쪽",
    Relation.RIGHT_OF: "오른쪽",
    Relation.NEXT_TO: "옆",
    Relation.IN: "안",
    Relation.FRONT: "앞",
    Relation.BEHIND: "뒤",
    Relation.WITH: "곁",
}
_EXTREMES = {"largest": "가장 큰", "biggest": "가장 큰", "smallest": "가장 작은", "tallest": "가장 키가 큰"}


def spot(place: Position) -> str:
    if place.fills:
        return "사진 거의 전체"
    down = {"top": "위", "bottom": "아래"}.get(place.down, "")
    across = _ACROSS[place.across]
    return f"{across} {down}" if down else across


def quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


def named(thing: Thing) -> str:
    return thing.said if thing.said and "가" <= thing.said[0] <= "힣" else thing.korean


class KoreanPhrases:
    """`Phrases` in Korean."""

    language: Language = "ko"

    def __init__(self, colours: Mapping[str, str]) -> None:
        self._colours = colours

    def _hues(self, names: Sequence[str]) -> str:
        return joined([self._colours.get(name, name) for name in names])

    def _is(self, names: Sequence[str]) -> str:
        return f"{self._hues(names)}입니다"

    def present(self, thing: Thing, count: int, *, sure: bool) -> Answer:
        if not sure:
            return Answer(f"네, {subject(thing.korean)} 있는 것 같지만 확실하지는 않습니다.", "네")
        return Answer(
            f"네, {subject(counted(thing, count))} 있습니다."
            if not thing.group
            else f"네, {subject(thing.korean)} {amount(thing, count)} 있습니다.",
            "네",
        )

    def partly(self, thing: Thing, count: int, counting: bool) -> Answer:
        said = named(thing)
        adds = thing.adds if thing.adds and "가" <= thing.adds[0] <= "힣" else "그 이상"
        if said != thing.korean and adds == "종류":
            return Answer(
                f"{subject(counted(thing, count))} 있지만, {said}인지는 사진만으로는 알 수 없습니다.",
                amount(thing, count) if counting else "알 수 없음",
            )
        return Answer(
            f"{subject(counted(thing, count))} 있지만, {topic(adds)} 사진만으로는 알 수 없습니다.",
            amount(thing, count) if counting else "알 수 없음",
        )

    def absent(self, thing: Thing) -> Answer:
        return Answer(f"아니요, 사진에 {subject(named(thing))} 보이지 않습니다.", "아니요")

    def missing(self, thing: Thing) -> Answer:
        return Answer(f"사진에 {subject(named(thing))} 보이지 않습니다.", "없음")

    def unsure(self, thing: Thing) -> Answer:
        return Answer(
            f"사진에 {subject(named(thing))} 있는지 확실히 알 수 없습니다.", "알 수 없음", known=False
        )

    def guessed(self, thing: Thing, place: Position) -> Answer:
        where = spot(place)
        return Answer(
            f"사진에 {subject(named(thing))} 있는지 확실하지 않지만, 있다면 {where}에 있습니다.",
            f"확실하지 않음, {where}",
            known=False,
        )

    def cannot_see(self, noun: str) -> Answer:
        if not noun:
            return self.cannot_tell()
        return Answer(
            f"사진만으로는 알 수 없습니다. ‘{noun}’ 같은 것은 알아볼 수 없습니다.", "알 수 없음", known=False
        )

    def looks_like(self, name: str, *, yes: bool) -> Answer:
        return Answer(
            f"{'네, ' if yes else ''}{name}(으)로 보입니다.".replace("(으)로", _as(name)),
            "네" if yes else name,
        )

    def coloured(self, thing: Thing, colour: str, count: int, actual: Sequence[str]) -> Answer:
        hue = self._hues([colour])
        if count:
            return Answer(f"네, {hue} {subject(counted(thing, count))} 있습니다.", "네")
        seen = f" {topic(thing.korean)} {self._hues(actual)}으로 보입니다." if actual else ""
        return Answer(f"아니요, {hue} {topic(thing.korean)} 보이지 않습니다.{seen}", "아니요")

    def counted(self, thing: Thing, count: int) -> Answer:
        if not count:
            return Answer(
                f"사진에 {topic(thing.korean)} 한 {thing.unit}도 보이지 않습니다.", f"0{thing.unit}"
            )
        about = "약 " if count > 12 else ""
        return Answer(
            f"{subject(thing.korean)} {about}{amount(thing, count)} 있습니다.", f"{count}{thing.unit}"
        )

    def counted_where(self, thing: Thing, count: int, where: str) -> Answer:
        if not count:
            return Answer(f"{where}에는 {subject(thing.korean)} 보이지 않습니다.", f"0{thing.unit}")
        return Answer(
            f"{where}에 {subject(thing.korean)} {amount(thing, count)} 있습니다.", f"{count}{thing.unit}"
        )

    def counted_but(self, thing: Thing, count: int) -> Answer:
        return Answer(
            f"{topic(thing.korean)} {amount(thing, count)} 보이지만, 나머지는 사진만으로는 알 수 없습니다.",
            "알 수 없음",
            known=False,
        )

    def compared(self, thing: Thing, count: int, kind: str, number: int, ok: bool) -> Answer:
        seen = (
            f"{subject(thing.korean)} {amount(thing, count)} 있습니다"
            if count
            else f"{subject(thing.korean)} 보이지 않습니다"
        )
        return Answer(f"{'네' if ok else '아니요'}, {seen}.", "네" if ok else "아니요")

    def compared_two(self, one: tuple[Thing, int], other: tuple[Thing, int], ok: bool) -> Answer:
        parts = [f"{topic(thing.korean)} {count}{thing.unit}" for thing, count in (one, other)]
        return Answer(f"{'네' if ok else '아니요'}, {', '.join(parts)}입니다.", "네" if ok else "아니요")

    def placed(self, thing: Thing, places: Sequence[Position], on: Thing | None) -> Answer:
        if len(places) == 1:
            if places[0].fills:
                return Answer(f"{subject(thing.korean)} 사진 대부분을 차지하고 있습니다.", "사진 대부분")
            upon = f" {on.korean} 위에" if on is not None else ""
            return Answer(
                f"{topic(thing.korean)} 사진의 {spot(places[0])}에{',' if upon else ''}{upon} 있습니다.",
                spot(places[0]),
            )
        spots = [spot(place) for place in places]
        counts = {where: spots.count(where) for where in dict.fromkeys(spots)}
        if len(counts) == 1:
            return Answer(
                f"{thing.korean} {topic(amount(thing, len(places)))} 사진의 {spots[0]}에 있습니다.", spots[0]
            )
        if len(places) > 5:
            return Answer(
                f"{subject(thing.korean)} {amount(thing, len(places))} 있고, 사진 여러 곳에 있습니다.",
                "여러 곳",
            )
        parts = [f"{where}에 {amount(thing, count)}" for where, count in counts.items()]
        return Answer(
            f"{subject(thing.korean)} {amount(thing, len(places))} 있습니다: {', '.join(parts)}.",
            ", ".join(parts),
        )

    def is_placed(self, thing: Thing, place: str, ok: bool, actual: Position) -> Answer:
        if ok:
            return Answer(f"네, {topic(thing.korean)} {_PLACES[place]}에 있습니다.", "네")
        return Answer(f"아니요, {topic(thing.korean)} {spot(actual)}에 있습니다.", "아니요")

    def related(self, thing: Thing, relation: Relation, anchor: Thing, ok: bool) -> Answer:
        if relation == Relation.WITH:
            verb = "함께 있는 것으로 보입니다" if ok else "함께 있는 것으로 보이지 않습니다"
            return Answer(
                f"{'네' if ok else '아니요'}, {joined([thing.korean, subject(anchor.korean)])} {verb}.",
                "네" if ok else "아니요",
            )
        where = f"{anchor.korean} {_RELATIONS[relation]}에"
        if ok:
            return Answer(f"네, {where} {subject(thing.korean)} 있는 것으로 보입니다.", "네")
        return Answer(f"아니요, {where} {subject(thing.korean)} 있는 것으로 보이지 않습니다.", "아니요")

    def what_at(self, items: Items, where: str) -> Answer:
        if not items:
            return Answer(f"{where}에서 알아볼 수 있는 것이 없습니다.", "없음", known=False)
        seen = joined([counted(thing, count) for thing, count in items])
        return Answer(f"{where}에 {subject(seen)} 보입니다.", seen)

    def where_relation(self, relation: Relation, anchor: Thing) -> str:
        return f"{anchor.korean} {_RELATIONS[relation]}"

    def where_place(self, place: str) -> str:
        return _PLACES[place] if place in ("background",) else f"사진의 {_PLACES[place]}"

    def colour(self, thing: Thing, each: Sequence[Sequence[str]], *, clothing: bool) -> Answer:
        hues = joined(list(dict.fromkeys(self._hues(names) for names in each)))
        if clothing:
            return Answer(f"사람의 옷은 {hues}으로 보입니다.", hues)
        return Answer(f"{topic(thing.korean)} {hues}입니다.", hues)

    def part_colour(self, part: str, names: Sequence[str]) -> Answer:
        if not names:
            return self.cannot_tell()
        what = "배경은" if part == "background" else "사진은"
        return Answer(f"{what} 주로 {self._is(names)}.", self._hues(names))

    def is_colour(self, thing: Thing | None, colour: str, ok: bool, actual: Sequence[str]) -> Answer:
        what = "배경" if thing is None else "옷" if "person" in thing.labels else thing.korean
        if ok:
            return Answer(f"네, {topic(what)} {self._is([colour])}.", "네")
        return Answer(f"아니요, {topic(what)} {self._hues(actual)}으로 보입니다.", "아니요")

    def greyscale(self, ok: bool) -> Answer:
        return Answer("네, 흑백 사진입니다." if ok else "아니요, 컬러 사진입니다.", "네" if ok else "아니요")

    def read(self, texts: Sequence[str], *, asked: bool) -> Answer:
        short = " ".join(texts)
        lead = "네, " if asked else ""
        if len(texts) > 4 or len(short) > 160:
            return Answer(f"{lead}다음과 같이 쓰여 있습니다:\n" + "\n".join(texts), short)
        return Answer(f"{lead}{quoted(texts)}{_said(texts[-1])} 쓰여 있습니다.", short)

    def read_target(self, target: str, pieces: Sequence[str]) -> Answer:
        if target in ("title", "name"):
            return Answer(f"가장 큰 글자는 {quoted(pieces[:1])}입니다.", pieces[0])
        if len(pieces) == 1:
            return Answer(f"사진에서 읽은 {topic(_LOOKED_FOR[target])} {pieces[0]}입니다.", pieces[0])
        return Answer(f"사진에서 다음을 읽었습니다: {', '.join(pieces)}.", ", ".join(pieces))

    def no_text(self, target: str) -> Answer:
        if target == "any":
            return Answer("아니요, 사진에 읽을 수 있는 글자가 보이지 않습니다.", "아니요")
        if target in _LOOKED_FOR:
            return Answer(
                f"사진에서 {object_of(_LOOKED_FOR[target])} 읽을 수 없어 알 수 없습니다.",
                "알 수 없음",
                known=False,
            )
        return Answer("사진에 읽을 수 있는 글자가 보이지 않습니다.", "없음", known=False)

    def says(self, quoted_: str, ok: bool, texts: Sequence[str]) -> Answer:
        if ok:
            return Answer(f"네, “{quoted_}”{_said(quoted_)} 쓰여 있습니다.", "네")
        more = f" {quoted(texts)}{_said(texts[-1])} 쓰여 있습니다." if len(" ".join(texts)) <= 120 else ""
        return Answer(f"아니요, “{quoted_}”라는 글자는 보이지 않습니다.{more}", "아니요")

    def listing(self, items: Items) -> Answer:
        seen = joined([counted(thing, count) for thing, count in items])
        return Answer(f"{subject(seen)} 보입니다.", seen)

    def identity(self, items: Items, tag: str, tag_kind: str) -> Answer:
        if not items:
            return Answer(f"{tag}{_as(tag)} 보입니다.", tag)
        thing, count = items[0]
        if len(items) == 1 and count == 1:
            if tag and tag_kind == thing.key and tag != thing.korean:
                return Answer(f"{thing.korean}입니다. {tag}{_as(tag)} 보입니다.", thing.korean)
            if tag and not tag_kind:
                return Answer(f"{tag}{_as(tag)} 보입니다.", tag)
            return Answer(f"{thing.korean}입니다.", thing.korean)
        return self.listing(items)

    def doing(self, acts: Sequence[Act]) -> Answer:
        act = acts[0]
        if act.korean:
            return Answer(f"{object_of(act.korean)} 하고 있는 것으로 보입니다.", act.korean)
        return self.cannot_tell()

    def doing_unknown(self, thing: Thing, count: int) -> Answer:
        if not count:
            return self.cannot_tell()
        return Answer(
            f"{subject(thing.korean)} {amount(thing, count)} 보이지만, 무엇을 하는지는 "
            "사진만으로는 알 수 없습니다.",
            "알 수 없음",
            known=False,
        )

    def faces(self, count: int, *, counting: bool) -> Answer:
        if not count:
            return Answer(
                "사진에 얼굴이 보이지 않습니다." if counting else "아니요, 사진에 얼굴이 보이지 않습니다.",
                "0개" if counting else "아니요",
            )
        return Answer(
            f"{'' if counting else '네, '}얼굴이 {count}개 보입니다.", f"{count}개" if counting else "네"
        )

    def brand(self, texts: Sequence[str]) -> Answer:
        return Answer(
            f"확실히 알 수 없습니다. 다만 {quoted(texts)}{_said(texts[-1])} 쓰여 있습니다.",
            "알 수 없음",
            known=False,
        )

    def place(self, place: Place, *, door: bool, asked: str) -> Answer:
        side = "실내" if place.indoor else "실외"
        if door or place.score < 1.0 or place.name == "outdoors":
            return Answer(f"{side}로 보입니다.", side)
        return Answer(f"{place.korean}{_as(place.korean)} 보입니다 ({side}).", place.korean)

    def extreme(self, thing: Thing, word: str) -> Answer:
        return Answer(
            f"알아볼 수 있는 것 중 {_EXTREMES.get(word, '가장 눈에 띄는')} 것은 {thing.korean}입니다.",
            thing.korean,
        )

    def cannot_tell(self) -> Answer:
        return Answer(CANNOT, "알 수 없음", known=False)

    def nothing_seen(self) -> Answer:
        return Answer("사진에서 알아볼 수 있는 물체가 없습니다.", "없음", known=False)


def _as(name: str) -> str:
    """ "로" after a vowel or ㄹ, else "으로"."""
    last = name[-1]
    if not "가" <= last <= "힣":
        return "로"
    final = (ord(last) - ord("가")) % 28
    return "로" if final in (0, 8) else "으로"


def _said(text: str) -> str:
    """ "라고" after a vowel, "이라고" after a consonant."""
    return particle(text, "이라고", "라고").removeprefix(text)

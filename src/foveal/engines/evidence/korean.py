"""Korean: questions into typed intents, and the small words of answers (particles, counters)."""

from __future__ import annotations

import re
from dataclasses import replace

from foveal.engines.evidence.intents import Ask, Question, Relation
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.vocabulary import Mention, Thing

_NATIVE = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열")
_NUMBERS = {
    "하나": 1,
    "한": 1,
    "둘": 2,
    "두": 2,
    "셋": 3,
    "세": 3,
    "넷": 4,
    "네": 4,
    "다섯": 5,
    "여섯": 6,
    "일곱": 7,
    "여덟": 8,
    "아홉": 9,
    "열": 10,
}
_PLACES = (
    (r"왼쪽 ?(?:위|상단)|좌측 ?상단", "top left"),
    (r"오른쪽 ?(?:위|상단)|우측 ?상단", "top right"),
    (r"왼쪽 ?(?:아래|하단)|좌측 ?하단", "bottom left"),
    (r"오른쪽 ?(?:아래|하단)|우측 ?하단", "bottom right"),
    (r"왼쪽|왼편|좌측", "left"),
    (r"오른쪽|오른편|우측", "right"),
    (r"가운데|중앙|중간|한가운데", "middle"),
    (r"위쪽|상단|윗부분|맨 ?위", "top"),
    (r"아래쪽|하단|아랫부분|맨 ?아래", "bottom"),
    (r"배경", "background"),
)
_RELATIONS = (
    (r"왼쪽|왼편|좌측", Relation.LEFT_OF),
    (r"오른쪽|오른편|우측", Relation.RIGHT_OF),
    (r"옆|근처|곁|주변", Relation.NEXT_TO),
    (r"위", Relation.ON),
    (r"아래|밑", Relation.UNDER),
    (r"앞", Relation.FRONT),
    (r"뒤", Relation.BEHIND),
    (r"안|속", Relation.IN),
)
_WHAT = r"(?:무엇|무얼|뭐|뭘|뭔|무슨 ?(?:물건|물체|것)|어떤 ?(?:것|물건|물체))"
_EXISTS = r"(?:있|보이|보여|존재|나오|나와|찍혀|없|포함)"


def is_korean(text: str) -> bool:
    """True when Hangul makes up a fair part of the letters."""
    hangul = len(re.findall(r"[가-힣]", text))
    return hangul > 0 and hangul * 2 >= len(re.findall(r"[A-Za-z]", text))


def has_final(word: str) -> bool:
    """Whether the last syllable ends in a consonant (numbers and Latin letters by how they are read)."""
    if not word:
        return False
    last = word[-1]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 != 0
    if last.isdigit():
        return last in "013678"
    return last.lower() in "lmnr"


def particle(word: str, with_final: str, without: str) -> str:
    return word + (with_final if has_final(word) else without)


def subject(word: str) -> str:
    return particle(word, "이", "가")


def topic(word: str) -> str:
    return particle(word, "은", "는")


def object_of(word: str) -> str:
    return particle(word, "을", "를")


def toward(word: str) -> str:
    """ "거리로", "욕실로", "사무공간으로" """
    last = word[-1:]
    final = (ord(last) - ord("가")) % 28 if "가" <= last <= "힣" else int(has_final(word))
    return word + ("로" if final in (0, 8) else "으로")


def joined(words: list[str]) -> str:
    """ "고양이와 개", "사람, 말과 소" """
    if len(words) < 2:
        return "".join(words)
    return ", ".join([*words[:-2], particle(words[-2], "과 ", "와 ") + words[-1]])


def counted(thing: Thing, count: int) -> str:
    """ "개 두 마리", "사람 12명" """
    number = _NATIVE[count] + " " if 0 < count <= 10 else f"{count}"
    return f"{thing.korean} {number}{thing.unit}"


def amount(thing: Thing, count: int) -> str:
    number = _NATIVE[count] + " " if 0 < count <= 10 else f"{count}"
    return f"{number}{thing.unit}"


def parse(text: str, lexicon: Lexicon) -> Question:
    low = re.sub(r"\s+", " ", text.strip()).strip(" ?.!,")
    mentions = lexicon.words.find(low, "ko")
    colour = lexicon.korean_colour_in(low)
    quoted = re.search(r"[\"'“‘「]([^\"'”’」]+)[\"'”’」]", low)
    base = Question(
        Ask.OPEN,
        text.strip(),
        language="ko",
        things=tuple(m.thing for m in mentions),
        place=next((name for pattern, name in _PLACES if re.search(pattern, low)), ""),
        colour=colour,
        quoted=quoted.group(1) if quoted else "",
        compare=_comparison(low),
        either=bool(re.search(r"(?:이?나) |또는|혹은|아니면", low)),
    )
    for step in (_reading, _unknowable, _counting, _colouring, _describing, _placing, _presence):
        found = step(low, mentions, base, lexicon)
        if found is not None:
            return found
    return base


def _comparison(low: str) -> tuple[str, int] | None:
    found = re.search(
        rf"(\d+|{'|'.join(_NUMBERS)}) ?(?:명|마리|개|대|권|척)?(?:이|가|은|는)? ?(이상|"
        rf"이하|보다 많|보다 적|미만|초과|뿐|만)",
        low,
    )
    if not found:
        return None
    number, word = found.groups()
    value = int(number) if number.isdigit() else _NUMBERS[number]
    kind = {
        "이상": "least",
        "이하": "most",
        "보다 많": "more",
        "초과": "more",
        "보다 적": "fewer",
        "미만": "fewer",
    }.get(word, "exactly")
    return kind, value


def _reading(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    if re.search(r"몇 ?(?:명|마리|개|대|권|척)|개수", low) and not re.search(r"글자|단어", low):
        return None
    written = re.search(r"써|쓰여|쓰인|적혀|적힌|적은|읽|글자|글씨|텍스트|문구|문자|단어|글이|글은|내용", low)
    target = lexicon.reading_target(low, "ko")
    if target and (written or target != "price"):
        return replace(base, ask=Ask.READ, target=target)
    if target == "price":
        return replace(base, ask=Ask.READ, target="price")
    if not written or re.search(r"읽고 ?있", low):
        return None
    if base.quoted and re.search(rf"{_EXISTS}|써|적혀|쓰여", low) and not re.search(_WHAT, low):
        return replace(base, ask=Ask.SAYS)
    if re.search(
        rf"(?:글자|글씨|텍스트|문구|문자)(?:가|이|는|은|도)? ?(?:\w+ )?{_EXISTS}", low
    ) and not re.search(rf"{_WHAT}|읽어|어떤|무슨", low):
        return replace(base, ask=Ask.READ, target="any")
    return replace(base, ask=Ask.READ)


def _unknowable(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    if lexicon.unknowable("ko", low) and not re.search(r"누가 ?있|누구(?:든|라도)", low):
        return replace(base, ask=Ask.UNKNOWABLE)
    return None


def _anchored(low: str, mentions: tuple[Mention, ...], base: Question) -> Question:
    """ "식탁 위에": the thing before the relation word anchors; the others are asked about."""
    for mention in mentions:
        after = low[mention.end :]
        for pattern, relation in _RELATIONS:
            if re.match(
                rf"(?:들)?(?:의)? ?(?:바로 )?(?:{pattern})(?:쪽|편)?(?:에|에는|에서|의)?(?:\s|$|도|는)", after
            ):
                rest = tuple(m.thing for m in mentions if m is not mention)
                return replace(base, things=rest, anchor=mention.thing, relation=relation, place="")
    if len(mentions) > 1 and re.search(r"들고|타고|안고|메고|쓰고|매고|가지고|데리고", low):
        return replace(base, things=(mentions[0].thing,), anchor=mentions[1].thing, relation=Relation.WITH)
    return base


def _counting(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    asked = re.search(
        r"몇 ?(?:명|마리|개|대|권|척|사람|그루|송이|분)|개수|(?:사람|인원) ?수|얼마나 ?많|세어|몇이", low
    )
    if "얼굴" in low and (asked or re.search(_EXISTS, low)):
        return replace(base, ask=Ask.FACES, target="count" if asked else "any")
    if asked:
        found = _anchored(low, mentions, replace(base, ask=Ask.COUNT))
        if not found.things and re.search(r"몇 ?(?:명|사람|분)|인원", low):
            found = replace(found, things=(lexicon.words.thing("person"),))
        return found if found.things else replace(found, target=_unknown_noun(low))
    if len(base.things) >= 2 and re.search(r"보다 ?(?:더 )?(많|적)", low):
        more = "more" if re.search(r"많", low) else "fewer"
        things = base.things
        first = re.search(r"보다", low)
        if first and len(mentions) >= 2 and mentions[0].end <= first.start() <= mentions[0].end + 1:
            things = (mentions[1].thing, mentions[0].thing)
        return replace(base, ask=Ask.COMPARE, things=things, target=more, compare=None)
    if base.compare is not None and base.things:
        return replace(base, ask=Ask.COMPARE)
    return None


def _colouring(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    part = ""
    if "배경" in low:
        part = "background"
    elif lexicon.clothing("ko", low):
        part = "clothing"
    elif not base.things and re.search(r"사진|이미지|그림|전체|화면", low):
        part = "picture"
    if re.search(
        r"(?:무슨|어떤|뭔) ?(?:색|빛깔|컬러)|색깔?(?:은|이|을|는)? ?(?:뭐|무엇|뭔|"
        r"어떻|어때|알려|말해|무슨)|주요 ?색|색상|색깔$|색깔은|색은",
        low,
    ):
        return replace(base, ask=Ask.COLOUR, part=part)
    if re.search(r"흑백", low):
        return replace(base, ask=Ask.COLOUR_YES_NO, part="greyscale")
    if (
        base.colour
        and re.search(
            r"(?:색|까만|검정|하양|빨강|파랑|노랑)(?:이|인|입|이에|이야|야|인가|입니까|인지)|갛|얗|갈색인|맞",
            low,
        )
        and not re.search(_EXISTS, low)
    ):
        return replace(base, ask=Ask.COLOUR_YES_NO, part=part)
    return None


def _describing(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    if re.search(
        r"뭐 ?하|무엇을 ?하|뭘 ?하|무슨 ?(?:운동|스포츠|행동|활동|일을)|어떤 ?(?:운동|"
        r"스포츠|행동|활동)|하고 ?있(?:나요|어|는지|습니까)",
        low,
    ):
        return replace(base, ask=Ask.DOING)
    if (
        re.search(
            r"실내|실외|야외|어떤 ?(?:장소|곳)|무슨 ?(?:장소|방|곳)|어디(?:인가요|예요|야|"
            r"입니까|인지|일까)$|장소",
            low,
        )
        and not base.things
    ):
        return replace(base, ask=Ask.SCENE)
    if re.search(r"설명|묘사|서술|요약|캡션|소개", low) and not base.things:
        return replace(base, ask=Ask.DESCRIBE)
    general = not base.things or base.things[0].group
    if re.search(r"(?:무슨|어떤|뭔) ?(?:종류|품종|종)", low) or (
        re.search(r"^(?:이것|이거|이건|저것|그것|이게)", low) and re.search(_WHAT + r"|무슨|어떤", low)
    ):
        return replace(base, ask=Ask.WHAT_IS)
    if base.things and general and re.search(r"무슨|어떤|뭐|무엇", low):
        return replace(base, ask=Ask.LIST)
    if re.search(r"물건|물체|사물|객체|항목", low) and not re.search(r"가장|제일", low):
        found = _anchored(low, mentions, base)
        if found.anchor is not None and not found.things:
            return replace(found, ask=Ask.WHAT_AT)
        return replace(base, ask=Ask.LIST)
    if re.search(r"설명|묘사|서술", low):
        return replace(base, ask=Ask.DESCRIBE)
    if (
        not base.things
        and not base.place
        and not re.search("가장|제일", low)
        and re.search(
            rf"{_WHAT}.*{_EXISTS}|{_WHAT}(?:가|이|야|예요|인가요|입니까|죠|지)?$|무슨 "
            rf"?(?:일|사진|그림|이미지|장면)|어떤 ?(?:사진|그림|이미지|장면)|보이는 ?(?:것|"
            rf"걸|대로)",
            low,
        )
    ):
        return replace(base, ask=Ask.DESCRIBE)
    return None


def _placing(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    if (
        re.search(r"가장|제일", low)
        and re.search(r"큰|작은|눈에 ?띄", low)
        and re.search(_WHAT + r"|무엇|뭐", low)
    ):
        return replace(base, ask=Ask.EXTREME, target="smallest" if "작은" in low else "largest")
    if re.search(
        r"어디|어느 ?(?:쪽|위치|부분|편)|위치|왼쪽(?:에)? ?있(?:나요|어요|습니까|어)?,? ?(?:아니면 )?오른쪽",
        low,
    ):
        noun = "" if base.things else _unknown_noun(low)
        found = _anchored(low, mentions, base) if len(mentions) > 1 else base
        return replace(found if found.things else base, ask=Ask.WHERE, place="", target=noun)
    found = _anchored(low, mentions, base)
    if re.search(_WHAT, low):
        if found.anchor is not None and not found.things:
            return replace(found, ask=Ask.WHAT_AT)
        if base.place:
            return replace(base, ask=Ask.WHAT_AT)
        if base.things and re.search(r"들고|타고|입고|안고|먹고", low):
            return replace(base, ask=Ask.WHAT_AT, anchor=base.things[0], things=(), relation=Relation.WITH)
        if base.things:
            return replace(base, ask=Ask.WHAT_IS)
    return None


def _presence(low: str, mentions: tuple[Mention, ...], base: Question, lexicon: Lexicon) -> Question | None:
    exists = re.search(_EXISTS, low)
    found = _anchored(low, mentions, base)
    if found.anchor is not None and found.things:
        ask = (
            Ask.RELATION_YES_NO
            if re.search(r"(?:은|는) ", low[found_end(mentions, found) :][:4])
            else Ask.PRESENCE
        )
        return replace(found, ask=ask)
    if base.things and exists:
        topic_first = re.match(r"(?:들)?(?:은|는)\b", low[mentions[0].end :])
        if base.place and topic_first:
            return replace(base, ask=Ask.PLACE_YES_NO)
        rest = _rest(low, mentions, lexicon)
        return replace(base, ask=Ask.PRESENCE, rest=rest)
    if base.things and re.search(
        r"(?:인가요|인가|입니까|이에요|예요|이야|야|맞나요|맞아|맞습니까|인지|일까)", low
    ):
        return replace(base, ask=Ask.PRESENCE, target="is")
    if base.things and len(low.split()) <= 2:
        return replace(base, ask=Ask.PRESENCE)
    if exists:
        if base.place and not _unknown_noun(low):
            return replace(base, ask=Ask.PLACE_YES_NO)
        noun = _unknown_noun(low)
        return replace(base, ask=Ask.PRESENCE, target=noun) if noun else None
    return None


def found_end(mentions: tuple[Mention, ...], found: Question) -> int:
    return next((m.end for m in mentions if found.things and m.thing == found.things[0]), 0)


def _rest(low: str, mentions: tuple[Mention, ...], lexicon: Lexicon) -> tuple[str, ...]:
    """Verbs that narrow the question beyond the facts: "자고 있는", "웃고 있는"."""
    text = "".join(" " if any(m.start <= i < m.end for m in mentions) else c for i, c in enumerate(low))
    return tuple(re.findall(r"([가-힣]+고) 있(?:는|나|어|습)", text))


def _unknown_noun(low: str) -> str:
    """The noun before its particle in "유니콘이 있나요"."""
    bare = re.sub(
        r"^(?:이|그|저)? ?(?:사진|이미지|그림|화면)(?:에|에는|에서|속에|안에|상에)? ?(?:속에|안에)? ?",
        "",
        low,
    )
    found = re.match(r"(?:혹시 )?([가-힣A-Za-z]+?)(?:들)?(?:이|가|은|는|도|을|를) ", bare)
    noun = found.group(1) if found else ""
    return "" if noun in ("무엇", "뭐", "그것", "이것", "여기", "거기", "그", "몇") else noun

"""Phrases of Korean sentences that name things: modifiers, noun, the count before or behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from foveal.enhancements.grounding_words import FACE, Korean, Mention, Noun

_WORD = re.compile(r"[0-9A-Za-z가-힣]+")
_END = re.compile(r"[.!?。]|\n")
_PARTICLE = re.compile(
    r"(?:들)?(?:에게서|에게|한테|께서|에서는|에서|에는|에도|에|으로|로|까지|부터|마다|처럼|보다|하고|이랑|랑|"
    r"이며|이고|이나|이라고|라고|입니다|이다|인|임|뿐만|만|은|는|이|가|을|를|도|의|와|과|나)?(?:는|도|만)?"
)
_COUNT = re.compile(
    r"([0-9]{1,3}|[가-힣]{1,2}?) ?(명|분|마리|대|개|권|척|송이|잔|병|쌍|자루|장|켤레|그루|조각)(?![가-힣]*색)"
)
_DENIED = re.compile(
    r"없(?!이)|않|아니|아닌|보이지|확실하지|있는지|인지|있다면|모르|알 수|듯한 것은|찾을 수|못"
)
_CLAUSE = re.compile(r"지만|는데|[,;]|(?<=[가-힣])고(?=[ ,])|며(?=[ ,])")
_BACK = 5  # words that may stand before a noun
_LIST = 8  # things of a list that one denial reaches back over
_TOPIC = frozenset(("은", "는", "이", "가", "을", "를", "도", "들은", "들이", "들을", "들도", "만"))


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    end: int
    spaced: bool  # nothing but spaces since the word before
    sentence: int


def korean_words(text: str) -> list[Word]:
    found: list[Word] = []
    last, sentence = 0, 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        sentence += bool(_END.search(between)) and last > 0
        found.append(Word(match.group(), match.start(), match.end(), not between.strip(), sentence))
        last = match.end()
    return found


class KoreanFinder:
    """Finds the mentions of a text, first to last; those that are denied have the form "none"."""

    def __init__(self, words: Korean) -> None:
        self._words = words

    def find(self, text: str, most: int) -> list[Mention]:
        """At most `most` mentions."""
        if not re.search("[가-힣]", text):
            return []
        found = korean_words(text)
        mentions: list[Mention] = []
        past = 0
        for number, word in enumerate(found):
            if word.start < past or len(mentions) >= most:
                continue
            mention = self._at(text, found, number, mentions[-1].end if mentions else 0)
            if mention is not None:
                mentions.append(mention)
                past = mention.end
        for number, mention in enumerate(mentions):
            self._places(text, mentions, number)
            self._company(text, mentions, number)
            if self._denied(text, mentions, number):
                mention.form = "none"
        return mentions

    def _noun(self, text: str, word: Word) -> tuple[Noun, int, str] | None:
        """The longest noun at a word's start, where it ends, and the particle behind it."""
        for name, noun in self._words.nouns.get(word.text[0], ()):
            if not text.startswith(name, word.start):
                continue
            end = word.start + len(name)
            rest = re.compile(r"[0-9A-Za-z가-힣]*").match(text, end)
            particle = rest.group() if rest is not None else ""
            if _PARTICLE.fullmatch(particle):
                return noun, end, particle
        return None

    def _at(self, text: str, found: Sequence[Word], number: int, past: int) -> Mention | None:
        word = found[number]
        known = self._noun(text, word)
        if known is None or not known[0].labels:
            return None
        noun, end, particle = known
        first, count, mention_words = self._before(found, number, past)
        with_unit = any(_COUNT.search(taken) or taken.endswith("의") for taken in mention_words)
        if noun.word in self._words["units"] and count is not None and not with_unit:
            return None
        behind = self._behind(text, end, particle)
        if behind is None or (noun.strict and not (particle or behind[1] or with_unit)):
            return None
        end += particle.startswith("들")
        past_end, counted = behind
        mention = Mention(noun, found[first].start, word.start, past_end or end, word.sentence)
        mention.count = counted or count
        many = particle.startswith("들") or noun.many or any(w in self._words["many"] for w in mention_words)
        mention.plural = many or (mention.count or 0) > 1
        mention.neutral = not mention.plural and mention.count is None
        self._qualify(found, first, number, mention, mention_words)
        if mention.count == 1:
            mention.count = None
        if mention.count is None and noun.two:
            mention.count = 2
        return mention

    def _behind(self, text: str, end: int, particle: str) -> tuple[int, int | None] | None:
        """Where the phrase ends and its count, as in "사람 두 명"; None for "개 사료": another thing."""
        at = end + len(particle)
        space = re.compile(r"[ ]?").match(text, at)
        start = space.end() if space is not None else at
        count = _COUNT.match(text, start)
        if count is not None and particle in ("", "이", "가", "은", "는", "들이", "들은"):
            value = self._number(count.group(1))
            if value is not None:
                return (count.end() if particle in ("", "이", "가") else end), value
        if not particle and start > at:
            follows = _WORD.match(text, start)
            if follows is not None and "가" <= follows.group()[0] <= "힣":
                word = follows.group()
                stem = next(
                    (w for w in sorted(self._words["location"], key=len, reverse=True) if word.startswith(w)),
                    "",
                )
                if not stem and not any(word.startswith(w) for w in self._words["after"]):
                    return None if self._compound(word) else (0, None)
        return 0, None

    def _compound(self, word: str) -> bool:
        return any(word.startswith(other) for other in self._words["compound"])

    def _number(self, written: str) -> int | None:
        return int(written) if written.isdecimal() else self._words.numbers.get(written)

    def _before(self, found: Sequence[Word], number: int, past: int) -> tuple[int, int | None, list[str]]:
        """The phrase's first word, a count before the noun, and the words between."""
        words = self._words
        first, count = number, None
        taken: list[str] = []
        place = number - 1
        while place >= max(0, number - _BACK) and found[place].start >= past and found[place + 1].spaced:
            text = found[place].text
            counted = _COUNT.fullmatch(text.removesuffix("의"))
            if text in words.numbers:
                count = words.numbers[text]
            elif (
                text.removesuffix("의") in words["units"]
                and place
                and self._number(found[place - 1].text) is not None
            ):
                count = self._number(found[place - 1].text)
                taken.append(text)
                first = place = place - 1
                place -= 1
                continue
            elif counted is not None and self._number(counted.group(1)) is not None:
                count = self._number(counted.group(1))
            elif not self._modifies(text):
                break
            taken.append(text)
            first = place
            place -= 1
        return first, count, taken

    def _modifies(self, text: str) -> bool:
        words = self._words
        known = any(text in words[name] for name in ("many", "others", "definite", "another", "adjectives"))
        return known or self._coloured(text)

    def _coloured(self, text: str) -> bool:
        return bool(self._words.colour(text)) and (
            text.endswith(("색", "색의", "은", "간", "란", "얀", "른", "흰", "만")) or text == "흰"
        )

    def _qualify(
        self, found: Sequence[Word], first: int, number: int, mention: Mention, taken: Sequence[str]
    ) -> None:
        words = self._words
        if any(word in words["definite"] for word in taken):
            mention.form = "the"
        elif any(word in words["others"] or word in words["another"] for word in taken):
            mention.form, mention.rest = "another", True
        elif mention.count is not None or mention.plural or taken:
            mention.form = "a"
        hues = [words.colour(word) for word in taken if self._coloured(word)]
        mention.colours = tuple(dict.fromkeys(hue for hue in hues if hue))
        if "큰" in taken or "커다란" in taken:
            mention.size = "large"
        elif "작은" in taken or "조그만" in taken:
            mention.size = "small"
        places = [words.places[word] for word in taken if word in words.places]
        mention.place = tuple(dict.fromkeys(places))
        if not mention.noun.person:
            return
        for place in range(first - 1, max(-1, first - 5), -1):  # "빨간 옷을 입은 사람"
            if not found[place + 1].spaced:
                break
            if found[place].text in words["clothing"] and place:
                colour = words.colour(found[place - 1].text)
                mention.worn = (colour,) if colour else ()
                break

    def _company(self, text: str, mentions: Sequence[Mention], number: int) -> None:
        """ "남자가 오토바이를 타고": the man with a motorcycle, which lies where he does."""
        if not number:
            return
        one, other = mentions[number - 1], mentions[number]
        between = text[one.end : other.start]
        if one.sentence != other.sentence or not one.noun.person or other.noun.person:
            return
        if other.noun.labels == (FACE,):
            other.owner = number - 1 if between in ("의 ", " ") else None
            return
        if len(between) <= 20 and re.match(r"들?(?:이|가|은|는)\s", between) and not _CLAUSE.search(between):
            one.beside, other.beside, other.holder = other.noun.labels, one.noun.labels, number - 1
            other.place = other.place or one.place

    def _places(self, text: str, mentions: Sequence[Mention], number: int) -> None:
        """ "왼쪽에는 남자가", "개는 사진의 오른쪽에 있습니다" """
        words, mention = self._words, mentions[number]
        if re.match(r"들?(?:은|는)\s", text[mention.end : mention.end + 4]) and mention.form == "bare":
            mention.form = "the"
        opens = max((mentions[number - 1].end if number else 0), mention.start - 60)
        before = text[opens : mention.start]
        names = []
        cut = max((m.end() for m in re.finditer(r"[.!?\n]|다[.,]? |고,? |지만,? |며,? ", before)), default=0)
        for written, name in words.places.items():
            at = before.find(written, cut)
            if at < 0:
                continue
            whose = re.search(r"([가-힣]+) ?$", before[cut:at])
            alone = whose is None or whose.group(1) in words["picture"]
            relative = number and not before[:at].strip() and not alone
            if not relative and (alone or cut or not number or not before[cut:at].strip().endswith("의")):
                names.append(name)
        if not names:
            ends = mentions[number + 1].start if number + 1 < len(mentions) else len(text)
            behind = text[mention.end : min(ends, mention.end + 60)]
            stop = re.search(r"[.!?\n]|고,? |지만", behind)
            behind = behind[: stop.start()] if stop is not None else behind
            topic = re.match(r"(?:들)?(?:은|는|이|가)\s", behind)
            if topic is not None and re.search(r"에 ?(?:있|보|서|앉|위치|놓|주차)|에(?:도|는)?$", behind):
                names = [name for written, name in words.places.items() if self._own(behind, written)]
        mention.place = tuple(dict.fromkeys((*mention.place, *names)))

    def _own(self, behind: str, written: str) -> bool:
        """A place of the picture rather than of another thing ("차의 왼쪽에")."""
        at = behind.find(written)
        if at < 0:
            return False
        whose = re.search(r"([가-힣]+)의? ?$", behind[1:at])
        return whose is None or any(
            whose.group(1).startswith(p)
            for p in ("사진", "이미지", "그림", "화면", "장면", "왼쪽", "오른쪽", "가운데", "조금")
        )

    def _denied(self, text: str, mentions: Sequence[Mention], number: int, depth: int = 0) -> bool:
        """Whether the clause behind a subject says that it is not there."""
        mention = mentions[number]
        follows = mentions[number + 1] if number + 1 < len(mentions) else None
        rest = text[mention.end : mention.end + 80]
        stop = re.search(r"[.!?\n]", rest)
        question = stop is not None and stop.group() == "?"
        rest = rest[: stop.start()] if stop is not None else rest
        if question:
            return True
        clause = _CLAUSE.search(rest)
        near = rest[: clause.start()] if clause is not None else rest
        particle = re.match(r"[가-힣]*", near)
        said = particle.group() if particle is not None else ""
        if follows is not None and follows.start < mention.end + len(near):
            between = text[mention.end : follows.start].strip()
            joined = between in ("와", "과", "나", "이나", "또는", "및", "나", "하고", "랑")
            return joined and depth < _LIST and self._denied(text, mentions, number + 1, depth + 1)
        if said and said not in _TOPIC and not re.match(r"이?라|인지|이나|나$", said):
            return False
        if not said and any(near.strip().startswith(place) for place in self._words["location"]):
            return False
        return bool(_DENIED.search(near))

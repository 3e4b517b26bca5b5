"""The parts of an English clause: cleaned words, things, colours, places, relations, comparisons."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foveal.engines.evidence.intents import Relation
from foveal.engines.evidence.lexicon import Lexicon
from foveal.engines.evidence.vocabulary import Mention

PICTURE = r"(?:image|picture|photo|photograph|pic|scene|screenshot|frame|shot)s?"
THE_PICTURE = (
    rf"(?:(?:in|of|from|on|within|across|inside|throughout|for|to|"
    rf"with)\s+)?(?:the|this|that|these|both|each|every|all|my|your|our|"
    rf"an?)?\s*(?:first|second|third|last|given|attached|provided|following|above|"
    rf"entire|whole)?\s*{PICTURE}"
)
_RELATIONS: tuple[tuple[str, Relation], ...] = (
    (r"(?:to|on|at)? ?(?:the )?left(?:[- ]hand)?(?: side)? of", Relation.LEFT_OF),
    (r"(?:to|on|at)? ?(?:the )?right(?:[- ]hand)?(?: side)? of", Relation.RIGHT_OF),
    (r"next to|beside|besides|near|close to|adjacent to|alongside|by|around|nearby|at", Relation.NEXT_TO),
    (r"in front of", Relation.FRONT),
    (r"behind", Relation.BEHIND),
    (r"on top of|on|upon|atop|onto", Relation.ON),
    (r"underneath|under|beneath", Relation.UNDER),
    (r"below", Relation.BELOW),
    (r"above|over", Relation.ABOVE),
    (
        r"riding(?: on)?|ride|holding|hold|holds|carrying|carry|carries|using|"
        r"wearing|wear|with|eating|walking",
        Relation.WITH,
    ),
    (r"inside of|inside|in|within", Relation.IN),
)
NUMBERS = {
    "zero": 0,
    "no": 0,
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "dozen": 12,
    "single": 1,
}
NUMBER = "|".join([*NUMBERS, r"\d+"])
_COMPARE = re.compile(
    rf"\b(more than|fewer than|less than|at least|at most|exactly|only|over|no "
    rf"more than|no fewer than|just)\s+({NUMBER})\b"
)
_PLACES = (
    (r"(?:top|upper)[- ]?left", "top left"),
    (r"(?:top|upper)[- ]?right", "top right"),
    (r"(?:bottom|lower)[- ]?left", "bottom left"),
    (r"(?:bottom|lower)[- ]?right", "bottom right"),
    (r"left(?:most)?(?:[- ]hand)?", "left"),
    (r"right(?:most)?(?:[- ]hand)?", "right"),
    (r"middle|cent(?:er|re)|central", "middle"),
    (r"top|upper|above", "top"),
    (r"bottom|lower|below", "bottom"),
    (r"foreground|front", "foreground"),
    (r"background", "background"),
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause with what the vocabulary found in it."""

    text: str  # as written
    low: str  # lower case, straight quotes, no politeness
    mentions: tuple[Mention, ...]
    colours: tuple[str, ...]
    colour_spans: tuple[tuple[int, int], ...]


def clean(text: str) -> str:
    """Lower case, straight apostrophes, politeness and lead-ins removed."""
    low = re.sub(r"\s+", " ", text.strip().lower().replace("’", "'").replace("whats ", "what's ")).strip(
        " ?.!,:;"
    )
    lead = re.compile(
        r"^(?:please|kindly|hey|hi|hello|ok(?:ay)?|so|and|also|then|now|well|but|or|"
        r"yes|no|thanks|thank you|foveal|just|"
        r"in (?:the|this|that) (?:\w+ )?(?:image|picture|photo)|looking at (?:the|this) \w+|"
        r"look at (?:the|this|my|these|that) \w+(?: and)?|based on (?:the|this) \w+|"
        r"from (?:the|this) (?:image|picture|photo)|"
        r"(?:can|could|would|will) you (?:please |kindly |also )*(?=tell|show|say|"
        r"explain|describe|list|count|read|identify|give|let|transcribe|name|help|"
        r"check|look|find out|confirm|locate|point|spot what)|"
        r"(?:do|can|could) you (?:know|tell|say|determine|confirm)(?: me| us| for "
        r"me)?(?: if| whether)?(?=\s)|"
        r"(?:tell|show) (?:me|us)(?: please)?(?: if| whether)?(?! (?:something |more "
        r"|everything |all )?about)|let me know(?: if| whether)?|"
        r"say (?=what|if|whether|how)|(?:check|confirm|find out|see) (?:if|whether)|"
        r"if|whether|i(?:'d| would)? (?:like|want|need) to know(?: if| whether)?|"
        r"i wonder(?: if| whether)?|give me|answer(?: this)?(?: question)?|question)[,:!]?\s+"
    )
    reported = False
    while True:
        shorter = lead.sub("", low)
        if shorter == low:
            break
        reported = reported or bool(re.search(r"\b(?:if|whether)\s*$", low[: len(low) - len(shorter)]))
        low = shorter
    if reported:  # "... if the car is red" asks "is the car red"
        low = re.sub(
            r"^(there|the|this|that|it|an?|any\w*|some\w*)\b(.*?) (is|are|was|were|has|have|can|does|do)\b",
            r"\3 \1\2",
            low,
        )
    return re.sub(r",? please$|,? thanks?$|, right$|, correct$", "", low)


def read_clause(text: str, lexicon: Lexicon) -> Clause:
    low = clean(text)
    spans = lexicon.colours_in(low)
    mentions = [
        m
        for m in lexicon.words.find(low, "en")
        if not _is_colour_word(low, m, spans) and not _is_picture(low, m)
    ]
    colours = [(name, s, e) for name, s, e in spans if not any(m.start <= s < m.end for m in mentions)]
    return Clause(
        text,
        low,
        tuple(mentions),
        tuple(name for name, _, _ in colours),
        tuple((s, e) for _, s, e in colours),
    )


def _is_colour_word(low: str, mention: Mention, spans: list[tuple[str, int, int]]) -> bool:
    """ "orange" is a colour before a noun and after "is", a fruit after an article or a number."""
    if not any(mention.start == s for _, s, _ in spans) or mention.plural:
        return False
    before, after = low[: mention.start].rstrip(), low[mention.end :].lstrip()
    if re.search(r"\b(?:the|any) \w+$|\b(?:is|are|it) $|\bcolou?r(?:ed)?$", before + " "):
        return not re.match(r"(?:on|in|at|next|near|there|visible)\b", after) or " is it " in low
    if re.search(
        r"\b(?:is|are) (?:the|it|they|this|that|his|her|their) ?(?:\w+ ?)*$", before
    ) and not before.endswith((" the", " an", " any", "there")):
        return not after
    return bool(re.match(r"[a-z]", after)) and not re.match(
        r"(?:in|on|at|is|are|does|do|or|and|next|visible|present|there|of|to|from|"
        r"with|shown|sit|can|here|look|appear)\b",
        after,
    )


def _is_picture(low: str, mention: Mention) -> bool:
    return bool(re.fullmatch(PICTURE, low[mention.start : mention.end]))


def relation_in(low: str) -> tuple[Relation, int, int] | None:
    """The first spatial relation that is followed by something other than the picture itself."""
    best: tuple[Relation, int, int] | None = None
    low = re.sub(r"\bat (?=least|most)", "   ", low)
    bare = re.sub(rf"{THE_PICTURE}\b", lambda m: " " * len(m.group()), low)
    bare = re.sub(
        r"(?:on|at|in|to|from|of) (?:the |its )?(?:far |very )?(?:top|bottom|upper|"
        r"lower|left|right|middle|cent(?:er|re)|foreground|background)(?!\S*[- "
        r"]?(?:hand )?(?:side )?of\b)[- ]?(?:left|right|hand|corner|half)?(?: side| "
        r"part| corner| half)?",
        lambda m: " " * len(m.group()),
        bare,
    )
    for pattern, relation in _RELATIONS:
        found = re.search(rf"\b(?:{pattern})\b(?=\s+\S)", bare)
        if found and (best is None or found.start() < best[1]):
            best = (relation, found.start(), found.end())
    return best


def place_in(low: str) -> str:
    """A part of the picture that the clause names ("left", "top right"), not relative to a thing."""
    bare = re.sub(
        r"\b(?:left|right)(?:[- ]hand)?(?: side)? of (?!the (?:image|picture|photo|scene|frame))", "", low
    )
    bare = re.sub(r"\bleft or (?:the |on the )?right\b|\bright or (?:the )?left\b", "", bare)
    bare = re.sub(r"\bon top of\b|\bin front of\b|\b(?:above|below) (?:the|a|an)\b", "", bare)
    for pattern, name in _PLACES:
        if re.search(rf"\b(?:{pattern})\b", bare):
            return name
    return ""


def comparison(low: str) -> tuple[str, int] | None:
    found = _COMPARE.search(low)
    if not found:
        return None
    word, number = found.groups()
    kind = {
        "more than": "more",
        "over": "more",
        "fewer than": "fewer",
        "less than": "fewer",
        "at least": "least",
        "no fewer than": "least",
        "at most": "most",
        "no more than": "most",
    }.get(word, "exactly")
    if kind == "exactly" and number in ("a", "an", "no"):
        return ("exactly", 1) if number != "no" else None
    return kind, NUMBERS[number] if number in NUMBERS else int(number)


def rest_of(clause: Clause, lexicon: Lexicon) -> tuple[str, ...]:
    """Words of the clause that nothing accounts for."""
    spans = [(m.start, m.end) for m in clause.mentions] + list(clause.colour_spans)
    text = "".join(" " if any(s <= i < e for s, e in spans) else c for i, c in enumerate(clause.low))
    return tuple(
        word
        for word in re.findall(r"[a-z][a-z'-]*", text)
        if word.split("'")[0] not in lexicon.harmless and len(word) > 1
    )


def unknown_noun(low: str, clause: Clause) -> str:
    """The noun of "is there a ..." that no table knows; empty when the clause has none."""
    if clause.mentions:
        return ""
    found = re.search(
        r"\b(?:there|see|seeing|spot|find|contain|contains|include|includes|show|"
        r"shows|have|has|any|notice|how many|number of|where(?:'s| is| are)|is|"
        r"are)\s+"
        r"(?:(?:an?|any|some|the|also|one|of|of the)\s+)*([a-z][a-z' "
        r"-]*?)(?=\s+(?:in|on|at|of|are|is|next|near|with|visible|present|do|does|"
        r"can|that|which|there|shown|here|or|and|by|from|to|under|behind|located)\b|"
        r"$)",
        re.sub(r"\b(?:is|are) (?=there\b)", "", low),
    )
    noun = found.group(1).strip() if found else ""
    return (
        ""
        if noun in ("it", "this", "that", "they", "them", "there", "these", "those", "here", "in", "on")
        else noun
    )

"""English questions: one clause of text in, a typed `Question` out. Deterministic, no model."""

from __future__ import annotations

import re
from dataclasses import replace

from foveal.engines.evidence.english_clause import (
    NUMBERS,
    PICTURE,
    THE_PICTURE,
    Clause,
    comparison,
    place_in,
    read_clause,
    relation_in,
    rest_of,
    unknown_noun,
)
from foveal.engines.evidence.intents import Ask, Question, Relation
from foveal.engines.evidence.lexicon import Lexicon

_YES_NO = re.compile(
    r"^(?:is|are|was|were|do|does|did|has|have|can|could|will|would|isn't|aren't|"
    r"don't|doesn't|any|anyone|anybody|someone)\b"
)
_THERE = re.compile(
    r"\b(?:there|any|contains?|includes?|shows?|have|has|having|sees?|seen|spot|"
    r"find|visible|present|appears?|depicts?|featured?s?|"
    r"exists?|notice|detect|pictured|shown|made out|make out)\b"
)
_COUNT = re.compile(
    r"\bhow many\b|\b(?:the )?(?:total )?number of\b|^count\b|\bcount (?:the|of|"
    r"all|how)\b|\bhow much\b(?! (?:does|do|is|are|for|did))"
)
_READ = re.compile(
    r"\b(?:says?|reads?|reading|written|writing|text|texts|words?|letters?|"
    r"transcribe|ocr|spell|caption|inscription|slogan|"
    r"headline|title|license plate|licence plate|number plate|printed|subtitle|legible|sign say|label say)\b"
)
_DESCRIBE = re.compile(
    r"\bdescri(?:be|ption)\b|\bcaption\b|\bsummar|\btell (?:me |us "
    r")?(?:something |more |everything )?about\b|"
    r"\bwhat(?:'s| is| are| do| can| does| did)? (?:you see|i see|we see|you "
    r"observe|visible|shown|depicted|pictured|"
    rf"(?:this|the|that|these) {PICTURE} (?:shows?|depicts?|contains?|of|about)|"
    rf"happening|going on|there to see)\b|"
    rf"\bwhat(?:'s| is| are) (?:in|on|this|that|inside)? ?(?:the|this|that|these|a)? ?{PICTURE}\b|"
    rf"\bwhat (?:does|do|is) (?:this|the|that|these) {PICTURE}(?: (?:show|depict|"
    rf"contain|about|of|showing|represent))?\b|"
    r"^(?:explain|analy[sz]e|elaborate)\b|\bwhat (?:can|do|could) (?:you|we|i|"
    r"be) (?:\w+ )?(?:see|seen)\b|\balt[- ]text\b|"
    r"\bwhat(?:'s| is) (?:happening|going on|here|there)\b"
)
_LIST = re.compile(
    r"\b(?:what|which|list|name|identify|enumerate)\b.*\b(?:objects?|things?|"
    r"items?|stuff)\b|^(?:list|name|identify|enumerate)\b|"
    r"\bwhat else\b"
)
_COLOUR = re.compile(
    r"\b(?:what|which|tell|name|main|dominant|describe)\b.*\bcolou?rs?\b|"
    r"^colou?rs? of\b|\bhow is .* colou?red\b"
)
_WHERE = re.compile(
    r"\bwhere(?:'s|s| is| are| can| do| in| on| abouts)?\b|\bwhere's\b|"
    r"\b(?:which|what) (?:side|part|corner|half|area|position|region|location)\b|"
    r""
    r"\b(?:position|location|placement) of\b|\blocate\b|\bleft or (?:the |on the "
    r")?right\b|\bright or (?:the |on the )?left\b|\btop or (?:the )?bottom\b"
)
_NUMERIC_YES_NO = re.compile(
    rf"^(?:is|are|do|does|can|have|"
    rf"has)\b.*?\b({'|'.join(k for k in NUMBERS if k not in ('a', 'an', 'no', 'single'))}|"
    rf"\d+)\b"
)
_EXTREME = re.compile(
    r"\b(largest|biggest|smallest|tallest|closest|main|most prominent|most noticeable|highest|lowest)\b"
)
_SCENE = re.compile(
    r"\b(?:indoors?|outdoors?|inside or outside|outside or inside|room|setting|"
    r"kind of place|type of place|sort of place|environment|"
    r"what place|scenery|landscape)\b"
)
_QUOTED = re.compile(r"[\"“”«»「]([^\"“”«»」]+)[\"“”«»」]|(?:^|\s)[‘']([^'’]+)[’'](?:\s|$|\?)")

WEARABLE = frozenset(("tie", "backpack", "handbag"))


def parse(text: str, lexicon: Lexicon) -> Question:
    """The clause's intent. Order matters: what nobody can see first, then the most telling words."""
    clause = read_clause(text, lexicon)
    low = clause.low
    things = tuple(mention.thing for mention in clause.mentions)
    quoted = _QUOTED.search(text)
    base = Question(
        Ask.OPEN,
        text.strip(),
        things=things,
        place=place_in(low),
        colour=clause.colours[0] if clause.colours else "",
        quoted=next((g for g in quoted.groups() if g), "") if quoted else "",
        rest=rest_of(clause, lexicon),
        compare=comparison(low),
        either=bool(re.search(r"\bor\b", low)),
    )
    for step in (_reading, _unknowable, _counting, _colouring, _placing, _describing, _yes_no, _whatever):
        found = step(clause, base, lexicon)
        if found is not None:
            return found
    return base


def _reading(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    target = lexicon.reading_target(low)
    if target and not re.search(r"\bhow many\b", low):
        return replace(base, ask=Ask.READ, target=target)
    if not _READ.search(low) or re.search(
        r"\bhow many (?!words|letters|lines)|\bcaption (?:this|the|for)|\bwrite a\b|"
        r"(?:one|few|single|ten|\d+) words?\b|\bin (?:your )?own words\b|^(?:is|are) "
        r"(?:\w+ )+reading\b|\bdescrib",
        low,
    ):
        return None
    if base.quoted and _YES_NO.match(low):
        return replace(base, ask=Ask.SAYS)
    said = re.search(
        r"^(?:does|do) .*\b(?:say|read|contain the words?|include the words?|contain "
        r"the text) (?:the words? |the text )?[\"']?(.+?)[\"']?$",
        low,
    )
    if said and not re.match(r"(?:anything|something|any)\b", said.group(1)):
        return replace(base, ask=Ask.SAYS, quoted=said.group(1))
    word = re.search(
        r"\bthe (?:word|text|words) [\"']?([\w' -]+?)[\"']? (?:appear|visible|"
        r"written|present|shown|in|on|there|anywhere)",
        low,
    )
    if word and _YES_NO.match(low):
        return replace(base, ask=Ask.SAYS, quoted=word.group(1))
    if _YES_NO.match(low) and re.search(
        r"\b(?:any|some|text|words|writing|something written|letters)\b", low
    ):
        return replace(base, ask=Ask.READ, target="any")
    if _COLOUR.search(low):
        return None
    return replace(base, ask=Ask.READ)


def _unknowable(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    if lexicon.unknowable("en", clause.low):
        return replace(base, ask=Ask.UNKNOWABLE)
    return None


def _anchored(clause: Clause, base: Question) -> Question:
    """Fills `anchor` and `relation` from "X on the Y": X is asked about, Y anchors."""
    found = relation_in(clause.low)
    if found is None:
        return base
    relation, start, end = found
    after = [m for m in clause.mentions if m.start >= end]
    before = [m for m in clause.mentions if m.end <= start + 1]
    if not after:
        return base
    return replace(base, things=tuple(m.thing for m in before), anchor=after[0].thing, relation=relation)


def _counting(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    if re.search(r"\bfaces?\b", low) and (_COUNT.search(low) or _YES_NO.match(low)):
        return replace(base, ask=Ask.FACES, target="count" if _COUNT.search(low) else "any")
    more = re.search(r"\b(more|fewer|less|as many)\b.*\b(?:than|as)\b", low)
    if more and base.compare is None and len(base.things) >= 2:
        return replace(base, ask=Ask.COMPARE, target=more.group(1))
    if _COUNT.search(low):
        part = re.search(r"\bhow many ([a-z]+) (?:do|does|are|is|can|have|has)\b", low)
        if part and part.group(1) in base.rest:  # "how many wheels does the car have"
            return replace(base, ask=Ask.COUNT, things=(), target=part.group(1))
        found = _anchored(clause, replace(base, ask=Ask.COUNT))
        if not found.things:
            found = replace(found, target=unknown_noun(low, clause))
        return found
    if base.compare is not None and base.things and _YES_NO.match(low):
        return _anchored(clause, replace(base, ask=Ask.COMPARE))
    number = _NUMERIC_YES_NO.match(low)
    if number and base.things and not re.search(r"\bone of\b", low) and relation_in(low) is None:
        value = number.group(1)
        return replace(
            base, ask=Ask.COMPARE, compare=("exactly", NUMBERS[value] if value in NUMBERS else int(value))
        )
    return None


def _colouring(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    part = ""
    if re.search(r"\bbackground\b", low):
        part = "background"
    elif lexicon.clothing("en", low) and (not base.things or any("person" in t.labels for t in base.things)):
        part = "clothing"
    elif re.search(rf"\b{PICTURE}\b", low) and not base.things:
        part = "picture"
    if _COLOUR.search(low):
        if base.rest and base.things and not part:  # "what colour is the dog's collar"
            return replace(base, ask=Ask.UNKNOWABLE)
        return _anchored_colour(clause, replace(base, ask=Ask.COLOUR, part=part))
    black_white = re.search(
        r"\bblack[- ](?:and|&)[- ]white\b|\bgr[ae]yscale\b|\bmonochrome\b|\bin colou?r\b", low
    )
    if black_white and re.search(rf"\b(?:this|the|it|{PICTURE})\b", low) and not base.things:
        return replace(base, ask=Ask.COLOUR_YES_NO, part="greyscale")
    if (
        base.colour
        and re.match(r"^(?:is|are|was|were|does|do|has|have)\b", low)
        and not re.search(r"\bthere\b|\bany\b|\bsee\b", low)
    ):
        if base.things or part:
            return replace(base, ask=Ask.COLOUR_YES_NO, part=part)
        if re.match(r"^(?:is|are) (?:it|they|this|that|these|those)\b", low):
            return replace(base, ask=Ask.COLOUR_YES_NO)
    return None


def _anchored_colour(clause: Clause, base: Question) -> Question:
    """ "What colour is the cat on the couch": the couch only anchors."""
    found = _anchored(clause, base)
    return found if found.things else base


def _placing(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    if re.search(
        r"\bwhere (?:was|were|is|are|did|could|might|do you think) (?:this|the|it|"
        r"that|these)?\s*(?:image|picture|photo|photograph|scene|"
        r"place)?\s*(?:be(?:en)? )?(?:taken|shot|captured|photographed|from|"
        r"located)\b|\bwhere (?:was|is) this\b|\bwhere (?:are we|am i)\b",
        low,
    ):
        return (
            replace(base, ask=Ask.UNKNOWABLE)
            if not re.search(r"\bkind|type|sort|indoor", low)
            else replace(base, ask=Ask.SCENE)
        )
    if _WHERE.search(low):
        if base.things:
            return _anchored_colour(clause, replace(base, ask=Ask.WHERE, place=""))
        noun = unknown_noun(low, clause)
        return replace(base, ask=Ask.WHERE, target=noun, place="")
    if _EXTREME.search(low) and re.search(r"\b(?:what|which)\b", low) and not _DESCRIBE.search(low):
        found = _EXTREME.search(low)
        assert found is not None
        seen = tuple(thing for thing in base.things if thing.seer == "detector")
        return replace(base, ask=Ask.EXTREME, things=seen, target=found.group(1))
    what = re.match(r"^(?:what|which|who|name|list)\b", low)
    if what and not re.match(r"^(?:what|which) (?:kind|type|sort|breed|species)", low):
        sort = re.match(r"^(?:what|which) ([a-z]+) (?:is|are|does|do|can|has|was)\b", low)
        if sort and sort.group(1) in set(base.rest) - {
            "sport",
            "game",
            "activity",
            "action",
        }:  # "what channel is on the TV"
            return replace(base, ask=Ask.UNKNOWABLE)
        found_anchor = _anchored(clause, base)
        if found_anchor.anchor is not None and not re.search(r"\b(?:doing|happening)\b", low):
            return replace(found_anchor, ask=Ask.WHAT_AT, place="")
        if (
            re.search(
                r"\b(?:holding|carrying|riding|using|wearing|eating|sitting on|standing on|lying on)\b", low
            )
            and base.things
        ):
            return replace(
                base,
                ask=Ask.WHAT_AT,
                anchor=base.things[-1],
                things=(),
                relation=Relation.WITH,
                target=_verb(low),
            )
        if base.place and not _DESCRIBE.search(low.replace(base.place, "")):
            return replace(base, ask=Ask.WHAT_AT)
    return None


def _verb(low: str) -> str:
    found = re.search(r"\b(holding|carrying|riding|using|wearing|eating|sitting|standing|lying)\b", low)
    return found.group(1) if found else ""


def _describing(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    if re.search(r"\b(?:doing|up to|activity|sport|game|action)\b", low) and re.match(
        r"^(?:what|which|describe)\b", low
    ):
        return replace(base, ask=Ask.DOING)
    if _SCENE.search(low) and not base.things:
        return replace(base, ask=Ask.SCENE)
    if re.match(r"^(?:what|which|name|identify)\b.*\b(?:kind|type|sort|breed|species|variety)s?\b", low):
        return replace(base, ask=Ask.UNKNOWABLE if base.rest else Ask.WHAT_IS)
    if base.place and not base.things and re.search(r"\b(?:see|is|are)\b.*\b(?:on|at|in) the\b", low):
        return replace(base, ask=Ask.WHAT_AT)
    if _DESCRIBE.search(low) and not (base.things and re.match(r"^(?:is|are|do|does|can)\b", low)):
        return replace(base, ask=Ask.DESCRIBE)
    if _LIST.search(low) and not _YES_NO.match(low):
        return replace(base, ask=Ask.LIST)
    return None


def _yes_no(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    if not _YES_NO.match(low):
        return None
    if re.search(r"\b(?:indoors?|outdoors?|inside|outside)\b", low) and not base.things:
        return replace(base, ask=Ask.SCENE)
    there = bool(_THERE.search(low)) or bool(re.match(r"^(?:any|anyone|anybody|someone)\b", low))
    found = _anchored(clause, base)
    if found.anchor is not None and found.things:
        if re.search(r"\bwear(?:ing|s)?\b", low) and not set(found.anchor.labels) & WEARABLE:
            return replace(base, ask=Ask.UNKNOWABLE)
        return replace(found, ask=Ask.PRESENCE if there else Ask.RELATION_YES_NO)
    if base.things:
        if base.place and not there:
            return replace(base, ask=Ask.PLACE_YES_NO)
        whole = re.match(
            rf"^(?:is|are|was) (?:this|that|it|these|those|the {PICTURE}|there) "
            rf"(?:really |actually |perhaps |maybe )?(?:an? |the |any |some |of |showing "
            rf")*",
            low,
        )
        of_a_known = re.match(
            r"^(?:is|are|does|do|did|has|have|was|were) (?:the|this|that|his|her|their|these|those) ", low
        )
        verb = (
            re.match(r"^(?:does|do|did|can|could|will|would|has|have) (?!you\b|we\b|i\b)", low) and not there
        )
        beyond = base.rest and ((not there and not whole) or (of_a_known and not whole))
        beyond = beyond or (not there and not whole and any(thing.adds for thing in base.things[1:]))
        if (
            beyond or verb or re.search(r"\bthan\b", low)
        ):  # "is the umbrella open", "does the dog like the man"
            return replace(base, ask=Ask.UNKNOWABLE)
        return replace(base, ask=Ask.PRESENCE, target="is" if whole and not there else "")
    if base.place and re.match(r"^(?:is|are) (?:it|they|he|she|this|that)\b", low):
        return replace(base, ask=Ask.PLACE_YES_NO)
    noun = unknown_noun(low, clause)
    if re.search(
        r"\b(?:kitchen|bathroom|bedroom|living room|street|beach|office|restaurant|"
        r"park|forest|city|farm|garden)\b",
        low,
    ):
        return replace(base, ask=Ask.SCENE, target=low)
    if noun and there:
        return replace(base, ask=Ask.PRESENCE, target=noun)
    return replace(base, ask=Ask.UNKNOWABLE, target=noun)


def _whatever(clause: Clause, base: Question, lexicon: Lexicon) -> Question | None:
    low = clause.low
    if re.match(r"^who\b", low):
        return replace(base, ask=Ask.UNKNOWABLE, target="who")
    if re.match(r"^(?:what|which)(?:'s|'re)?\b", low):
        if base.things and base.things[0].group:
            return replace(base, ask=Ask.LIST)
        if re.match(
            r"^what(?:'s| is| are| was|'re)? (?:this|that|it|these|those|the (?:object|"
            r"thing|item|main subject|subject)|shown)\b",
            low,
        ) or _names_only(clause):
            return replace(base, ask=Ask.WHAT_IS)
        if base.things:  # "what is the cat looking at"
            return replace(base, ask=Ask.UNKNOWABLE)
    if base.things and len(low.split()) <= 4:
        return replace(base, ask=Ask.PRESENCE)
    return None


def _names_only(clause: Clause) -> bool:
    """ "What is the animal in the picture": nothing is asked of the thing but what it is."""
    if not clause.mentions:
        return False
    after = re.sub(rf"{THE_PICTURE}\b", "", clause.low[clause.mentions[-1].end :])
    return not re.search(
        r"\w",
        re.sub(r"\b(?:here|there|shown|visible|you see|do|can|is|are|this|that|it|called)\b", "", after),
    )

"""More ways to say the same: frames, punctuation, and a harmful sentence among harmless ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from foveal.safety.base import CATEGORIES
from training.content_filter.example import Example

_FRAMES = {
    "en": [
        *("Please answer: {}", "{} Thanks!", 'He said: "{}"', "My question is this. {}", "Hi! {}", "So, {}"),
        *("Translate this into Korean: {}", "{} What do you think?", "Look at the picture. {}", "User: {}"),
        *('Is this sentence correct? "{}"', "I mean it: {}", "Write a reply to this message: {}"),
    ],
    "ko": [
        *("질문이 있어요. {}", "{} 부탁드려요.", '그가 말했다. "{}"', "안녕하세요, {}", "{} 어떻게 생각해?"),
        *("이 문장을 영어로 번역해 줘: {}", "음, {}", "사진을 봐 줘. {}", "이 말에 답장을 써 줘: {}"),
    ],
}


def augmented(examples: Sequence[Example], seed: int = 5) -> list[Example]:
    """The examples and their variants; each stays in the family, and so in the fold, of its sentence."""
    chance = random.Random(seed)
    own = [one for one in examples if one.source == "own"]
    safe = {
        language: [one for one in own if one.language == language and _harmless(one)] for language in _FRAMES
    }
    found = list(examples)
    for one in own:
        if chance.random() < 0.5:
            found.append(one.told(chance.choice(_FRAMES[one.language]).format(one.text), one.weight * 0.8))
        else:
            found.append(one.told(_carelessly(one.text, chance), one.weight * 0.8))
        company = [chance.choice(safe[one.language]) for _ in range(chance.choice((1, 2)))]
        if all(other.fold() == one.fold() for other in company):
            texts = [one.text, *(other.text for other in company)]
            chance.shuffle(texts)
            found.append(_either(one, company).told(" ".join(texts), one.weight * 0.6))
    return found


def _harmless(example: Example) -> bool:
    return not example.jailbreak and all(high == 0 for _, high in example.known.values())


def _either(one: Example, company: Sequence[Example]) -> Example:
    known = dict(one.known)
    for category in CATEGORIES:
        ranges = [each.known[category] for each in (one, *company)]
        known[category] = (max(low for low, _ in ranges), max(high for _, high in ranges))
    return replace(one, known=known, jailbreak=one.jailbreak or any(each.jailbreak for each in company))


def _carelessly(text: str, chance: random.Random) -> str:
    """Without its punctuation, or with too much, or a letter lost."""
    way = chance.randrange(3)
    if way == 0:
        return text.rstrip(".!?").replace(",", "").replace("'", "")
    if way == 1:
        return text.rstrip(".") + chance.choice(("!!", "!!!", "...", " :(", " lol", "ㅋㅋ", "??"))
    at = chance.randrange(1, max(2, len(text) - 1))
    return text[:at] + text[at + 1 :]

"""What is said of a thing that was not seen: by how sure it is that there is none."""

from __future__ import annotations

from foveal.engines.evidence.intents import Answer
from foveal.engines.evidence.phrases import Phrases
from foveal.engines.evidence.places import position
from foveal.engines.evidence.sights import Sights
from foveal.engines.evidence.vocabulary import Thing


def missing(thing: Thing, sights: Sights, say: Phrases) -> Answer:
    verdict = sights.verdict(thing)
    if verdict in ("likely", "maybe"):
        return say.unsure(thing)
    return say.missing(thing) if verdict == "no" else say.cannot_tell()


def guessed(thing: Thing, sights: Sights, say: Phrases) -> Answer:
    """Where it would be if it is there at all."""
    box = sights.guess(thing)
    return missing(thing, sights, say) if box is None else say.guessed(thing, position(box))

"""The account of one chat request: settled once, however the request ends.

What it was taken to need when it was admitted is set right in the rate limits, what it spent is written down.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import ClientDisconnect

from foveal.chat.events import AnswerEnded, ChoiceEnded, Event, Tally
from foveal.errors import PromptFiltered
from foveal.metering.base import Meter, Outcome
from foveal.resources.accounts import Principal
from foveal.resources.deployments import Deployment
from foveal.resources.limits import Operation, RateLimits, Reservation


class Bill:
    """`tally` is what the chat service writes. A request that ends before its prompt was counted did no work
    and is not in the ledger.
    """

    def __init__(self, meter: Meter, who: Principal, deployment: Deployment) -> None:
        self.tally = Tally()
        self._meter = meter
        self._who = who
        self._deployment = deployment
        self._cut = False
        self._settled = False
        self._limits: RateLimits | None = None
        self._reservation: Reservation | None = None

    def reserve(self, limits: RateLimits, tokens: int, operation: Operation) -> Mapping[str, str]:
        """Count the request with so many tokens; the headers that tell what is left. Raises
        `TooManyRequests`.
        """
        self._limits = limits
        who = self._who
        key = None if who.limit is None else (who.name, who.limit)
        self._reservation = limits.reserve(who.resource.name, self._deployment, tokens, operation, key)
        return self._reservation.headers()

    def saw(self, event: Event) -> None:
        """An event of the answer; with the last one the bill is settled, before the client has all of it."""
        if isinstance(event, ChoiceEnded):
            self._cut = self._cut or event.finish == "content_filter"
        elif isinstance(event, AnswerEnded):
            self._settle("cut" if self._cut else "answered")

    def failed(self, error: BaseException) -> None:
        """The request ended with an error, or the client left; without effect when it was settled."""
        if isinstance(error, PromptFiltered):
            self._settle("filtered")
        elif isinstance(error, ClientDisconnect):
            self._settle("left")
        else:
            self._settle("failed")

    def _settle(self, outcome: Outcome) -> None:
        if self._settled:
            return
        self._settled = True
        units = billed_units(self.tally, outcome)
        if self._limits is not None and self._reservation is not None:
            spent = units.get("input_tokens", 0) + units.get("output_tokens", 0)
            self._limits.settle(self._reservation, int(spent))
        if self.tally.usage is not None:
            resource = self._who.resource.name
            name = self._deployment.name
            self._meter.settle(resource, self._who.name, "chat", outcome, units, name)


def billed_units(tally: Tally, outcome: Outcome) -> dict[str, float]:
    """What is billed. Enhancements and searches that were made always are. Tokens are when the prompt was
    judged and filtered, as on Azure, and when the engine worked; an answer that failed before its first token
    costs none.
    """
    usage = tally.usage
    if usage is None:
        return {}
    units: dict[str, float] = {
        "ocr": usage.ocr,
        "grounding": usage.grounding,
        "video_queries": usage.video_queries,
    }
    worked = tally.writing and (outcome != "failed" or usage.completion_tokens > 0)
    if worked or outcome == "filtered":
        units |= {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    return units

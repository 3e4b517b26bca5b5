"""The chat service: a request and its deployment in, a stream of events out. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from foveal.chat.admission import Gate
from foveal.chat.choice import Choice
from foveal.chat.events import AnswerEnded, ChoiceEnded, Event, PromptJudged, Tally, TextPiece, Usage
from foveal.chat.prompting import (
    Door,
    build_prompt,
    build_turns,
    frames_of,
    offered_tools,
    open_images,
    with_seed,
)
from foveal.chat.request import ChatRequest
from foveal.chat.rules import VIDEO, Rules
from foveal.chat.tokens import count_pictures, count_prompt
from foveal.chat.videos import VideoDesk, Watch, not_set_up
from foveal.chat.watching import Watched
from foveal.cl100k import Cl100k
from foveal.engines.base import Abilities, Engine, Tool, Turn
from foveal.engines.video_text import with_videos_spelled_out
from foveal.enhancements.service import Enhancements, Enhancing
from foveal.enhancements.sources import COMPUTER_VISION
from foveal.errors import EngineUnavailable, PromptFiltered
from foveal.resources.api_versions import ApiVersion
from foveal.resources.callers import Caller
from foveal.resources.deployments import Deployment
from foveal.resources.versions import ModelVersion, ModelVersions
from foveal.safety.results import results
from foveal.safety.service import ContentSafety

LONG_PROMPT = 64 * 1024  # characters from which counting tokens leaves the event loop


@dataclass(frozen=True, slots=True)
class EngineSlot:
    """An engine and how many requests it takes: `running` at once, `waiting` in its queue."""

    engine: Engine
    running: int = 4
    waiting: int = 32


class ChatService:
    def __init__(
        self,
        engines: Mapping[str, EngineSlot],
        versions: ModelVersions,
        door: Door,
        tokens: Cl100k,
        enhancements: Enhancements,
        videos: VideoDesk | None = None,
        safety: ContentSafety | None = None,
    ) -> None:
        self._engines = {name: slot.engine for name, slot in engines.items()}
        self._gates = {name: Gate(slot.running, slot.waiting) for name, slot in engines.items()}
        self._versions = versions
        self._door = door
        self._tokens = tokens
        self._enhancements = enhancements
        self._videos = videos
        self._safety = safety

    @property
    def gates(self) -> Mapping[str, Gate]:
        """The gate of each engine by its name, for the metrics."""
        return self._gates

    @property
    def filters(self) -> bool:
        """Whether prompts and answers are judged."""
        return self._safety is not None

    def engine_of(self, deployment: Deployment) -> Engine:
        engine = self._engines.get(deployment.engine)
        if engine is None:
            raise EngineUnavailable(
                f"The engine '{deployment.engine}' of this deployment is not set up on this server."
            )
        return engine

    def abilities_of(self, deployment: Deployment) -> Abilities | None:
        """What the deployment's engine can do; None when that engine is not set up."""
        engine = self._engines.get(deployment.engine)
        return None if engine is None else engine.abilities

    def version_of(self, deployment: Deployment) -> ModelVersion:
        version = self._versions.get((deployment.model, deployment.version))
        if version is None:
            raise EngineUnavailable(
                f"The model '{deployment.model}' version '{deployment.version}' is not known to this server."
            )
        return version

    def rules(
        self, deployment: Deployment, api: ApiVersion | None = None, *, extensions: bool = False
    ) -> Rules:
        """What this deployment allows, to judge a request by."""
        abilities = self.engine_of(deployment).abilities
        return Rules(deployment, self.version_of(deployment), abilities, api, extensions)

    async def complete(
        self, request: ChatRequest, rules: Rules, caller: Caller, tally: Tally | None = None
    ) -> AsyncGenerator[Event, None]:
        """Answer a request. Nothing is started before the first `anext`; closing it stops the engine at once.
        `tally` tells at any time, also after an error, what was spent.

        Raises, before the first event: `InvalidRequest`, `InvalidImage`, `InvalidDataSource`,
        `VideoSamplingFailed`, `InvalidVideo`, `VideoUnreachable`, `TooManyRequests`, `PromptFiltered`,
        `FilterUnavailable`, engine errors.
        """
        tally = tally or Tally()
        rules.check(request)
        enhancing = self._begin(request, caller)
        engine = self.engine_of(rules.deployment)
        watch = self._begin_video(request, caller, engine)
        gate = self._gates[rules.deployment.engine]
        async with gate.admit():
            watched = None if watch is None else await watch()
            opened = await open_images(request, self._door)
            turns = build_turns(request, opened, None if watched is None else watched.part)
            # Enhancements are billed by themselves: what they add to the prompt costs no tokens, as on Azure.
            prompt_tokens = await self._count(turns, offered_tools(request))
            max_tokens = rules.max_tokens(request, prompt_tokens)
            queries = 0 if watched is None else watched.queries
            tally.usage = usage = Usage(
                prompt_tokens, 0, count_pictures(turns), len(opened), video_queries=queries
            )
            judged = await self._judge(rules, turns)
            if enhancing is not None:
                turns = await enhancing.look(turns)
                tally.usage = usage = _with_calls(usage, enhancing)
            prompt = build_prompt(request, turns, max_tokens)
            if not engine.abilities.video:
                prompt = with_videos_spelled_out(prompt)
            choices, one_call = request.n, request.functions_form or not request.parallel_tool_calls
            del request, watch, opened  # lets go of what was sent as base64 while the engine works
            async with gate.turn():
                tally.writing = True
                for index in range(choices):
                    choice = Choice(index, with_seed(prompt, index), self._tokens, only_one_call=one_call)
                    watched_events = self._watched(choice.events(engine), rules.deployment)
                    try:
                        async with aclosing(_grounded(watched_events, enhancing)) as events:
                            async for event in events:
                                if judged is not None:
                                    # With the first event: until then an error has a status of its own.
                                    yield judged
                                    judged = None
                                yield event
                    finally:
                        usage = replace(usage, completion_tokens=usage.completion_tokens + choice.spent)
                        tally.usage = usage
        yield AnswerEnded(usage)

    async def _judge(self, rules: Rules, turns: Sequence[Turn]) -> PromptJudged | None:
        """What the content filter says of the prompt; None without one. Raises `PromptFiltered`."""
        if self._safety is None:
            return None
        texts = [turn.text for turn in turns]
        side = rules.deployment.content_filter.prompt
        images = [image for turn in turns for image in turn.images]
        verdict = await self._safety.prompt(side, texts, images, frames_of(turns))
        if verdict is not None and verdict.blocked:
            details = rules.api is not None and rules.api.blocklist_details
            raise PromptFiltered(results(verdict, details=details))
        return PromptJudged(verdict)

    def _watched(
        self, events: AsyncGenerator[Event, None], deployment: Deployment
    ) -> AsyncGenerator[Event, None]:
        if self._safety is None:
            return events
        return Watched(self._safety, deployment.content_filter).events(events)

    def _begin_video(self, request: ChatRequest, caller: Caller, engine: Engine) -> Watch | None:
        if self._videos is None:
            not_set_up(request)
            return None
        return self._videos.begin(request, caller, facts=engine.abilities.video)

    def _begin(self, request: ChatRequest, caller: Caller) -> Enhancing | None:
        wanted = [name for name in request.enhancements if name != VIDEO]
        if not wanted:
            return None
        source = next((one for one in request.data_sources if one.is_a(COMPUTER_VISION)), None)
        param, parameters = (None, {}) if source is None else (source.param, source.parameters)
        return self._enhancements.begin(wanted, param, parameters, caller)

    async def _count(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> int:
        """The prompt's tokens; counted beside the event loop when the prompt is long."""
        if sum(len(turn.text) for turn in turns) > LONG_PROMPT:
            return await asyncio.to_thread(count_prompt, self._tokens, turns, tools)
        return count_prompt(self._tokens, turns, tools)


async def _grounded(
    events: AsyncGenerator[Event, None], enhancing: Enhancing | None
) -> AsyncGenerator[Event, None]:
    """The same events; the end of each answer carries its grounding when that was asked for."""
    text: list[str] = []
    async with aclosing(events):
        async for event in events:
            if enhancing is not None and enhancing.grounding:
                if isinstance(event, TextPiece):
                    text.append(event.text)
                elif isinstance(event, ChoiceEnded):
                    event = replace(event, grounding=await enhancing.ground("".join(text)))
            yield event


def _with_calls(usage: Usage, enhancing: Enhancing) -> Usage:
    return replace(
        usage,
        ocr=enhancing.calls if enhancing.ocr else 0,
        grounding=enhancing.calls if enhancing.grounding else 0,
    )

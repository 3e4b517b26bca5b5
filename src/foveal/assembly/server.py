"""The ASGI application of `foveal serve`, wired."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Container, Sequence
from functools import partial

from sqlalchemy import Engine
from starlette.applications import Starlette

from foveal.assembly.house import Meters, build_house
from foveal.assembly.metering import build_metering
from foveal.assembly.safety import Guard
from foveal.assembly.tokens import build_tokens
from foveal.assembly.video import VideoHouse
from foveal.engines.base import Engine as AnswerEngine
from foveal.errors import FovealError
from foveal.http.app import build_app
from foveal.http.metrics import Metrics
from foveal.http.services import Services
from foveal.resources.api_versions import load_api_versions
from foveal.resources.control import ControlPlane
from foveal.resources.limits import RateLimits
from foveal.resources.live import LiveAccounts
from foveal.resources.versions import load_model_versions
from foveal.settings import Settings

_FILTER = "content filter"
PATIENCE = 0.001  # seconds the event loop waits for a thread that holds the interpreter (Python's own: 0.005)


class WarmUp:
    """Loads the content filter and the engines in the background after the start; `/readyz` tells what is not
    there yet.
    """

    def __init__(self, engines: dict[str, AnswerEngine], guard: Guard) -> None:
        self._engines = engines
        self._guard = guard
        self._missing = {_FILTER: "the content filter is loading"}
        self._missing |= {name: f"engine {name} is loading" for name in engines}

    async def missing(self) -> Sequence[str]:
        return list(self._missing.values())

    async def run(self) -> None:
        await asyncio.to_thread(self._guard.load)
        del self._missing[_FILTER]
        for name, engine in self._engines.items():
            try:
                await engine.ready()
            except FovealError as error:
                self._missing[name] = f"engine {name}: {error.message}"
            else:
                del self._missing[name]
        # What was loaded stays: a collection that walked through all of it would hold the event loop.
        gc.collect()
        gc.freeze()


def assemble_server(settings: Settings, database: Engine) -> Starlette:
    """The ASGI application of `foveal serve`, over the database of its data directory."""
    accounts = LiveAccounts(database, engine=settings.engine, strict=settings.strict)
    limits = RateLimits(settings.data)
    issuer = build_tokens(settings, accounts)
    metrics = Metrics()
    metering = build_metering(settings, database, metrics)
    names = [row.engine for row in accounts.now().deployments.values()]
    if settings.admin_key is not None:
        names.append(settings.engine)  # there may be no deployment yet
    meters = Meters(metrics.stage, partial(metrics.unit, "video.minutes"), metrics.filtered)
    house = build_house(settings, names, accounts, database, meters)
    video = house.video
    assert video is not None
    metrics.watch_ingestions(video.worksheet.counts)
    warm_up = WarmUp(house.engines, house.guard)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(PATIENCE)
        begun = [asyncio.create_task(warm_up.run())]
        if issuer is not None:
            begun.append(asyncio.create_task(issuer.keys.refresh()))
        video.jobs.start()
        await asyncio.to_thread(metering.start)
        try:
            yield
        finally:
            sys.setswitchinterval(interval)
            gc.unfreeze()
            await _ended(begun)
            await house.close()
            await asyncio.to_thread(metering.close)
            limits.close()

    services = Services(
        keys=accounts,
        deployments=accounts,
        chat=house.chat,
        analysis=house.analysis,
        api_versions=load_api_versions(),
        model_versions=load_model_versions(),
        readiness=warm_up,
        metrics=metrics,
        retrieval=video.retrieval,
        media=video.media,
        management=_control(settings, database, accounts, house.engines, video),
        tokens=None if issuer is None else issuer.tokens,
        meter=metering,
        limits=limits,
        usage=metering.usage,
        base_url=settings.base_url,
        annotations=settings.annotations,
        strict=settings.strict,
        max_body=settings.max_body,
    )
    return build_app(services, lifespan=lifespan)


def _control(
    settings: Settings,
    database: Engine,
    accounts: LiveAccounts,
    engines: Container[str],
    video: VideoHouse,
) -> ControlPlane:
    return ControlPlane(
        database,
        admin_key=settings.admin_key,
        operator_key=settings.api_key,
        engines=engines,
        changed=accounts.changed,
        removed=video.sweep,
    )


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

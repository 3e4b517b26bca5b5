"""The HTTP surface as one ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import Lifespan

from foveal.http.catalogue import CatalogueRoutes
from foveal.http.chat import ChatRoutes
from foveal.http.edge import Edge, FoldSlashes
from foveal.http.errors import ErrorMiddleware, unrouted
from foveal.http.image_analysis import VisionRoutes
from foveal.http.management import ManagementRoutes
from foveal.http.ops import OpsRoutes
from foveal.http.pool import Pool
from foveal.http.services import Services
from foveal.http.storage import StorageRoutes
from foveal.http.usage import UsageRoutes
from foveal.http.video_retrieval import RetrievalRoutes

DEPLOYMENT = "/openai/deployments/{deployment}"


def build_app(services: Services, *, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The application over `services`. It has no state of its own and starts nothing but `lifespan`."""
    services.metrics.watch(services.chat.gates)
    app = Starlette(
        routes=_routes(services),
        middleware=[
            Middleware(FoldSlashes),
            Middleware(Edge, metrics=services.metrics),
            Middleware(ErrorMiddleware),
        ],
        exception_handlers={HTTPException: unrouted},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _routes(services: Services) -> list[Route]:
    """Most used first: the router takes the first that fits."""
    chat, lists, ops = ChatRoutes(services), CatalogueRoutes(services), OpsRoutes(services)
    vision = VisionRoutes(services)
    return [
        Route(f"{DEPLOYMENT}/chat/completions", chat.azure, methods=["POST"]),
        Route(f"{DEPLOYMENT}/extensions/chat/completions", chat.extensions, methods=["POST"]),
        Route("/v1/chat/completions", chat.plain, methods=["POST"]),
        Route("/computervision/imageanalysis:analyze", vision.analyze, methods=["POST"]),
        Route("/computervision/retrieval:vectorizeImage", vision.vectorize, methods=["POST"]),
        Route("/computervision/retrieval:vectorizeText", vision.vectorize, methods=["POST"]),
        Route("/openai/models", lists.models),
        Route("/openai/models/{id}", lists.model),
        Route("/openai/deployments", lists.deployments),
        Route("/openai/deployments/{id}", lists.deployment),
        Route("/v1/models", lists.plain_models),
        Route("/v1/models/{id}", lists.plain_model),
        *RetrievalRoutes(services).routes(),
        *([] if services.media is None else StorageRoutes(services, services.media).routes()),
        *([] if services.management is None else ManagementRoutes(services, services.management).routes()),
        *_usage(services),
        Route("/healthz", ops.healthz),
        Route("/readyz", ops.readyz),
        Route("/metrics", ops.metrics),
    ]


def _usage(services: Services) -> list[Route]:
    if services.usage is None:
        return []
    pool = Pool("foveal-usage", threads=1, waiting=16)
    return [Route("/foveal/usage", UsageRoutes(services, services.usage, pool).usage, methods=["GET"])]

"""Chat completions: Azure's two routes and the plain OpenAI one, over one service."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from foveal.chat.estimate import estimate
from foveal.chat.events import AnswerEnded, ChoiceEnded, Event
from foveal.chat.request import ChatRequest, DocumentContent
from foveal.chat.rules import Rules
from foveal.chat.wire import read_chat_request
from foveal.errors import DeploymentNotFound, InvalidRequest, NotFound
from foveal.http.auth import authenticate, caller_of
from foveal.http.billing import Bill
from foveal.http.body import check_content_type, read_body
from foveal.http.catalogue import NO_DEPLOYMENT, no_such_model
from foveal.http.disconnect import until_disconnect
from foveal.http.render import Chunks, Completion, Form
from foveal.http.services import Annotations, Services
from foveal.http.sse import ChatStream
from foveal.resources.accounts import Principal
from foveal.resources.api_versions import PLAIN_REFUSAL, ApiVersion
from foveal.resources.deployments import Deployment
from foveal.resources.limits import Operation

FILTERED = {"x-ms-rai-invoked": "true"}  # tells that the content filter judged
# What a refusal by rate limits names.
OPERATION = "ChatCompletions_Create"
EXTENSIONS_OPERATION = "ExtensionsChatCompletions_Create"
PLAIN_VERSION = "v1"
BIG_BODY = 256 * 1024  # bytes from which a body is parsed beside the event loop

Begun = tuple[AsyncGenerator[Event, None], Bill, Mapping[str, str]]


class ChatRoutes:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._chat = services.chat

    async def azure(self, request: Request) -> ASGIApp:
        """POST /openai/deployments/{deployment}/chat/completions"""
        return await self._azure(request, extensions=False)

    async def extensions(self, request: Request) -> ASGIApp:
        """POST /openai/deployments/{deployment}/extensions/chat/completions"""
        return await self._azure(request, extensions=True)

    async def plain(self, request: Request) -> ASGIApp:
        """POST /v1/chat/completions, where `model` names the deployment"""
        who = await authenticate(request, self._services)
        resource = who.resource
        chat_request = await self._read(request)
        if chat_request.model is None:
            raise InvalidRequest("you must provide a model parameter", param="model")
        deployment = self._services.deployments.find(resource.name, chat_request.model)
        if deployment is None:
            raise no_such_model(chat_request.model)
        self._services.meter.admit(resource.name, deployment.name)
        form = _form(chat_request, deployment, model=deployment.name, plain=True)
        rules = self._chat.rules(deployment)
        begun = self._begin(request, who, chat_request, rules)
        del chat_request  # the service lets go of it as soon as it can
        return await self._answer(request, form, *begun)

    async def _azure(self, request: Request, *, extensions: bool) -> ASGIApp:
        who = await authenticate(request, self._services)
        resource = who.resource
        deployment = self._services.deployments.find(resource.name, request.path_params["deployment"])
        strict = self._services.strict if deployment is None else deployment.strict
        api = self._services.api_versions.get(request.query_params.get("api-version"), strict=strict)
        if not api.chat or (strict and extensions and not api.extensions):
            raise NotFound(PLAIN_REFUSAL)
        if deployment is None:
            raise DeploymentNotFound(NO_DEPLOYMENT)
        self._services.meter.admit(resource.name, deployment.name)
        chat_request = await self._read(request)
        form = _form(chat_request, deployment, api=api, annotations=self._services.annotations)
        rules = self._chat.rules(deployment, api, extensions=extensions)
        begun = self._begin(request, who, chat_request, rules)
        del chat_request  # the service lets go of it as soon as it can
        return await self._answer(request, form, *begun)

    def _begin(self, request: Request, who: Principal, asked: ChatRequest, rules: Rules) -> Begun:
        """Count a request that is in order against the limits of its deployment. Raises `InvalidRequest`,
        `TooManyRequests`.
        """
        rules.check(asked)
        bill = Bill(self._services.meter, who, rules.deployment)
        headers: Mapping[str, str] = {}
        if self._services.limits is not None:
            name = EXTENSIONS_OPERATION if rules.extensions else OPERATION
            version = PLAIN_VERSION if rules.api is None else rules.api.name
            operation = Operation(name, version, who.resource.tier)
            headers = bill.reserve(self._services.limits, estimate(asked), operation)
        events = self._chat.complete(asked, rules, caller_of(request, who.resource), bill.tally)
        return events, bill, headers

    async def _read(self, request: Request) -> ChatRequest:
        check_content_type(request)
        body = await read_body(request, self._services.max_body)
        if len(body) > BIG_BODY:
            return await asyncio.to_thread(read_chat_request, body)
        return read_chat_request(body)

    async def _answer(
        self,
        request: Request,
        form: Form,
        events: AsyncGenerator[Event, None],
        bill: Bill,
        headers: Mapping[str, str],
    ) -> ASGIApp:
        if self._chat.filters:
            headers = {**headers, **FILTERED}
        if form.stream:
            return ChatStream(events, Chunks(form), self._services.metrics, headers, bill)
        completion = Completion(form)
        try:
            await until_disconnect(request.receive, _collect(events, completion, bill))
        except BaseException as error:
            bill.failed(error)
            raise
        self._services.metrics.answered(completion.usage)
        return Response(completion.encode(), headers=dict(headers), media_type="application/json")


async def _collect(events: AsyncGenerator[Event, None], completion: Completion, bill: Bill) -> None:
    async with aclosing(events):
        async for event in events:
            completion.add(event)
            if isinstance(event, ChoiceEnded | AnswerEnded):
                bill.saw(event)


def _form(
    request: ChatRequest,
    deployment: Deployment,
    *,
    api: ApiVersion | None = None,
    annotations: Annotations = "off",
    model: str | None = None,
    plain: bool = False,
) -> Form:
    enhanced = bool(request.enhancements) or isinstance(request.video, DocumentContent)
    return Form(
        id=f"chatcmpl-{secrets.token_hex(15)[:29]}",
        created=int(time.time()),
        model=model or deployment.model,
        fingerprint=_fingerprint(deployment),
        annotations="off" if enhanced else annotations,  # such answers had none on Azure
        plain=plain,
        functions=request.functions_form,
        stream=request.stream,
        include_usage=request.include_usage,
        prompt_filter_key="prompt_filter_results" if api is None else api.prompt_filter_key,
        asynchronous=deployment.content_filter.streaming == "asynchronous",
        blocklist_details=api is not None and api.blocklist_details,
    )


def local_form(request: ChatRequest, deployment: Deployment) -> Form:
    """How `foveal ask --json` writes an answer: as the Azure route would."""
    return _form(request, deployment, annotations="azure")


def _fingerprint(deployment: Deployment) -> str:
    """The same as long as the same engine answers for the same model version."""
    what = f"{deployment.engine} {deployment.model} {deployment.version}"
    return f"fp_{hashlib.sha256(what.encode()).hexdigest()[:10]}"

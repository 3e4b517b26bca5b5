"""Engine `openai`: any server that speaks OpenAI's chat completions, Azure's included.

It gets the bytes that went through our media door, never the client's URL. The environment's proxy variables
are ignored, redirects are not followed, and our key appears in no message.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import quote, urlsplit

import httpx

from foveal.cl100k import Cl100k
from foveal.engines.base import Abilities, Delta, Prompt
from foveal.engines.openai_wire import AnswerReader, EventReader, refusal, request_body
from foveal.engines.read_text import with_read_text
from foveal.errors import EngineError, EngineUnavailable, FovealError, TooManyRequests

LONGEST_REFUSAL = 64 * 1024  # bytes read of an error's body
MOST_CONNECTIONS = 256


class OpenAIEngine:
    """`base_url` ends in `/v1` for most servers; with `api_version` it is an Azure resource's address,
    `model` the deployment there, and the key goes into `api-key` instead of `Authorization`.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: str | None = None,
        api_version: str | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 120.0,
        name: str = "openai",
    ) -> None:
        self.name = name
        self.model = model
        self._key = api_key or ""
        self._azure = api_version is not None
        parts = urlsplit(base_url)
        self.where = f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
        base = base_url.rstrip("/")
        if api_version is not None:
            base = base.removesuffix("/openai") + "/openai"
            path = f"/deployments/{quote(model, safe='')}/chat/completions?api-version={quote(api_version)}"
            self._models_url = f"{base}/models?api-version={quote(api_version)}"
        else:
            path = "/chat/completions"
            self._models_url = f"{base}/models"
        self._url = base + path
        headers = {"accept": "text/event-stream, application/json"}
        if api_key:
            headers["api-key" if self._azure else "authorization"] = (
                api_key if self._azure else f"Bearer {api_key}"
            )
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout),
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=32),
            trust_env=False,
            follow_redirects=False,
        )
        self.abilities = Abilities(
            images=True,
            tools=True,
            json_object=True,
            json_schema=True,
            logit_bias=True,
            notes=f"Passes prompts and checked pictures on to {model} at {self.where}.",
        )

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Delta]:
        try:
            async with self._client.stream(
                "POST", self._url, json=request_body(with_read_text(prompt), self.model)
            ) as response:
                if response.status_code >= 300:
                    raise await self._refusal(response)
                answer = AnswerReader()
                if "text/event-stream" in response.headers.get("content-type", ""):
                    events = EventReader()
                    async for chunk in response.aiter_bytes():
                        for data in events.feed(chunk):
                            for delta in answer.read(data):
                                yield delta
                        if answer.done:
                            break
                    else:
                        for data in events.end():
                            for delta in answer.read(data):
                                yield delta
                else:  # a server that does not stream
                    for delta in answer.read((await response.aread()).decode(errors="replace")):
                        yield delta
                if answer.finish is None:
                    raise EngineError(f"The engine at {self.where} broke off in the middle of its answer.")
                yield Delta(finish=answer.finish)
        except httpx.HTTPError as error:
            raise self._failure(error) from None

    async def _refusal(self, response: httpx.Response) -> FovealError:
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LONGEST_REFUSAL:
                break
        if self._key:  # some servers repeat the key they refuse
            body = body.replace(self._key.encode(), b"***")
        return refusal(response.status_code, body, response.headers, self.where, self.model)

    def _failure(self, error: httpx.HTTPError) -> FovealError:
        if isinstance(error, httpx.PoolTimeout):
            return TooManyRequests(
                "Too many requests wait for the engine. Please retry after 1 second.",
                headers={"retry-after": "1"},
            )
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return EngineUnavailable(
                f"The engine at {self.where} cannot be reached. Is it running, and is the address right?"
            )
        if isinstance(error, httpx.TimeoutException):
            return EngineError(f"The engine at {self.where} did not answer in time.")
        return EngineError(f"The connection to the engine at {self.where} broke off.")

    def count_tokens(self, text: str) -> int:
        """In cl100k tokens: the other side's tokenizer is not known."""
        return Cl100k().count(text)

    async def ready(self) -> None:
        """Ask for the list of models: whatever the answer, the server is there; a refused key is told."""
        try:
            async with self._client.stream("GET", self._models_url) as response:
                if response.status_code in (401, 403) or response.status_code >= 500:
                    raise await self._refusal(response)
        except httpx.HTTPError as error:
            raise self._failure(error) from None

    async def close(self) -> None:
        await self._client.aclose()

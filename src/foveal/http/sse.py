"""A streamed answer: server-sent events, written as they come, stopped when the client leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from foveal.chat.events import AnswerEnded, ChoiceEnded, Event
from foveal.errors import FovealError
from foveal.http.billing import Bill
from foveal.http.disconnect import until_disconnect
from foveal.http.errors import error_body, unexpected
from foveal.http.metrics import Metrics
from foveal.http.render import DONE, Chunks

_HEADERS = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache"))


class ChatStream:
    """An ASGI response. An error before the first event is raised, so that it gets its own status; a later
    one is told in an event, and the stream ends without `[DONE]`."""

    def __init__(
        self,
        events: AsyncGenerator[Event, None],
        chunks: Chunks,
        metrics: Metrics,
        headers: Mapping[str, str],
        bill: Bill,
    ) -> None:
        self._events = events
        self._chunks = chunks
        self._metrics = metrics
        self._bill = bill
        self._headers = [*_HEADERS, *((name.encode(), value.encode()) for name, value in headers.items())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await until_disconnect(receive, self._send(scope, send))
        except BaseException as error:
            self._bill.failed(error)
            raise

    async def _send(self, scope: Scope, send: Send) -> None:
        write = self._chunks.write
        async with aclosing(self._events) as events:
            first = await anext(events)
            await send({"type": "http.response.start", "status": 200, "headers": self._headers})
            await send(_body(self._chunks.opening(first)))
            last = DONE
            try:
                async for event in events:
                    if isinstance(event, ChoiceEnded | AnswerEnded):
                        self._bill.saw(event)
                    frame = write(event)
                    if frame:
                        await send(_body(frame))
                    if isinstance(event, AnswerEnded):
                        self._metrics.answered(event.usage)
            except Exception as error:
                self._bill.failed(error)
                known = error if isinstance(error, FovealError) else unexpected(error, scope)
                last = self._chunks.error(error_body(known, scope["path"]))
        await send({"type": "http.response.body", "body": last, "more_body": False})


def _body(frame: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": frame, "more_body": True}

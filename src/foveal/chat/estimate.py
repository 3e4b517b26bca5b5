"""What a request may take, by a glance when it arrives: rate limits count it before any work is done.

As on Azure the text, the pictures and `max_tokens` make the estimate; a request that names no `max_tokens`
counts with what Azure's default is, or no short question would fit beside another.
"""

from __future__ import annotations

from foveal.chat.request import ChatRequest, TextContent
from foveal.chat.rules import STRICT_MAX_TOKENS
from foveal.chat.tokens import PER_ANSWER, PER_MESSAGE

LETTERS = 4  # of a token, of most texts
LOW_DETAIL = 85  # tokens of a picture
HIGH_DETAIL = 765  # of a square one at high detail: 85 and four tiles of 170
FRAMES = 20  # of a video, at most


def estimate(request: ChatRequest) -> int:
    """Tokens."""
    letters = sum(
        len(part.text)
        for message in request.messages
        for part in message.content
        if isinstance(part, TextContent)
    )
    pictures = sum(LOW_DETAIL if image.detail == "low" else HIGH_DETAIL for image in request.images)
    frames = 0 if request.video is None else FRAMES * LOW_DETAIL
    answer = STRICT_MAX_TOKENS if request.max_tokens is None else request.max_tokens
    return (
        letters // LETTERS
        + PER_MESSAGE * len(request.messages)
        + PER_ANSWER
        + pictures
        + frames
        + request.n * answer
    )

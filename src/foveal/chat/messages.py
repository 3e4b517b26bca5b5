"""`messages` of the wire → `Message`: every content shape that published clients have sent.

Beside the documented string and parts: bare strings in an array, `{"image": URL or base64}`, `image_url` as a
bare string, `url` and `detail` at the part's own level (as Azure's specification had it by mistake),
`acv-document-id`, and the id of a document anywhere, with and without `type`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast, get_args

from foveal.chat.fields import (
    JsonObject,
    array,
    mapping,
    missing,
    not_one_of,
    required_string,
    string,
    wrong_type,
)
from foveal.chat.request import (
    MAX_IMAGES,
    Content,
    DocumentContent,
    ImageContent,
    Message,
    MessageRole,
    RequestedDetail,
    TextContent,
    Video,
    VideoContent,
)
from foveal.engines.base import ToolCall
from foveal.errors import InvalidRequest

ROLES: tuple[str, ...] = get_args(MessageRole)
DETAILS: tuple[str, ...] = get_args(RequestedDetail)
MAX_MESSAGES = 2048  # Azure's own limit
MAX_PARTS = 4096
DOCUMENT_KEYS = ("acv_document_id", "acv-document-id")


def read_messages(body: JsonObject) -> tuple[Message, ...]:
    items = array(body, "messages", most=MAX_MESSAGES)
    if items is None:
        raise missing("messages")
    if not items:
        raise InvalidRequest("[] is too short - 'messages'", param="messages")
    messages: list[Message] = []
    open_calls: set[str] = set()  # ids of tool calls made so far: a tool's answer must belong to one
    last_function_call = ""
    for index, item in enumerate(items):
        path = f"messages.[{index}]"
        message = _read_message(mapping(item, path), path, last_function_call)
        open_calls.update(call.id for call in message.tool_calls)
        if message.role == "tool" and message.tool_call_id not in open_calls:
            raise InvalidRequest(
                "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
                "with 'tool_calls'.",
                param=f"{path}.role",
            )
        if item.get("function_call") is not None and message.tool_calls:
            last_function_call = message.tool_calls[0].id
        messages.append(message)
    if sum(len(message.images) for message in messages) > MAX_IMAGES:
        raise InvalidRequest(f"Too many images in request. Max is {MAX_IMAGES}.", param="messages")
    _check_videos(messages)
    if sum(len(message.content) for message in messages) > MAX_PARTS:
        raise InvalidRequest(f"Too many content parts in request. Max is {MAX_PARTS}.", param="messages")
    return tuple(messages)


def _check_videos(messages: Sequence[Message]) -> None:
    """One video, by whatever id or URL; it may be named again, as in the history of a conversation."""
    videos = [video for message in messages for video in message.videos]
    if not videos:
        return
    for other in videos[1:]:
        if _named(other) != _named(videos[0]):
            raise InvalidRequest(
                "Too many videos in request. Max is 1; each question is about one video.", param=other.param
            )
    for message in messages:
        for image in message.images:
            raise InvalidRequest(
                "A request can have a video or images, not both: leave out the images, or send frames of the "
                "video as images.",
                param=image.param,
            )


def _named(video: Video) -> str:
    return video.document_id if isinstance(video, DocumentContent) else video.url


def _read_message(item: JsonObject, path: str, last_function_call: str) -> Message:
    role = item.get("role")
    if role is None:
        raise missing(f"{path}.role")
    if not isinstance(role, str) or role not in ROLES:
        raise not_one_of(role, ROLES, f"{path}.role")
    name = string(item, "name", f"{path}.name")
    tool_call_id = None
    calls: tuple[ToolCall, ...] = ()
    if role == "assistant":
        calls = _read_calls(item, path)
    elif role == "tool":
        tool_call_id = required_string(item, "tool_call_id", f"{path}.tool_call_id")
    elif role == "function":
        name = required_string(item, "name", f"{path}.name")
        tool_call_id = last_function_call or f"call_{name}"
    may_be_null = bool(calls) or role == "function"
    content = _read_content(item.get("content"), path, role, may_be_null)
    return Message(cast(MessageRole, role), content, name, calls, tool_call_id)


def _read_calls(item: JsonObject, path: str) -> tuple[ToolCall, ...]:
    call = item.get("function_call")
    if call is not None:
        where = f"{path}.function_call"
        found = mapping(call, where)
        name = required_string(found, "name", f"{where}.name")
        arguments = required_string(found, "arguments", f"{where}.arguments")
        return (ToolCall(f"call_{path[10:-1]}_{name}", name, arguments),)
    calls = array(item, "tool_calls", f"{path}.tool_calls") or []
    return tuple(_read_call(value, f"{path}.tool_calls.[{index}]") for index, value in enumerate(calls))


def _read_call(value: object, path: str) -> ToolCall:
    call = mapping(value, path)
    kind = call.get("type", "function")
    if kind != "function":
        raise not_one_of(kind, ("function",), f"{path}.type")
    function = mapping(call.get("function"), f"{path}.function")
    return ToolCall(
        id=required_string(call, "id", f"{path}.id"),
        name=required_string(function, "name", f"{path}.function.name"),
        arguments=required_string(function, "arguments", f"{path}.function.arguments"),
    )


def _read_content(value: Any, path: str, role: str, may_be_null: bool) -> tuple[Content, ...]:
    where = f"{path}.content"
    if isinstance(value, str):
        return (TextContent(value),)
    if value is None:
        if may_be_null:
            return ()
        raise InvalidRequest("Invalid value for 'content': expected a string, got null.", param=where)
    if not isinstance(value, list):
        raise wrong_type(value, "string' or 'array", where)
    if not value:
        raise InvalidRequest(f"[] is too short - '{where}'", param=where)
    parts = tuple(_read_part(part, f"{where}.[{index}]") for index, part in enumerate(value))
    if role != "user":
        for index, part in enumerate(parts):
            if not isinstance(part, TextContent):
                what = "Images" if isinstance(part, ImageContent) else "Videos"
                raise InvalidRequest(
                    f"Invalid content type. {what} are only allowed with role 'user', not '{role}'.",
                    param=f"{where}.[{index}].type",
                )
    return parts


def _read_part(value: object, path: str) -> Content:
    if isinstance(value, str):
        return TextContent(value)
    part = mapping(value, path)
    kind = part.get("type")
    if kind in DOCUMENT_KEYS or (kind is None and any(key in part for key in DOCUMENT_KEYS)):
        return _read_document(part, path)
    if kind == "text" or (kind is None and "text" in part):
        return TextContent(required_string(part, "text", f"{path}.text"))
    if kind == "image_url" or (kind is None and "image_url" in part):
        return _read_image_url(part, path)
    if kind == "video_url" or (kind is None and "video_url" in part):
        return _read_video_url(part, path)
    if kind in (None, "image") and "image" in part:
        source = required_string(part, "image", f"{path}.image")
        detail = _read_detail(part, f"{path}.detail")
        is_url = source[:8].lower().startswith(("http://", "https://", "data:"))
        return ImageContent(source, not is_url, detail, f"{path}.image")
    if kind is None:
        raise missing(f"{path}.type")
    raise InvalidRequest(
        f"Invalid content type {_quoted(kind)}: supported are 'text', 'image_url', 'video_url' and "
        "'acv_document_id'.",
        param=f"{path}.type",
    )


def _read_document(part: JsonObject, path: str) -> DocumentContent:
    key = next((key for key in DOCUMENT_KEYS if key in part), DOCUMENT_KEYS[0])
    where = f"{path}.{key}"
    document_id = required_string(part, key, where)
    if not document_id.strip():
        raise InvalidRequest(f"'' is too short - '{where}'", param=where)
    return DocumentContent(document_id, where)


def _read_video_url(part: JsonObject, path: str) -> VideoContent:
    video = part.get("video_url")
    where = f"{path}.video_url"
    if isinstance(video, str):
        return VideoContent(video, where)
    if video is None:
        raise missing(where)
    return VideoContent(required_string(mapping(video, where), "url", f"{where}.url"), f"{where}.url")


def _read_image_url(part: JsonObject, path: str) -> ImageContent:
    image = part.get("image_url")
    where = f"{path}.image_url"
    if isinstance(image, str):
        return ImageContent(image, False, _read_detail(part, f"{path}.detail"), where)
    if image is None and "url" in part:
        image, where = part, path
    if image is None:
        raise missing(where)
    image = mapping(image, where)
    url = required_string(image, "url", f"{where}.url")
    return ImageContent(url, False, _read_detail(image, f"{where}.detail"), f"{where}.url")


def _read_detail(part: JsonObject, path: str) -> RequestedDetail:
    detail = part.get("detail")
    if detail is None:
        return "auto"
    if not isinstance(detail, str) or detail not in DETAILS:
        raise not_one_of(detail, DETAILS, path)
    return cast(RequestedDetail, detail)


def _quoted(kind: object) -> str:
    return f"'{kind[:40]}'" if isinstance(kind, str) else "(not a string)"

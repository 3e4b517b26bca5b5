"""What a deployment allows: its model version, its engine, and in strict mode Azure's own refusals.

The wording is Azure's where it is known; every refusal names the parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

from foveal.chat.request import ChatRequest, DocumentContent, TextContent, VideoContent
from foveal.engines.base import Abilities
from foveal.enhancements.sources import COMPUTER_VISION
from foveal.errors import InvalidRequest
from foveal.resources.api_versions import ApiVersion
from foveal.resources.deployments import Deployment
from foveal.resources.versions import ModelVersion

STRICT_MAX_TOKENS = 16
NO_ENHANCEMENTS = (
    "The deployed GPT model does not support Vision Enhancement and On Your Data (OYD) with images"
)
VIDEO = "video"
VIDEO_INDEX = "AzureComputerVisionVideoIndex"
ENHANCEMENTS = ("ocr", "grounding", VIDEO)
NO_IMAGES = "Invalid content type. image_url is only supported by certain models."
NO_VIDEO = "Invalid content type. Videos are only supported by certain models."

_SAMPLING = frozenset({"temperature", "top_p", "n", "stop", "max_tokens", "logit_bias"})
_PENALTIES = frozenset({"presence_penalty", "frequency_penalty"})
_NOT_IN_EXTENSIONS = frozenset({"n"})  # nor what a version knows beyond those of every version
_EVERY_VERSION = frozenset({"messages", "stream", "user", "model"}) | _SAMPLING | _PENALTIES


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that a request is judged by. `api` is None on the plain route, which has no api-version."""

    deployment: Deployment
    version: ModelVersion
    abilities: Abilities
    api: ApiVersion | None = None
    extensions: bool = False  # the request came by /extensions/chat/completions

    def check(self, request: ChatRequest) -> None:
        """Raise `InvalidRequest` for the first thing that this deployment does not do."""
        if self.deployment.strict:
            self._check_strict(request)
        self._check_enhancements(request)
        self._check_images(request)
        self._check_video(request)
        self._check_format(request)
        self._check_engine(request)
        self._check_max_tokens(request)

    def max_tokens(self, request: ChatRequest, prompt_tokens: int) -> int:
        """The budget of each choice in cl100k tokens; refuses what does not fit into the model's context."""
        left = self.version.context - prompt_tokens
        wanted = request.max_tokens
        if wanted is None:
            wanted = STRICT_MAX_TOKENS if self.deployment.strict else max(1, min(self.version.output, left))
        if wanted > left:
            raise InvalidRequest(
                f"This model's maximum context length is {self.version.context} tokens. However, you "
                f"requested {prompt_tokens + wanted} tokens ({prompt_tokens} in the messages, {wanted} in "
                "the completion). "
                "Please reduce the length of the messages or completion.",
                param="messages",
                code="context_length_exceeded",
            )
        return wanted

    def _check_strict(self, request: ChatRequest) -> None:
        for name in self.version.refuses_null:
            if name in request.nulls:
                raise _validation_error(
                    name, "none is not an allowed value (type=type_error.none.not_allowed)"
                )
        if self.extensions and not self.version.enhancements:
            raise InvalidRequest(NO_ENHANCEMENTS)
        for name in sorted(request.fields - self._strict_fields(request)):
            raise _validation_error(name[:80], "extra fields not permitted (type=value_error.extra)")
        video = request.video
        if isinstance(video, DocumentContent) and VIDEO not in request.enhancements:
            raise InvalidRequest(
                "A document id needs the 'video' enhancement: set 'enhancements.video.enabled' to true.",
                param=video.param,
            )
        if isinstance(video, VideoContent) and self.api is not None:
            raise InvalidRequest(
                "Invalid content type 'video_url': supported are 'text', 'image_url' and 'acv_document_id'.",
                param=video.param,
            )

    def _strict_fields(self, request: ChatRequest) -> frozenset[str]:
        """The fields that the specification of this api-version has on this route, for this model version."""
        refused = frozenset(self.version.refused)
        if self.api is None:
            return (_EVERY_VERSION | request.fields) - refused
        known = (
            _EVERY_VERSION - _NOT_IN_EXTENSIONS if self.extensions else _EVERY_VERSION | self.api.extra
        ) - refused
        if self.api.enhancements == ("extensions" if self.extensions else "chat"):
            known |= {"enhancements"}
        if self.extensions or not self.api.extensions:
            known |= {self.api.data_sources}
        return known

    def _check_enhancements(self, request: ChatRequest) -> None:
        known = (COMPUTER_VISION, VIDEO_INDEX)
        others = [one for one in request.data_sources if not any(map(one.is_a, known))]
        params = [f"enhancements.{name}" for name in request.enhancements]
        if isinstance(request.video, DocumentContent):
            params.append(request.video.param)
        params += [one.param for one in request.data_sources if not one.is_a(COMPUTER_VISION)]
        if params and not self.version.enhancements:
            raise InvalidRequest(NO_ENHANCEMENTS, param=params[0])
        for name in request.enhancements:
            if name not in ENHANCEMENTS:
                raise InvalidRequest(
                    f"The enhancement '{name}' is not supported by this version of Foveal.",
                    param=f"enhancements.{name}",
                )
        for one in others:
            raise InvalidRequest(
                f"Data sources of type '{one.type[:80]}' are not supported by this version of Foveal.",
                param=one.param,
            )

    def _check_images(self, request: ChatRequest) -> None:
        if not request.images:
            return
        if not (self._takes_images() and self.abilities.images):
            for i, message in enumerate(request.messages):
                for image in message.images:
                    j = message.content.index(image)
                    raise InvalidRequest(NO_IMAGES, param=f"messages.[{i}].content.[{j}].type")
        self._check_beside(request, "image")

    def _check_video(self, request: ChatRequest) -> None:
        if request.video is None:
            return
        if not (self._takes_images() and (self.abilities.video or self.abilities.images)):
            raise InvalidRequest(NO_VIDEO, param=request.video.param)
        self._check_beside(request, "video")

    def _takes_images(self) -> bool:
        sku = self.deployment.sku
        return self.version.takes_images(sku) or (self.deployment.relaxed and self.version.images)

    def _check_beside(self, request: ChatRequest, what: str) -> None:
        """What Azure did not do for a request with pictures."""
        if self.deployment.relaxed:
            return
        if request.response_format is not None:
            raise _no_format(request.response_format.type)
        if request.tools:
            name = "functions" if request.functions_form else "tools"
            raise InvalidRequest(
                f"Invalid parameter: '{name}' is not supported with {what} input with this model.", param=name
            )

    def _check_format(self, request: ChatRequest) -> None:
        wanted = request.response_format
        if wanted is None:
            return
        able = self.abilities.json_object if wanted.type == "json_object" else self.abilities.json_schema
        if not able:
            raise _no_format(wanted.type)
        if self.deployment.strict and wanted.type == "json_object" and not _mentions_json(request):
            raise InvalidRequest(
                "'messages' must contain the word 'json' in some form, to use 'response_format' "
                "of type 'json_object'.",
                param="messages",
            )

    def _check_engine(self, request: ChatRequest) -> None:
        if request.logprobs:
            raise _not_by_engine("logprobs", self.deployment)
        if request.tools and request.tool_choice.mode != "none" and not self.abilities.tools:
            raise _not_by_engine("functions" if request.functions_form else "tools", self.deployment)
        if request.sampling.logit_bias and not self.abilities.logit_bias:
            raise _not_by_engine("logit_bias", self.deployment)

    def _check_max_tokens(self, request: ChatRequest) -> None:
        most = self.version.output
        if request.max_tokens is not None and request.max_tokens > most:
            name = "max_tokens" if "max_tokens" in request.fields - request.nulls else "max_completion_tokens"
            raise InvalidRequest(
                f"{name} is too large: {str(request.max_tokens)[:40]}. This model supports at most {most} "
                "completion tokens.",
                param=name,
            )


def _validation_error(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"1 validation error for Request\nbody -> {field}\n  {reason}")


def _no_format(kind: str) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this model.",
        param="response_format",
    )


def _not_by_engine(name: str, deployment: Deployment) -> InvalidRequest:
    return InvalidRequest(
        f"Invalid parameter: '{name}' is not supported by this deployment's engine '{deployment.engine}'.",
        param=name,
    )


def _mentions_json(request: ChatRequest) -> bool:
    parts = (part for message in request.messages for part in message.content)
    return any(isinstance(part, TextContent) and "json" in part.text.lower() for part in parts)

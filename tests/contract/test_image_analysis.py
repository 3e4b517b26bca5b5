"""Image analysis through Azure's own SDK, unchanged; bare HTTP for what the SDK would not send."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.ai.vision.imageanalysis import ImageAnalysisClient
from azure.ai.vision.imageanalysis.aio import ImageAnalysisClient as AsyncImageAnalysisClient
from azure.ai.vision.imageanalysis.models import ImageAnalysisResult, VisualFeatures
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from tests.support.house import KEY, analysis_service, services
from tests.support.server import LiveServer, live

import foveal
from foveal.engines.echo import EchoEngine
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.resources.accounts import Principal, Resource

ANALYZE = "/computervision/imageanalysis:analyze"
ALL = list(VisualFeatures)
VISION_KEY, CHAT_KEY = "c" * 32, "d" * 32
KINDS = {KEY: "AIServices", VISION_KEY: "ComputerVision", CHAT_KEY: "OpenAI"}


class Keys:
    """One resource of each kind."""

    def check(self, presented: str) -> Principal | None:
        kind = KINDS.get(presented)
        if kind is None:
            return None
        return Principal(Resource(kind.lower(), kind, "swedencentral", "S1"), "key1")


def png(width: int = 800, height: int = 600, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(out, **{"format": "PNG", **options})
    return out.getvalue()


@dataclass(frozen=True)
class Places:
    """The analysing server, and a picture on another one that it may reach."""

    url: str
    picture: str


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    async def picture(_: object) -> Response:
        return Response(png(), media_type="image/png")

    with live(Starlette(routes=[Route("/photo.png", picture)])) as store:
        door = ImageDoor(MediaFetcher(allow_hosts=(f"127.0.0.1:{store.port}",)))
        parts = services(EchoEngine(), door=door, keys=Keys(), analysis=analysis_service(door=door))
        with live(build_app(parts)) as server:
            yield Places(server.url, f"{store.url}/photo.png")
            server.call(door.close())


@pytest.fixture
def client(places: Places) -> Iterator[ImageAnalysisClient]:
    with ImageAnalysisClient(places.url, AzureKeyCredential(VISION_KEY)) as sdk:
        yield sdk


@pytest.fixture
def raw(places: Places) -> Iterator[httpx.Client]:
    headers = {"ocp-apim-subscription-key": VISION_KEY, "content-type": "application/octet-stream"}
    with httpx.Client(base_url=places.url, headers=headers, timeout=30) as bare:
        yield bare


def check_all(result: ImageAnalysisResult) -> None:
    assert (result.metadata.width, result.metadata.height) == (800, 600)
    assert result.model_version == "2023-10-01"
    assert result.caption is not None
    assert result.caption.text == "a person wearing blue, a red car and a dog"
    assert 0.5 < result.caption.confidence < 1
    assert result.dense_captions is not None
    whole, *regions = result.dense_captions.list
    assert whole.text == result.caption.text
    assert (whole.bounding_box.width, whole.bounding_box.height) == (800, 600)
    assert "a red car" in [one.text for one in regions]
    assert result.tags is not None
    confidences = [tag.confidence for tag in result.tags.list]
    assert confidences == sorted(confidences, reverse=True)
    assert {"person", "car", "dog", "vehicle", "animal", "minivan"} <= {tag.name for tag in result.tags.list}
    assert result.objects is not None
    car = next(one for one in result.objects.list if one.tags[0].name == "car")
    box = car.bounding_box
    assert (box.x, box.y, box.width, box.height) == (400, 300, 320, 180)
    assert result.people is not None
    assert [round(one.confidence, 2) for one in result.people.list] == [0.97]
    assert result.read is not None
    (block,) = result.read.blocks
    (line,) = block.lines
    assert line.text == "CENTRAL STATION"
    assert [(point.x, point.y) for point in line.bounding_polygon] == [
        (320, 30),
        (640, 30),
        (640, 72),
        (320, 72),
    ]
    assert [word.text for word in line.words] == ["CENTRAL", "STATION"]
    assert all(len(word.bounding_polygon) == 4 and word.confidence == 0.98 for word in line.words)
    assert result.smart_crops is not None
    for crop in result.smart_crops.list:
        box = crop.bounding_box
        assert abs(box.width - crop.aspect_ratio * box.height) <= 1
        assert 0 <= box.x <= box.x + box.width <= 800
        assert 0 <= box.y <= box.y + box.height <= 600


def test_every_feature_of_a_picture_sent_as_bytes(client: ImageAnalysisClient) -> None:
    result = client.analyze(
        png(),
        ALL,
        language="en",
        gender_neutral_caption=True,
        smart_crops_aspect_ratios=[0.9, 1.33],
        model_version="latest",
    )
    check_all(result)
    assert result.smart_crops is not None
    assert [crop.aspect_ratio for crop in result.smart_crops.list] == [0.9, 1.33]


def test_every_feature_of_a_picture_at_a_url(client: ImageAnalysisClient, places: Places) -> None:
    check_all(client.analyze_from_url(places.picture, ALL))


async def test_the_async_client_does_the_same(places: Places) -> None:
    async with AsyncImageAnalysisClient(places.url, AzureKeyCredential(KEY)) as sdk:
        check_all(await sdk.analyze(png(), ALL))
        check_all(await sdk.analyze_from_url(places.picture, ALL))


@pytest.mark.parametrize("feature", ALL)
def test_only_what_was_asked_for_is_answered(client: ImageAnalysisClient, feature: VisualFeatures) -> None:
    answer = client.analyze(png(), [feature]).as_dict()
    assert set(answer) == {"modelVersion", "metadata", f"{feature.value}Result"}


def test_a_token_that_is_a_key_is_that_key(places: Places) -> None:
    @dataclass(frozen=True)
    class StaticToken:
        token: str

        def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            return AccessToken(self.token, 4_102_444_800)

    with ImageAnalysisClient(places.url, StaticToken(VISION_KEY)) as sdk:
        assert sdk.analyze(png(), [VisualFeatures.TAGS], enforce_https=False).tags is not None
    wrong = ImageAnalysisClient(places.url, StaticToken("wrong"))
    with wrong, pytest.raises(ClientAuthenticationError) as refused:
        wrong.analyze(png(), [VisualFeatures.TAGS], enforce_https=False)
    assert refused.value.status_code == 401


@pytest.mark.parametrize("key", ["wrong", CHAT_KEY])
def test_a_wrong_key_and_one_of_a_chat_resource_are_refused(places: Places, key: str) -> None:
    sdk = ImageAnalysisClient(places.url, AzureKeyCredential(key))
    with sdk, pytest.raises(ClientAuthenticationError) as refused:
        sdk.analyze(png(), [VisualFeatures.TAGS])
    assert refused.value.status_code == 401
    assert refused.value.error is not None
    assert refused.value.error.code == "401"
    assert "Access denied due to invalid subscription key" in refused.value.message


def refusal(client: ImageAnalysisClient, data: bytes, **options: Any) -> tuple[str, str, str]:
    """Outer code, inner code, message."""
    with pytest.raises(HttpResponseError) as refused:
        client.analyze(data, options.pop("features", [VisualFeatures.TAGS]), **options)
    assert refused.value.status_code == 400
    error = refused.value.error
    assert error is not None
    assert error.innererror is not None
    assert error.code == "InvalidRequest"
    return str(error.code), str(error.innererror["code"]), str(error.message)


def test_bytes_that_are_no_picture(client: ImageAnalysisClient) -> None:
    assert refusal(client, b"hello")[1] == "InvalidImageFormat"
    assert refusal(client, png()[:300])[1] == "InvalidImageFormat"


def test_nothing_and_too_much(client: ImageAnalysisClient) -> None:
    said = "The image size is not allowed to be zero or larger than 20971520 bytes."
    assert refusal(client, b"")[1:] == ("InvalidImageSize", said)
    assert refusal(client, b"\x89PNG" + bytes(20_971_520))[1:] == ("InvalidImageSize", said)


@pytest.mark.parametrize(("width", "height"), [(49, 100), (100, 49), (16_001, 60)])
def test_dimensions_have_limits(client: ImageAnalysisClient, width: int, height: int) -> None:
    _, inner, message = refusal(client, png(width, height))
    assert inner == "InvalidImageSize"
    assert "smaller than 50 and larger than 16000" in message


def test_dimensions_at_the_limits_pass(client: ImageAnalysisClient) -> None:
    found = client.analyze(png(50, 50), [VisualFeatures.OBJECTS])
    assert (found.metadata.width, found.metadata.height) == (50, 50)
    assert client.analyze(png(16_000, 50), [VisualFeatures.SMART_CROPS]).metadata.width == 16_000


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/none.png",  # an address inside, which this server may not reach
        "http://169.254.169.254/latest/meta-data",
        "https://does-not-exist.invalid/photo.jpg",
    ],
)
def test_an_address_that_cannot_be_reached(client: ImageAnalysisClient, url: str) -> None:
    with pytest.raises(HttpResponseError) as refused:
        client.analyze_from_url(url, [VisualFeatures.CAPTION])
    assert refused.value.status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code == "InvalidRequest"
    assert refused.value.error.message == "The provided image url is not accessible."


@pytest.mark.parametrize("language", ["fr", "EN", "xx"])
def test_languages_that_are_not_spoken(client: ImageAnalysisClient, language: str) -> None:
    assert refusal(client, png(), language=language)[1] == "NotSupportedLanguage"


@pytest.mark.parametrize("ratio", [0.74, 1.81, -1.0, float("nan"), float("inf")])
def test_ratios_outside_the_limits(client: ImageAnalysisClient, ratio: float) -> None:
    options = {"features": [VisualFeatures.SMART_CROPS], "smart_crops_aspect_ratios": [1.0, ratio]}
    assert refusal(client, png(), **options)[1] == "InvalidParameter"


def test_a_model_version_that_is_not_there(client: ImageAnalysisClient) -> None:
    assert refusal(client, png(), model_version="2030-01-01")[1] == "InvalidModelVersion"


@pytest.mark.parametrize("features", ["", " , ", "captions", "tags,faces"])
def test_features_that_are_missing_or_unknown(raw: httpx.Client, features: str) -> None:
    query = {"api-version": "2024-02-01", "features": features}
    answer = raw.post(ANALYZE, params=query, content=png())
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == answer.headers["x-ms-error-code"] == "InvalidRequest"
    assert error["innererror"] == {"code": "NotSupportedVisualFeature", "message": error["message"]}


def test_features_in_any_case_and_repeated(raw: httpx.Client) -> None:
    query = "api-version=2023-10-01&features=TAGS,densecaptions&features=People"
    answer = raw.post(f"{ANALYZE}?{query}", content=png())
    assert {"tagsResult", "denseCaptionsResult", "peopleResult"} < set(answer.json())
    assert answer.headers["csp-billing-usage"] == "CognitiveServices.ComputerVision.Transaction=3"
    assert len(answer.headers["apim-request-id"]) == 36
    assert answer.headers["x-ms-region"] == "swedencentral"


@pytest.mark.parametrize(
    ("given", "code"), [("", "ApiVersionUnspecified"), ("2031-01-01", "UnsupportedApiVersion")]
)
def test_versions_that_are_not_known(raw: httpx.Client, given: str, code: str) -> None:
    answer = raw.post(ANALYZE, params={"api-version": given, "features": "tags"}, content=png())
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code
    assert "2023-10-01" in answer.headers["api-supported-versions"]


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "text/plain", "application/x-www-form-urlencoded", ""]
)
def test_content_types_that_are_not_taken(raw: httpx.Client, kind: str) -> None:
    query = {"api-version": "2024-02-01", "features": "tags"}
    answer = raw.post(ANALYZE, params=query, content=png(), headers={"content-type": kind})
    assert answer.status_code == 415
    assert answer.json()["error"]["innererror"]["code"] == "UnsupportedMediaType"


def test_an_image_type_is_taken_as_bytes(raw: httpx.Client) -> None:
    query = {"api-version": "2024-02-01", "features": "tags"}
    jpeg = png(format="JPEG")
    answer = raw.post(ANALYZE, params=query, content=jpeg, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 200


def post_json(raw: httpx.Client, body: bytes) -> httpx.Response:
    query = {"api-version": "2024-02-01", "features": "tags"}
    return raw.post(
        ANALYZE, params=query, content=body, headers={"content-type": "application/json; charset=utf-8"}
    )


def test_addresses_in_json(raw: httpx.Client, places: Places, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(png())
    inline = foveal.local_image_to_data_url(path)
    for url in (places.picture, inline):
        assert post_json(raw, json.dumps({"url": url}).encode()).status_code == 200
    assert post_json(raw, f"{{'url' : '{places.picture}'}}".encode()).status_code == 200


@pytest.mark.parametrize(
    ("body", "inner"),
    [
        (b"", "BadArgument"),
        (b"[]", "BadArgument"),
        (b'{"url": ', "BadArgument"),
        (b"{'url': '\xff'}", "BadArgument"),
        (b"{}", "InvalidImageUrl"),
        (b'{"url": ""}', "InvalidImageUrl"),
        (b'{"url": 7}', "InvalidImageUrl"),
        (b'{"url": "ftp://example.com/photo.jpg"}', "InvalidImageUrl"),
        (b'{"url": "photo.jpg"}', "InvalidImageUrl"),
        (b'{"url": "data:image/png;base64,AAAA"}', "InvalidImageFormat"),
    ],
)
def test_json_that_names_no_picture(raw: httpx.Client, body: bytes, inner: str) -> None:
    answer = post_json(raw, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["innererror"]["code"] == inner


def test_a_picture_lying_on_its_side_is_measured_upright(raw: httpx.Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = png(640, 480, format="JPEG", exif=exif)
    query = {"api-version": "2024-02-01", "features": "objects"}
    assert raw.post(ANALYZE, params=query, content=lying).json()["metadata"] == {"width": 480, "height": 640}


@pytest.mark.parametrize("version", ["2023-02-01-preview", "2023-04-01-preview"])
def test_the_previews_have_their_older_form_of_text(raw: httpx.Client, version: str) -> None:
    query = {"api-version": version, "features": "read", "model-version": "latest"}
    answer = raw.post(ANALYZE, params=query, content=png()).json()
    assert answer["modelVersion"] == version
    read = answer["readResult"]
    assert read["stringIndexType"] == "TextElements"
    assert read["content"] == "CENTRAL STATION"
    (page,) = read["pages"]
    assert (page["width"], page["height"], page["pageNumber"], page["angle"]) == (800, 600, 1, 0)
    (line,) = page["lines"]
    assert line["boundingBox"] == [320, 30, 640, 30, 640, 72, 320, 72]
    for piece in (*page["words"], {"content": line["content"], "span": line["spans"][0]}):
        span = piece["span"]
        assert read["content"][span["offset"] : span["offset"] + span["length"]] == piece["content"]


@pytest.mark.parametrize("operation", ["vectorizeImage", "vectorizeText"])
def test_vectors_are_refused_honestly(raw: httpx.Client, operation: str) -> None:
    answer = raw.post(f"/computervision/retrieval:{operation}", params={"api-version": "2024-02-01"})
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "NotSupported"
    assert "embed" in answer.json()["error"]["message"]
    without = raw.post(
        f"/computervision/retrieval:{operation}", headers={"ocp-apim-subscription-key": CHAT_KEY}
    )
    assert without.status_code == 401


def test_each_feature_is_a_unit_of_its_own(raw: httpx.Client) -> None:
    def units(meter: str) -> float:
        lines = raw.get("/metrics").text.splitlines()
        name = f'foveal_units_total{{meter="{meter}"}}'
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), 0.0)

    before = units("analysis.people"), units("analysis.caption")
    query = {"api-version": "2024-02-01", "features": "people"}
    assert raw.post(ANALYZE, params=query, content=png()).status_code == 200
    assert raw.post(ANALYZE, params=query, content=b"").status_code == 400
    assert (units("analysis.people"), units("analysis.caption")) == (before[0] + 1, before[1])


async def test_many_at_once_are_all_answered(places: Places) -> None:
    async with AsyncImageAnalysisClient(places.url, AzureKeyCredential(KEY)) as sdk:
        found = await asyncio.gather(*(sdk.analyze(png(100 + n, 100), ALL) for n in range(8)))
    assert [one.metadata.width for one in found] == [100 + n for n in range(8)]


def test_the_doubled_slash_of_a_pasted_endpoint(places: Places) -> None:
    with ImageAnalysisClient(f"{places.url}/", AzureKeyCredential(KEY)) as sdk:
        assert sdk.analyze(png(), [VisualFeatures.TAGS]).tags is not None


def test_the_server_without_marks_of_its_own_is_the_same(server: LiveServer) -> None:
    """The ordinary key of a multi-service resource opens this surface too."""
    with ImageAnalysisClient(server.url, AzureKeyCredential(KEY)) as sdk:
        assert sdk.analyze(png(), [VisualFeatures.OBJECTS]).objects is not None

"""What requests spend is in the ledger, however they end; GET /foveal/usage; budgets that refuse."""

from __future__ import annotations

import http.client
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AzureOpenAI, OpenAI
from PIL import Image
from sqlalchemy import select
from tests.support.engines import EndlessEngine, ScriptedEngine
from tests.support.facts import FixedFinder
from tests.support.house import API_VERSION, KEY, analysis_service, enhancements, services
from tests.support.metering import Office, open_office
from tests.support.safety import written_safety
from tests.support.server import LiveServer, live
from tests.support.wire import CHAT, ask, image

from foveal.engines.base import Engine
from foveal.engines.echo import EchoEngine
from foveal.errors import EngineError, EngineUnavailable
from foveal.http.app import build_app
from foveal.images.door import ImageDoor
from foveal.images.fetch import MediaFetcher
from foveal.metering.budgets import Budget, set_budget
from foveal.resources.accounts import Principal, Resource, open_accounts
from foveal.store.ledger_tables import ledger

PATH = f"{CHAT}?api-version={API_VERSION}"
HEADERS = {"api-key": KEY, "content-type": "application/json"}
SECOND_KEY, OTHER_KEY = "2" * 32, "3" * 32
ENHANCED = CHAT.replace("/chat/", "/extensions/chat/") + f"?api-version={API_VERSION}"


class Keys:
    """Two keys of `local`, and one of another resource."""

    def check(self, presented: str) -> Principal | None:
        local = Resource("local", "AIServices", "swedencentral", "S0")
        known = {
            KEY: Principal(local, "key1"),
            SECOND_KEY: Principal(local, "key2"),
            OTHER_KEY: Principal(Resource("other", "AIServices", "swedencentral", "S0"), "key1"),
        }
        return known.get(presented)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(tmp_path)
    open_accounts(made.database, operator_key=KEY, engine="echo", strict=False)
    yield made
    made.close()


@contextmanager
def serving(office: Office, engine: Engine | None = None, **changes: Any) -> Iterator[LiveServer]:
    parts = {"keys": Keys(), "meter": office.metering, "usage": office.metering.usage, **changes}
    with live(build_app(services(engine or EchoEngine(), **parts))) as server:
        yield server


def entries(office: Office) -> list[dict[str, Any]]:
    """Every entry as it was settled, without id and time."""
    office.metering.ledger.flush()
    with office.database.connect() as connection:
        rows = connection.execute(select(ledger).order_by(ledger.c.id)).mappings()
        return [{name: row[name] for name in row if name not in ("id", "at", "resource")} for row in rows]


def chat(outcome: str, units: Mapping[str, float], **changes: Any) -> dict[str, Any]:
    same = {"deployment": "gpt-4v", "principal": "key1", "kind": "chat"}
    return {**same, "outcome": outcome, "units": units, **changes}


def post(server: LiveServer, body: Any, path: str = PATH, key: str = KEY) -> httpx.Response:
    return httpx.post(server.url + path, headers={"api-key": key}, json=body, timeout=30)


def test_the_sdk_and_the_ledger_count_the_same(office: Office) -> None:
    with serving(office) as server:
        client = AzureOpenAI(azure_endpoint=server.url, api_key=SECOND_KEY, api_version=API_VERSION)
        with client:
            asked: Any = [{"role": "user", "content": "What is this?"}]
            plain = client.chat.completions.create(model="gpt-4v", messages=asked)
            streamed = list(client.chat.completions.create(model="gpt-4-turbo", messages=asked, stream=True))
    assert plain.usage is not None
    assert streamed
    units = {"input_tokens": plain.usage.prompt_tokens, "output_tokens": plain.usage.completion_tokens}
    assert entries(office) == [
        chat("answered", units, principal="key2"),
        chat("answered", units, principal="key2", deployment="gpt-4-turbo"),
    ]


def test_an_answer_is_settled_before_the_client_has_all_of_it(office: Office) -> None:
    with serving(office) as server:
        for stream in (False, True):
            post(server, ask(stream=stream))
            written = b"".join(path.read_bytes() for path in (office.data / "ledger").glob("*.journal"))
            assert written.count(b"\n") == 1
            office.metering.ledger.flush()


def test_the_plain_route(office: Office) -> None:
    with serving(office) as server, OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
        client.chat.completions.create(model="gpt-4v", messages=[{"role": "user", "content": "hi"}])
    (entry,) = entries(office)
    assert (entry["deployment"], entry["outcome"]) == ("gpt-4v", "answered")


def test_enhancements_are_counted_by_themselves(office: Office) -> None:
    finder = FixedFinder()
    body = ask(
        "Describe it", image(), enhancements={"ocr": {"enabled": True}, "grounding": {"enabled": True}}
    )
    with serving(office, enhanced=enhancements(finder, Keys())) as server:
        answer = post(server, body, ENHANCED)
    assert answer.status_code == 200, answer.text
    usage = answer.json()["usage"]
    assert entries(office) == [
        chat(
            "answered",
            {
                "ocr": 1,
                "grounding": 1,
                "input_tokens": usage["prompt_tokens"],
                "output_tokens": usage["completion_tokens"],
            },
        )
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_a_filtered_prompt_costs_its_tokens_and_no_more(office: Office, stream: bool) -> None:
    with serving(office, safety=written_safety()) as server:
        assert post(server, ask("violence:high", stream=stream)).status_code == 400
    (entry,) = entries(office)
    assert entry["outcome"] == "filtered"
    assert list(entry["units"]) == ["input_tokens"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_the_filter_cuts(office: Office, stream: bool) -> None:
    engine = ScriptedEngine(["Fine. ", "violence:high", " more."])
    with serving(office, engine, safety=written_safety()) as server:
        assert "content_filter" in post(server, ask(stream=stream)).text
    (entry,) = entries(office)
    assert entry["outcome"] == "cut"
    assert entry["units"]["output_tokens"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_pays_for_what_was_written(office: Office, stream: bool) -> None:
    engine = EndlessEngine()
    with serving(office, engine) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("POST", PATH, json.dumps(ask(stream=stream)), HEADERS)
        server.call(engine.started.wait())
        if stream:
            response = connection.getresponse()
            assert response.readline().startswith(b"data: ")
            response.close()
        connection.close()
        server.call(engine.stopped.wait())
    (entry,) = entries(office)
    assert entry["outcome"] == "left"
    assert entry["units"] == {"input_tokens": 8, "output_tokens": 1}


@pytest.mark.parametrize("stream", [False, True])
def test_an_engine_that_fails_half_way(office: Office, stream: bool) -> None:
    engine = ScriptedEngine(["a word. ", "b"], fail_at=(1, EngineError("The server behind is gone.")))
    with serving(office, engine) as server:
        post(server, ask(stream=stream))
    (entry,) = entries(office)
    assert entry["outcome"] == "failed"
    assert entry["units"]["output_tokens"] == 4


def test_an_engine_that_fails_before_its_first_word_costs_nothing(office: Office) -> None:
    engine = ScriptedEngine(["a"], fail_at=(0, EngineUnavailable("It is loading.")))
    with serving(office, engine) as server:
        assert post(server, ask()).status_code == 503
    assert entries(office) == [chat("failed", {})]


@pytest.mark.parametrize(
    ("body", "key", "path"),
    [
        (ask(max_tokens=0), KEY, PATH),
        ({"messages": []}, KEY, PATH),
        (ask("hi", image("https://bad.example/x.png")), KEY, PATH),
        (ask(), "f" * 32, PATH),
        (ask(), KEY, PATH.replace("gpt-4v", "absent")),
        (ask(), KEY, PATH.replace("gpt-4v", "no-engine")),
    ],
)
def test_what_is_refused_before_any_work_is_not_in_the_ledger(
    office: Office, body: Any, key: str, path: str
) -> None:
    with serving(office) as server:
        assert post(server, body, path, key).status_code >= 400
    assert entries(office) == []


def test_image_analysis_counts_features(office: Office) -> None:
    path = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=tags,objects,caption"
    with serving(office, analysis=analysis_service(FixedFinder(), ImageDoor(MediaFetcher()))) as server:
        out = io.BytesIO()
        Image.new("RGB", (64, 64)).save(out, "PNG")
        binary = {**HEADERS, "content-type": "application/octet-stream"}
        answer = httpx.post(server.url + path, headers=binary, content=out.getvalue())
    assert answer.status_code == 200, answer.text
    assert entries(office) == [chat("answered", {"analysis": 3}, kind="analysis", deployment="")]


def test_usage_is_that_of_the_keys_resource(office: Office) -> None:
    office.settle({"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1})
    office.settle({"input_tokens": 1000}, resource="other")
    with serving(office) as server:
        mine = httpx.get(f"{server.url}/foveal/usage?by=key", headers={"api-key": KEY})
        theirs = httpx.get(f"{server.url}/foveal/usage", headers={"api-key": OTHER_KEY})
        sheet = httpx.get(f"{server.url}/foveal/usage?by=day&format=csv", headers={"api-key": KEY})
        none = httpx.get(f"{server.url}/foveal/usage?to=2024-04-08", headers={"api-key": KEY})
    assert mine.json() == {
        "object": "usage",
        "by": "key",
        "from": None,
        "to": None,
        "currency": "USD",
        "data": [
            {
                "resource": "local",
                "key": "key1",
                "requests": 1,
                "units": {"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1},
                "cost": "0.00955",
            }
        ],
        "total": {
            "requests": 1,
            "units": {"input_tokens": 355, "output_tokens": 100, "ocr": 1, "grounding": 1},
            "cost": "0.00955",
        },
    }
    assert [row["resource"] for row in theirs.json()["data"]] == ["other"]
    assert Decimal(theirs.json()["total"]["cost"]) == Decimal("0.01")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert sheet.text.splitlines()[1].startswith("2024-04-09,1,355,100,1,1,")
    assert none.json()["data"] == []


@pytest.mark.parametrize(
    ("query", "param"),
    [("by=moon", "by"), ("from=yesterday", "from"), ("to=2024-13-01", "to"), ("format=xml", "format")],
)
def test_usage_that_is_asked_for_wrongly(office: Office, query: str, param: str) -> None:
    with serving(office) as server:
        answer = httpx.get(f"{server.url}/foveal/usage?{query}", headers={"api-key": KEY})
        keyless = httpx.get(f"{server.url}/foveal/usage")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert keyless.status_code == 401


def test_a_spent_budget_refuses_in_the_shapes_that_clients_read(office: Office) -> None:
    set_budget(office.database, Budget("small", Decimal("0.00001"), "day", "local", "gpt-4v"))
    office.metering.spending.refresh()
    with serving(office) as server:
        assert post(server, ask()).status_code == 200
        refusal = post(server, ask())
        assert refusal.status_code == 429
        assert refusal.json()["error"]["code"] == "BudgetExceeded"
        assert "The budget 'small' of USD 0.00001" in refusal.json()["error"]["message"]
        assert int(refusal.headers["retry-after"]) > 0
        assert post(server, ask(), PATH.replace("gpt-4v", "gpt-4-turbo")).status_code == 200
        with OpenAI(base_url=f"{server.url}/v1", api_key=KEY) as client:
            with pytest.raises(openai.RateLimitError) as raised:
                client.chat.completions.create(model="gpt-4v", messages=[{"role": "user", "content": "hi"}])
            assert raised.value.code == "insufficient_quota"
            assert raised.value.type == "insufficient_quota"
    assert [entry["deployment"] for entry in entries(office)] == ["gpt-4v", "gpt-4-turbo"]


def test_a_budget_of_the_resource_covers_image_analysis(office: Office) -> None:
    set_budget(office.database, Budget("all", Decimal("0.00001"), "month", "local"))
    office.metering.spending.refresh()
    office.settle()
    path = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=tags"
    with serving(office) as server:
        answer = httpx.post(
            server.url + path, headers={**HEADERS, "content-type": "application/octet-stream"}, content=b"x"
        )
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "BudgetExceeded"

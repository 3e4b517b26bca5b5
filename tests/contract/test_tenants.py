"""Two tenants on one server: a key sees only what is its resource's; what is another's is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import BlobClient
from tests.support.tenants import (
    ALPHA,
    BETA,
    CAPACITY,
    FORBIDDEN,
    OWN_HOSTS,
    SAID,
    Tenant,
    Tenants,
    serve_tenants,
)

from foveal.resources.identity import add_storage_account, assign_role, set_identity
from foveal.resources.register import add_resource, remove_resource

ODD = "never-made"  # the name of nothing at all, as long as that of what is alpha's
FOREIGN = "only-alpha"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    """For tests that change nothing."""
    with serve_tenants(tmp_path_factory.mktemp("tenants")) as made:
        yield made


@pytest.fixture
def tenants(tmp_path: Path) -> Iterator[Tenants]:
    with serve_tenants(tmp_path) as made:
        yield made


def alike(foreign: httpx.Response, missing: httpx.Response, status: int) -> None:
    """What is another's is answered as what was never made; only the name that was asked for differs."""
    assert (foreign.status_code, missing.status_code) == (status, status), foreign.text
    assert foreign.text.replace(FOREIGN, ODD) == missing.text
    told = [{name for name in one.headers if name != "content-length"} for one in (foreign, missing)]
    assert told[0] == told[1]


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["data"]]


def names(answer: httpx.Response, name: str = "name") -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row[name] for row in answer.json()["value"]]


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def test_deployments(shared: Tenants) -> None:
    alpha, beta = shared.alpha, shared.beta
    version = {"api-version": "2023-03-15-preview"}
    for path, query in (("/openai/deployments", version), ("/v1/models", {})):
        assert sorted(ids(alpha.http.get(path, params=query))) == ["gpt-4v", FOREIGN]
        assert ids(beta.http.get(path, params=query)) == ["gpt-4v"]
        alike(
            beta.http.get(f"{path}/{FOREIGN}", params=query),
            beta.http.get(f"{path}/{ODD}", params=query),
            404,
        )
    for one in (alpha, beta):
        shown = one.http.get("/openai/deployments/gpt-4v", params=version).json()
        assert shown["scale_settings"]["capacity"] == CAPACITY[one.name]


def test_chat_goes_to_deployments_of_the_key_alone(shared: Tenants) -> None:
    assert shared.alpha.ask(deployment=FOREIGN).status_code == 200
    alike(shared.beta.ask(deployment=FOREIGN), shared.beta.ask(deployment=ODD), 404)
    foreign, missing = (
        shared.beta.http.post(
            "/v1/chat/completions", json={"model": name, "messages": [{"role": "user", "content": "hi"}]}
        )
        for name in (FOREIGN, ODD)
    )
    alike(foreign, missing, 404)


def test_rate_limits_are_apart(tenants: Tenants) -> None:
    def used(one: Tenant, deployment: str, capacity: str) -> int:
        """What the deployment has taken, with this question's own estimate."""
        answer = one.ask("hi", deployment=deployment, max_tokens=100)
        return CAPACITY[capacity] * 1000 - int(answer.headers["x-ratelimit-remaining-tokens"])

    for _ in range(3):
        assert tenants.alpha.ask("a long question " * 20).status_code == 200
    fresh = used(tenants.alpha, FOREIGN, FOREIGN)
    assert used(tenants.beta, "gpt-4v", BETA) == fresh
    assert used(tenants.alpha, "gpt-4v", ALPHA) > fresh


def test_content_filters_and_blocklists(shared: Tenants) -> None:
    for one, other in ((shared.alpha, shared.beta), (shared.beta, shared.alpha)):
        refused = one.ask(f"a {FORBIDDEN[one.name]} runs")
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "content_filter"
        assert said(one.ask(f"a {FORBIDDEN[other.name]} runs"))


def test_indexes(tenants: Tenants) -> None:
    alpha, beta = tenants.alpha, tenants.beta
    assert sorted(names(alpha.retrieval("GET"))) == ["cameras", FOREIGN]
    assert names(beta.retrieval("GET")) == ["cameras"]
    for method, status in (("GET", 404), ("PATCH", 404), ("DELETE", 204)):
        body = {"userData": {"by": "beta"}} if method == "PATCH" else None
        alike(beta.retrieval(method, f"/{FOREIGN}", body), beta.retrieval(method, f"/{ODD}", body), status)
    for rest in ("/documents", "/documents/alphas-film", "/ingestions", "/ingestions/night"):
        alike(beta.retrieval("GET", f"/{FOREIGN}{rest}"), beta.retrieval("GET", f"/{ODD}{rest}"), 404)
    alike(
        beta.retrieval("GET", f"/{FOREIGN}/documents/alphas-film/thumbnails/0"),
        beta.retrieval("GET", f"/{ODD}/documents/alphas-film/thumbnails/0"),
        404,
    )
    assert alpha.retrieval("GET", f"/{FOREIGN}/documents/alphas-film").status_code == 200
    assert alpha.retrieval("GET", f"/{FOREIGN}").json()["userData"] == {}
    # The same name is free for everybody.
    assert beta.retrieval("PUT", f"/{FOREIGN}", {"userData": {"by": "beta"}}).status_code == 201
    assert alpha.retrieval("GET", f"/{FOREIGN}").json()["userData"] == {}


def test_deleting_an_index_leaves_the_other_of_its_name(tenants: Tenants) -> None:
    assert tenants.beta.retrieval("DELETE", "/cameras").status_code == 204
    assert names(tenants.beta.retrieval("GET")) == []
    assert names(tenants.alpha.retrieval("GET", "/cameras/documents"), "documentId") == ["film"]
    assert said(tenants.alpha.about_a_video("cameras", "film"))


def test_documents_of_the_same_id(tenants: Tenants) -> None:
    for one in (tenants.alpha, tenants.beta):
        (found,) = one.retrieval("GET", "/cameras/documents").json()["value"]
        assert found["documentId"] == "film"
        searched = one.search("cameras", "otter heron safe gate", top=50, dedup=False).json()["value"]
        assert {hit["documentId"] for hit in searched} == {"film"}
        assert len(searched) == 11  # ten frames and one segment
        assert searched[0]["documentKind"] == "SpeechTextSegment"
    tenants.shelf.publish(tenants.shelf.library.record(1), "second", index="cameras", resource=ALPHA)
    assert len(names(tenants.alpha.retrieval("GET", "/cameras/documents"), "documentId")) == 2
    assert len(names(tenants.beta.retrieval("GET", "/cameras/documents"), "documentId")) == 1


def test_ingestions_of_the_same_name(tenants: Tenants) -> None:
    def added(url: str) -> dict[str, Any]:
        return {"videos": [{"mode": "add", "documentId": url[-3:], "documentUrl": url}]}

    alpha, beta = tenants.alpha, tenants.beta
    secret = "https://blobs.test/alphas?sig=secret"
    for name in ("night", FOREIGN):
        assert alpha.retrieval("PUT", f"/cameras/ingestions/{name}", added(secret)).status_code == 202
        secret += "2"
    alike(
        beta.retrieval("GET", f"/cameras/ingestions/{FOREIGN}"),
        beta.retrieval("GET", f"/cameras/ingestions/{ODD}"),
        404,
    )
    assert names(beta.retrieval("GET", "/cameras/ingestions")) == []
    assert beta.retrieval("DELETE", "/cameras/ingestions/night").status_code == 204
    assert alpha.retrieval("GET", "/cameras/ingestions/night").json()["state"] == "Running"
    made = beta.retrieval("PUT", "/cameras/ingestions/night", added("https://blobs.test/betas"))
    assert made.status_code == 202
    for _ in range(2):  # the second one forgets it
        assert beta.retrieval("DELETE", "/cameras/ingestions/night").status_code == 204
    found = alpha.retrieval("GET", "/cameras/ingestions/night").json()
    assert (found["name"], found["state"]) == ("night", "Running")


def test_what_a_video_may_be_fetched_with(tenants: Tenants) -> None:
    """An identity's role, and a signature, are of one resource."""
    database = tenants.office.database
    add_storage_account(database, "films", "c2VjcmV0c2VjcmV0c2VjcmV0")
    for name in (ALPHA, BETA):
        set_identity(database, name, True)
    assign_role(database, ALPHA, "Storage Blob Data Reader", "films")
    made = tenants.alpha.http.put("/storage/media/clip.mp4", content=b"x")
    crossed = made.json()["url"].replace("/storage/alpha/", "/storage/beta/")
    blob = "https://films.blob.core.windows.net/videos/a.mp4"
    for one, url, identity, wanted in (
        (tenants.alpha, blob, True, None),
        (tenants.beta, blob, True, "RoleAssignmentMissing"),
        (tenants.beta, crossed, False, "VideoAccessDenied"),
    ):
        body = {
            "videos": [{"mode": "add", "documentId": "new", "documentUrl": url}],
            "documentAuthenticationKind": "managedIdentity" if identity else "none",
        }
        name = f"of-{wanted}".lower()
        assert one.retrieval("PUT", f"/cameras/ingestions/{name}", body).status_code == 202
        (file,) = one.retrieval("GET", f"/cameras/ingestions/{name}").json()["fileStatusDetails"]
        assert (file.get("error") or {}).get("code") == wanted


@pytest.mark.parametrize("more", [{}, {"filters": {"stringFilters": [{"fieldName": "a", "values": ["b"]}]}}])
def test_a_search_that_names_an_index_of_another(shared: Tenants, more: dict[str, Any]) -> None:
    beta = shared.beta
    assert shared.alpha.search(FOREIGN, "otter").status_code == 200
    alike(beta.search(FOREIGN, "otter", **more), beta.search(ODD, "otter", **more), 404)
    for place in ([FOREIGN], ["cameras", FOREIGN.upper()]):
        odd = [name.replace(FOREIGN, ODD).replace(FOREIGN.upper(), ODD.upper()) for name in place]
        alike(
            beta.search("cameras", "otter", additionalIndexNames=place, **more),
            beta.search("cameras", "otter", additionalIndexNames=odd, **more),
            404,
        )
    both = shared.alpha.search("cameras", "otter", additionalIndexNames=[FOREIGN], top=50)
    assert set(names(both, "documentId")) == {"film", "alphas-film"}


def test_chat_about_a_video_of_another(shared: Tenants) -> None:
    alpha, beta = shared.alpha, shared.beta
    assert SAID[ALPHA] in said(alpha.about_a_video(FOREIGN, "alphas-film"))
    for parameters in (
        {},
        {"endpoint": shared.server.url, "key": beta.key},
        {"computerVisionBaseUrl": f"{shared.server.url}/computervision", "computerVisionApiKey": beta.key},
        # Whose index it is, the key says, not the host.
        {"endpoint": f"https://{OWN_HOSTS[0]}", "key": beta.key},
    ):
        alike(
            beta.about_a_video(FOREIGN, "alphas-film", **parameters),
            beta.about_a_video(ODD, "alphas-film", **parameters),
            400,
        )
        alike(
            beta.about_a_video("cameras", "alphas-film", **parameters),
            beta.about_a_video("cameras", "nobodys-film", **parameters),
            400,
        )
        assert SAID[BETA] in said(beta.about_a_video("cameras", "film", **parameters))
    without_key = beta.about_a_video(FOREIGN, "alphas-film", endpoint=f"https://{OWN_HOSTS[0]}")
    assert without_key.status_code == 400
    assert "has no key" in without_key.json()["error"]["message"]


def test_the_same_question_about_the_same_names_is_answered_from_ones_own(shared: Tenants) -> None:
    for _ in range(2):  # what was remembered of the first answers mixes nothing up
        for one, other in ((shared.alpha, BETA), (shared.beta, ALPHA)):
            content = said(one.about_a_video("cameras", "film"))
            assert SAID[one.name] in content
            assert SAID[other] not in content


def test_media(shared: Tenants) -> None:
    urls = {}
    for one in (shared.alpha, shared.beta):
        made = one.http.put("/storage/media/clip.mp4", content=one.name.encode())
        assert made.status_code == 201
        urls[one.name] = made.json()["url"]
        assert f"/storage/{one.name}/clip.mp4?" in urls[one.name]
    beta = shared.beta.http
    for name, url in urls.items():
        assert httpx.get(url).content == name.encode()
        with BlobClient.from_blob_url(url) as blob:
            assert (blob.container_name, blob.download_blob().readall()) == (name, name.encode())
    # A signature for the one opens nothing of the other, nor does a key.
    crossed = urls[BETA].replace("/storage/beta/", "/storage/alpha/")
    odd = urls[BETA].replace("/storage/beta/", "/storage/never/")
    for url in (crossed, crossed.partition("?")[0], odd):
        refused = beta.get(url)
        assert (refused.status_code, refused.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
    # Who writes into the container of another finds none.
    for container in ("alpha", "ALPHA", "never", "local"):
        answer = beta.put(f"/storage/{container}/clip.mp4", content=b"mine now")
        assert (answer.status_code, answer.headers["x-ms-error-code"]) == (404, "ContainerNotFound")
    assert httpx.get(urls[ALPHA]).content == b"alpha"
    assert beta.put("/storage/BETA/clip.mp4", content=b"new").status_code == 201
    assert httpx.get(urls[BETA]).content == b"new"
    nobody = httpx.put(f"{shared.server.url}/storage/beta/clip.mp4", content=b"x")
    assert nobody.status_code == 401


def test_usage(tenants: Tenants) -> None:
    for _ in range(2):
        assert tenants.alpha.ask().status_code == 200
    assert tenants.beta.ask(deployment="gpt-4v").status_code == 200
    assert tenants.beta.search("cameras", "heron").status_code == 200
    for one, requests in ((tenants.alpha, 2), (tenants.beta, 2)):
        for by in ("deployment", "key", "day", "kind", "outcome"):
            told = one.http.get("/foveal/usage", params={"by": by})
            assert told.status_code == 200, told.text
            assert told.json()["total"]["requests"] == requests
            written = one.http.get("/foveal/usage", params={"by": by, "format": "csv"}).text
            other = BETA if one.name == ALPHA else ALPHA
            assert re.search(rf"\b({other}|local)\b", told.text + written) is None
    asked = tenants.beta.http.get("/foveal/usage", params={"resource": ALPHA})
    assert asked.json()["total"]["requests"] == 2
    assert ALPHA not in asked.text


def test_metrics_name_nobody(shared: Tenants) -> None:
    shared.alpha.ask()
    shown = httpx.get(f"{shared.server.url}/metrics").text
    assert not any(word in shown for word in (ALPHA, BETA, "only-alpha", "cameras"))


def test_a_resource_made_anew_has_nothing_of_the_one_before(tenants: Tenants) -> None:
    beta = tenants.beta
    url = beta.http.put("/storage/media/clip.mp4", content=b"of before").json()["url"]
    assert SAID[BETA] in said(beta.about_a_video("cameras", "film"))
    remove_resource(tenants.office.database, BETA)
    tenants.accounts.changed()
    assert beta.ask().status_code == 401
    assert beta.retrieval("GET").status_code == 401
    assert httpx.get(url).status_code == 403
    add_resource(tenants.office.database, "later", "OpenAI")  # so that the moment is another one
    _, keys = add_resource(tenants.office.database, BETA, "AIServices", deployments=False)
    tenants.accounts.changed()
    assert beta.ask().status_code == 401
    with httpx.Client(base_url=tenants.server.url, headers={"api-key": keys[0]}, timeout=30) as http:
        again = Tenant(BETA, *keys, http)
        assert names(again.retrieval("GET")) == []
        assert ids(again.http.get("/v1/models")) == []
        assert again.search("cameras", "heron").status_code == 404
        assert again.ask().status_code == 404
        assert httpx.get(url).status_code == 403
    assert tenants.media.all(BETA) == []

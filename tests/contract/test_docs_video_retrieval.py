"""docs/video-retrieval.md: its curl runs as printed, and it names every route and limit there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

from tests.support.house import KEY, services
from tests.support.retrieval import workshop
from tests.support.retrieval_http import serve_retrieval

from foveal.engines.echo import EchoEngine
from foveal.http.video_retrieval import RetrievalRoutes
from foveal.video.retrieval.contract import load_retrieval_contract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "video-retrieval.md").read_text()


def test_the_pages_curl(tmp_path: Path) -> None:
    (script,) = (block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl" in block)
    script = script.replace("curl ", "curl --silent --show-error --fail --write-out '\\n' ")
    with workshop(tmp_path) as house, serve_retrieval(house) as server:
        settings = {
            "BASE": server.url,
            "KEY": KEY,
            "SAS_URL": "https://blobs.test/clip.mp4?sv=2022-11-02&sig=a%2Fb%3D",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            ["bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False, env=settings
        )
        assert done.returncode == 0, done.stderr
        made, started, listed, found = (json.loads(line) for line in done.stdout.splitlines())
        (task,) = house.begin()
    assert made["metadataSchema"]["fields"][0]["name"] == "cameraid"
    assert (started["state"], listed["value"][0]["name"]) == ("Running", "my-ingestion")
    assert found == {"value": []}
    assert task.url == settings["SAS_URL"]
    assert task.metadata == {"cameraid": "camera1"}


def test_every_route_is_on_the_page() -> None:
    for route in RetrievalRoutes(services(EchoEngine())).routes():
        (method,) = (route.methods or set()) - {"HEAD"}
        path = re.sub(r":(path|int)}", "}", route.path).removeprefix("/computervision")
        assert f"`{method} {path}`" in PAGE


def test_every_limit_and_version_is_on_the_page() -> None:
    contract = load_retrieval_contract()
    limits = contract.limits
    assert all(version in PAGE for version in contract.api_versions)
    for words in (
        f"up to {limits.name} characters",
        f"up to {limits.fields} fields",
        f"strings up to {limits.metadata_value:,} characters",
        f"{limits.user_data // 1024} KiB",
        f"up to {limits.document_id} characters",
        f"up to {limits.videos:,} of",
        f"at most {limits.body // 1024**2} MiB",
        f"1 to {limits.top:,}; {limits.page} when not said",
        f"up to {limits.query_text:,} characters",
        f"up to {limits.additional_indexes} further indexes",
    ):
        assert words in PAGE, words
    for feature in contract.features:
        assert feature.name in PAGE
        assert feature.domain in PAGE

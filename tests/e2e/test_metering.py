"""A server that is killed, and one whose budget is spent, as an operator meets them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

FOVEAL = [sys.executable, "-m", "foveal"]
CHAT = "/openai/deployments/gpt-4v/chat/completions?api-version=2023-12-01-preview"
KEY = "the-key-of-this-test"


def environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOVEAL_")}
    chosen = {"DATA": str(data), "ENGINE": "echo", "API_KEY": KEY, "FILTER_FAILURE": "open"}
    return {**kept, "PYTHONUNBUFFERED": "1", **{f"FOVEAL_{name}": value for name, value in chosen.items()}}


def foveal(data: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*FOVEAL, *arguments], env=environment(data), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*FOVEAL, "serve", "--port", "0"]
    with subprocess.Popen(
        command, env=environment(data), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        address = next(filter(None, (re.search(r"http://\S+", line) for line in process.stdout)))
        try:
            yield process, address.group()
        finally:
            process.kill()


def ask(address: str, **fields: Any) -> httpx.Response:
    body = {"messages": [{"role": "user", "content": "Hello"}], **fields}
    return httpx.post(address + CHAT, json=body, headers={"api-key": KEY}, timeout=60)


def until(status: int, address: str) -> httpx.Response:
    """Ask until that is the answer; the server looks at budgets every second."""
    return next(answer for answer in (ask(address) for _ in range(5000)) if answer.status_code == status)


def test_what_was_answered_before_a_kill_is_in_usage(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address):
        tokens = sum(ask(address).json()["usage"]["completion_tokens"] for _ in range(5))
        assert "[DONE]" in ask(address, stream=True).text
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
    found = json.loads(foveal(tmp_path, "usage", "--by", "key", "--json"))
    (row,) = found["data"]
    assert (row["resource"], row["key"], row["requests"]) == ("local", "key1", 6)
    assert row["units"]["output_tokens"] == tokens // 5 * 6


def test_a_running_server_learns_of_a_budget_and_refuses(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, address):
        assert ask(address).status_code == 200
        foveal(tmp_path, "budget", "set", "small", "--amount", "0.000001", "--per", "month")
        refusal = until(429, address)
        assert refusal.json()["error"]["code"] == "BudgetExceeded"
        metrics = httpx.get(address + "/metrics").text
        assert 'foveal_budget_alerts_total{budget="small",percent="100"} 1.0' in metrics
        usage = httpx.get(address + "/foveal/usage?by=outcome", headers={"api-key": KEY}).json()
        assert [row["outcome"] for row in usage["data"]] == ["answered"]
        foveal(tmp_path, "budget", "rm", "small")
        until(200, address)

"""`foveal serve` as an operator meets it: a process, its first words, its refusals, its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.support.issuer import SUBJECT, issuing

FOVEAL = [sys.executable, "-m", "foveal"]
CHAT = "/openai/deployments/gpt-4v/chat/completions?api-version=2023-12-01-preview"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOVEAL_")}
    return {**kept, "FOVEAL_ENGINE": "echo", "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def serving(*arguments: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """A running server: the process, its address, and the lines it has said so far."""
    command = [*FOVEAL, "serve", "--port", "0", *arguments]
    process = subprocess.Popen(
        command, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    address = ""
    for line in process.stdout:
        said.append(line.strip())
        if found := re.search(r"http://\S+", line):
            address = found.group()
            break
    try:
        assert address, process.stderr.read() if process.stderr else ""
        yield process, address, said
    finally:
        process.terminate()
        process.communicate(timeout=60)


def refused(*arguments: str, **more: str) -> str:
    """What a start that must fail says on stderr."""
    done = subprocess.run(
        [*FOVEAL, "serve", *arguments], env=environment(**more), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def ask(address: str, key: str, text: str = "Hello") -> httpx.Response:
    body = {"messages": [{"role": "user", "content": text}]}
    return httpx.post(address + CHAT, json=body, headers={"api-key": key}, timeout=60)


def test_the_first_start_prints_the_key_once_and_it_goes_on_working(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data) as (_, address, said):
        (key,) = [line.rsplit(" ", 1)[1] for line in said if line.startswith("Key 1")]
        assert httpx.get(address + "/healthz").status_code == 200
        assert httpx.get(address + "/readyz", timeout=60).status_code in {200, 503}
        assert "foveal_" in httpx.get(address + "/metrics").text
        assert ask(address, key).status_code == 200
        assert ask(address, "wrong").status_code == 401
        assert ask(address, key).json()["choices"][0]["finish_reason"] == "stop"
    with serving("--data", data) as (_, address, said):
        assert not [line for line in said if line.startswith("Key 1")]
        assert ask(address, key).status_code == 200


def test_an_operators_key_is_not_printed(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path), FOVEAL_API_KEY="of-the-operator") as (_, address, said):
        assert "of-the-operator" not in " ".join(said)
        assert ask(address, "of-the-operator").status_code == 200


def test_a_stop_lets_the_request_in_flight_finish(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path), FOVEAL_API_KEY="k") as (process, address, _):
        body = {"messages": [{"role": "user", "content": "word " * 3000}], "stream": True, "max_tokens": 4096}
        with httpx.stream(
            "POST", address + CHAT, json=body, headers={"api-key": "k"}, timeout=60
        ) as response:
            lines = response.iter_lines()
            next(lines)
            process.send_signal(signal.SIGTERM)
            rest = list(lines)
        assert "data: [DONE]" in rest
        assert process.wait(timeout=60) == 0


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        message = refused("--port", port, "--data", str(tmp_path))
    assert f"cannot listen on 127.0.0.1:{port}" in message
    assert "--port" in message


def test_a_data_directory_that_cannot_be_written() -> None:
    assert "--data" in refused("--port", "0", "--data", "/proc/foveal")


def test_a_host_that_others_can_reach_needs_a_key_of_the_operators(tmp_path: Path) -> None:
    assert "FOVEAL_API_KEY" in refused("--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path))
    weak = refused("--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path), FOVEAL_API_KEY="short")
    assert "16 characters" in weak


def test_the_management_api_needs_an_admin_key_of_its_own(tmp_path: Path) -> None:
    data = ("--port", "0", "--data", str(tmp_path))
    assert "FOVEAL_ADMIN_KEY needs 16" in refused(*data, FOVEAL_ADMIN_KEY="short")
    both = {"FOVEAL_API_KEY": "one-key-for-both-of-them", "FOVEAL_ADMIN_KEY": "one-key-for-both-of-them"}
    assert "choose another" in refused(*data, **both)


def test_what_is_managed_is_served_at_once(tmp_path: Path) -> None:
    account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/local"
    with serving("--data", str(tmp_path), FOVEAL_ADMIN_KEY="a-key-of-the-admins") as (_, address, said):
        (key,) = [line.rsplit(" ", 1)[1] for line in said if line.startswith("Key 1")]
        with httpx.Client(
            base_url=address,
            headers={"api-key": "a-key-of-the-admins"},
            params={"api-version": "2023-05-01"},
            timeout=60,
        ) as http:
            keys = http.post(f"{account}/listKeys").json()
            assert keys["key1"] == key
            assert ask(address, keys["key2"]).status_code == 200
            new = http.post(f"{account}/regenerateKey", json={"keyName": "Key1"}).json()["key1"]
            assert (ask(address, key).status_code, ask(address, new).status_code) == (401, 200)
            assert http.delete(f"{account}/deployments/gpt-4v").status_code == 200
            assert ask(address, new).status_code == 404
            wanted = {"format": "OpenAI", "name": "gpt-4", "version": "vision-preview"}
            body = {"sku": {"name": "Standard", "capacity": 5}, "properties": {"model": wanted}}
            assert http.put(f"{account}/deployments/gpt-4v", json=body).status_code == 201
            assert ask(address, new).status_code == 200


def test_missing_models(tmp_path: Path) -> None:
    arguments = (
        "--engine",
        "evidence",
        "--models",
        str(tmp_path / "none"),
        "--data",
        str(tmp_path),
        "--port",
        "0",
    )
    assert "foveal models pull" in refused(*arguments)


def test_a_wrong_setting() -> None:
    assert "--port='eighty'" in refused("--port", "eighty")


@pytest.mark.parametrize("count", [24])
def test_many_clients_at_once(tmp_path: Path, count: int) -> None:
    with serving("--data", str(tmp_path), FOVEAL_API_KEY="k") as (_, address, _):
        seen: list[int] = []
        threads = [
            threading.Thread(target=lambda n=n: seen.append(ask(address, "k", f"I am {n}").status_code))
            for n in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [200] * count


def test_tokens_of_an_issuer_and_what_the_log_tells_of_them(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with issuing() as issuer:
        grants = f"{SUBJECT}=Cognitive Services OpenAI User"
        settings = {"FOVEAL_ENTRA_ISSUER": issuer.url, "FOVEAL_ENTRA_GRANTS": grants}
        with serving("--data", data, "--log-level", "debug", **settings) as (process, address, _):
            good, bad = issuer.token(roles=None), issuer.token(exp=1)
            body = {"messages": [{"role": "user", "content": "Hello"}]}
            for token, status in ((good, 200), (bad, 401)):
                headers = {"authorization": f"Bearer {token}"}
                answer = httpx.post(address + CHAT, json=body, headers=headers, timeout=60)
                assert answer.status_code == status, answer.text
            process.terminate()
            _, logged = process.communicate(timeout=60)
    assert f"read 1 key(s) of the issuer {issuer.url}" in logged
    assert "a bearer token was refused: it has expired" in logged
    assert not any(piece in logged for token in (good, bad) for piece in token.split("."))


def test_an_issuer_that_cannot_be_is_refused_at_the_start(tmp_path: Path) -> None:
    said = refused("--data", str(tmp_path), FOVEAL_ENTRA_ISSUER="http://issuer.example")
    assert "must be an https address" in said

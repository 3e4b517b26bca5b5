"""Settings: flag over variable over default; what cannot be used is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from foveal.errors import SetupError
from foveal.settings import load_settings


def test_defaults() -> None:
    settings = load_settings({}, {})
    assert (settings.host, settings.port, settings.engine) == ("127.0.0.1", 8450, "evidence")
    assert settings.data == Path.home() / ".foveal"


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    environ = {"FOVEAL_PORT": "9000", "FOVEAL_DATA": "~/elsewhere", "FOVEAL_STRICT": "1"}
    assert load_settings({"port": None}, environ).port == 9000
    settings = load_settings({"port": "9001"}, environ)
    assert (settings.port, settings.data, settings.strict) == (9001, Path.home() / "elsewhere", True)


def test_an_empty_variable_counts_as_absent() -> None:
    assert load_settings({}, {"FOVEAL_PORT": "", "FOVEAL_API_KEY": ""}).api_key is None


def test_hosts_are_a_comma_separated_list() -> None:
    settings = load_settings({}, {"FOVEAL_ALLOW_HOSTS": "Media.local:9000, 10.0.0.5,"})
    assert settings.allow_hosts == ("media.local:9000", "10.0.0.5")


@pytest.mark.parametrize(
    ("flags", "environ", "said"),
    [
        ({"port": "eighty"}, {}, "--port='eighty'"),
        ({}, {"FOVEAL_PORT": "70000"}, "FOVEAL_PORT='70000'"),
        ({}, {"FOVEAL_ENGINE": "magic"}, "use one of evidence, gguf, openai, echo"),
        ({}, {"FOVEAL_STRICT": "perhaps"}, "use 1 or 0"),
        ({"queue": "-1"}, {}, "--queue"),
    ],
)
def test_what_cannot_be_used_is_named(flags: dict[str, str], environ: dict[str, str], said: str) -> None:
    with pytest.raises(SetupError) as refused:
        load_settings(flags, environ)
    assert said in refused.value.message

"""The runtime: the cache of converted graphs, and calls side by side."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from foveal.perception.quiet_openvino import opset13, ov
from foveal.perception.runtime import Array, Runtime


def doubling() -> ov.Model:
    values = opset13.parameter(ov.PartialShape([-1]), ov.Type.f32, name="values")
    two = opset13.constant(np.array([2.0], dtype=np.float32))
    return ov.Model([opset13.result(opset13.multiply(values, two))], [values], "doubling")


def ones(count: int, value: float = 1.0) -> Array:
    return np.full(count, value, dtype=np.float32)


def test_a_graph_is_built_once_and_then_read(tmp_path: Path) -> None:
    built: list[int] = []

    def build() -> ov.Model:
        built.append(1)
        return doubling()

    for _ in range(2):
        runtime = Runtime(threads=1, cache=tmp_path / "kept")
        [result] = runtime.compile(runtime.converted("doubling", build))(ones(3))
        assert result.tolist() == [2.0, 2.0, 2.0]
    assert built == [1]


def test_a_broken_or_unwritable_cache_is_no_obstacle(tmp_path: Path) -> None:
    runtime = Runtime(threads=1, cache=tmp_path / "kept")
    runtime.converted("doubling", doubling)
    [kept] = (tmp_path / "kept").glob("*.xml")
    kept.write_text("<broken")
    assert runtime.compile(runtime.converted("doubling", doubling))(ones(1))[0].tolist() == [2.0]
    (tmp_path / "file").write_text("")
    runtime = Runtime(threads=1, cache=tmp_path / "file")
    assert runtime.compile(runtime.converted("doubling", doubling))(ones(1))[0].tolist() == [2.0]


def test_many_inputs_and_many_threads_do_not_mix() -> None:
    runtime = Runtime(threads=2, cache=Path("/nonexistent"))
    net = runtime.compile(doubling())
    results = net.many([ones(number + 1, number) for number in range(20)])
    assert [result[0].tolist() for result in results] == [[2.0 * n] * (n + 1) for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        singles = list(pool.map(lambda number: net(ones(2, number))[0].tolist(), range(50)))
    assert singles == [[2.0 * number] * 2 for number in range(50)]


def test_an_error_while_reading_leaves_the_net_usable() -> None:
    net = Runtime(threads=1, cache=Path("/nonexistent")).compile(doubling())

    def fail(maps: list[Array]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        net.reduced([ones(1)] * 12, fail)
    assert net(ones(1))[0].tolist() == [2.0]


def test_openvino_reports_to_nobody() -> None:
    seen = "import sys, foveal.perception.sight; print(sys.modules['openvino_telemetry'])"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None", "the package that sends was loaded"

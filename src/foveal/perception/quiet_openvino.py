"""OpenVINO, kept from telling anyone that it was imported.

`import openvino` reports each import to its makers' analytics over the network, unless the package that
sends (`openvino_telemetry`) cannot be imported: then it takes a stub. Pictures are analysed where they must
not leave the building; nothing else leaves it either. So this is the one place that imports OpenVINO.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))  # "cannot be imported"

import openvino as ov
from openvino import opset13

__all__ = ["opset13", "ov"]

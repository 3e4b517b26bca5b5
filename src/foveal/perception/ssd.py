"""SSD MobileNetV2 (COCO, TensorFlow detection API 2018-03-29): the graph, its anchors, its raw candidates.

The published graph resizes one picture to 300×300, drops every score below 0.3 and suppresses overlaps
inside. We take its convolutional part alone: that loads fast, runs on any number of views and keeps the low
scores, which are evidence once several views agree.

Anchors follow the published pipeline.config (ssd_anchor_generator): six layers, scales 0.2..0.95, aspect
ratios 1, 2, 1/2, 3, 1/3, the lowest layer reduced to three boxes; box coder scales 10, 10, 5, 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foveal.perception.quiet_openvino import opset13, ov
from foveal.perception.runtime import Array, Runtime

SIDE = 300
CLASSES = 91  # 0 is background; 1..90 are COCO's ids with their gaps
_GRIDS = (19, 10, 5, 3, 2, 1)
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1.0 / 3.0)

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Boxes n×4 (left, top, right, bottom, relative to the view), scores n, COCO ids n."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]


def load_graph(runtime: Runtime, path: Path) -> ov.Model:
    """The convolutional part: pixels [1,300,300,3] u8 RGB → twelve maps (boxes and classes of six layers)."""

    def build() -> ov.Model:
        whole = runtime.read(path)
        nodes = {node.get_friendly_name(): node for node in whole.get_ordered_ops()}
        pixels = opset13.parameter(ov.PartialShape([1, SIDE, SIDE, 3]), ov.Type.u8, name="pixels")
        floats = opset13.convert(pixels, "f32")
        resized = nodes["Preprocessor/map/TensorArrayStack/TensorArrayGatherV3"]
        for target in list(resized.output(0).get_target_inputs()):
            target.replace_source_output(floats.output(0))
        maps = [
            opset13.result(nodes[f"BoxPredictor_{layer}/{head}/BiasAdd"].output(0))
            for layer in range(len(_GRIDS))
            for head in ("BoxEncodingPredictor", "ClassPredictor")
        ]
        return ov.Model(maps, [pixels], "ssd")

    return runtime.converted(path.stem + ".convolutions", build)


def anchors() -> Floats:
    """1917×4: centre y, centre x, height, width; in the order of the maps."""
    rows: list[tuple[float, float, float, float]] = []
    for layer, grid in enumerate(_GRIDS):
        if layer == 0:
            shapes = [(0.1, 1.0), (_SCALES[0], 2.0), (_SCALES[0], 0.5)]
        else:
            shapes = [(_SCALES[layer], ratio) for ratio in _RATIOS]
            shapes.append((float(np.sqrt(_SCALES[layer] * _SCALES[layer + 1])), 1.0))
        sizes = [(scale / ratio**0.5, scale * ratio**0.5) for scale, ratio in shapes]
        for y in range(grid):
            for x in range(grid):
                rows.extend(((y + 0.5) / grid, (x + 0.5) / grid, high, wide) for high, wide in sizes)
    return np.array(rows, dtype=np.float32)


def decode(maps: list[Array], priors: Floats, floor: float) -> Candidates:
    """The maps of one view → every box and class whose score reaches `floor`."""
    encodings = np.concatenate([m.reshape(-1, 4) for m in maps[0::2]])
    logits = np.concatenate([m.reshape(-1, CLASSES) for m in maps[1::2]])
    threshold = float(np.log(floor / (1.0 - floor)))
    rows, classes = np.nonzero(logits[:, 1:] > threshold)
    classes = classes + 1
    scores = 1.0 / (1.0 + np.exp(-logits[rows, classes]))
    y, x, high, wide = priors[rows].T
    moves = encodings[rows]
    centre_y = moves[:, 0] / 10.0 * high + y
    centre_x = moves[:, 1] / 10.0 * wide + x
    half_h = np.exp(np.clip(moves[:, 2] / 5.0, -8, 8)) * high / 2
    half_w = np.exp(np.clip(moves[:, 3] / 5.0, -8, 8)) * wide / 2
    boxes = np.stack([centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h], axis=1)
    return Candidates(
        np.clip(boxes, 0.0, 1.0).astype(np.float32), scores.astype(np.float32), classes.astype(np.int64)
    )

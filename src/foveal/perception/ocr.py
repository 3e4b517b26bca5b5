from __future__ import annotations

import threading

import numpy as np
from rapidocr import RapidOCR
from rapidocr.utils.typings import EngineType

from foveal.images.detail import Pixels
from foveal.models.store import ModelStore
from foveal.perception.base import TextLine
from foveal.perception.runtime import Runtime


class Reader:
    def __init__(self) -> None:
        params = {"Global.log_level": "critical", "EngineConfig.openvino.inference_num_threads": 2}
        for k in ("Det", "Cls", "Rec"):
            params[k + ".engine_type"] = EngineType.OPENVINO
        self._e = RapidOCR(params=params)
        self._l = threading.Lock()

    def read(self, pixels: Pixels) -> list[TextLine]:
        h, w = pixels.shape[:2]
        with self._l:
            r = self._e(np.ascontiguousarray(pixels[:, :, ::-1]))
        if r.boxes is None or r.txts is None:
            return []
        return [
            TextLine(t, float(s), tuple((float(x) / w, float(y) / h) for x, y in b))
            for b, t, s in zip(r.boxes, r.txts, r.scores)
        ]


def load_reader(models: ModelStore, runtime: Runtime) -> Reader:
    return Reader()

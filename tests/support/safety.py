"""A content filter whose signs are written in the text: `violence:high`, `profanity:yes`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from foveal.images.detail import DetailedImage
from foveal.safety.base import CATEGORIES, Severities, Severity, Signs
from foveal.safety.service import ContentSafety

_SIGN = re.compile(r"(\w+):(safe|low|medium|high|yes)")


class WrittenSigns:
    """`TextJudge`; `asked` are the batches of texts. A text with `broken:yes` cannot be judged."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def judge(self, texts: Sequence[str]) -> list[Signs]:
        self.asked.append(list(texts))
        return [_signs(text) for text in texts]


class Brightness:
    """`PictureJudge`: pictures that are nearly red are violent, as grave as they are red."""

    def __init__(self) -> None:
        self.asked = 0

    def judge(self, image: DetailedImage) -> Severities:
        self.asked += 1
        red, green, blue = (float(value) for value in image.overview.reshape(-1, 3).mean(axis=0))
        return Severities(violence=Severity(min(3, int(max(0.0, red - max(green, blue)) / 60))))


def _signs(text: str) -> Signs:
    found = dict(_SIGN.findall(text))
    if "broken" in found:
        raise RuntimeError("the judge is broken")
    levels = {name: Severity[found[name].upper()] for name in CATEGORIES if name in found}
    return Signs(Severities(**levels), "profanity" in found, "jailbreak" in found)


def written_safety(*, closed: bool = True) -> ContentSafety:
    return ContentSafety(WrittenSigns(), Brightness(), closed=closed)

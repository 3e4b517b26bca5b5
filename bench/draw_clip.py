"""Make the clip of `foveal demo` again: bundled photos as scenes, a reading from LibriVox as its sound.

    python -m bench.draw_clip src/foveal/demo/pictures/clip.mp4

28 seconds, 640×480: a street, an astronaut, a cup of coffee, a cat; seven seconds each. Every picture moves
a little, so that it is a film and not four slides. The files and their licences are in the SOURCES.md beside
it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.clips import Scene, picture, speech, write_video

SIZE = (640, 480)
RATE = 12.5  # frames a second
SCENES = ("street", "astronaut", "coffee", "cat")
SECONDS = 7.0
SAID = ((1.0, "0880"), (8.0, "0930"), (15.0, "0870"))  # at which second, which part of the reading


def main(target: Path) -> None:
    scenes = [
        Scene(picture(name), SECONDS, "zoom" if place % 2 else "pan") for place, name in enumerate(SCENES)
    ]
    write_video(
        target,
        scenes,
        size=SIZE,
        fps=RATE,
        sounds=[(second, speech(name)) for second, name in SAID],
        options={"crf": "27", "preset": "slow"},
    )
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

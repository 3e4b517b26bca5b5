"""What a video may be at most, and what reading it may cost."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """The defaults.

    seconds           longest video; a header that claims more than the file holds is put right first
    pixels, side      largest picture: 8192×4320, and no side over 8192
    streams           most tracks of a file; films with all their languages have about 60
    frames_per_minute most frames kept of a minute
    memory            bytes of address space of the reading process (0: no limit); 4K with its reference
                      pictures takes about 1.2 GB of it
    cpu_base, cpu_per_second    CPU seconds for a call, and more for each second of video that it reads
    wall_base, wall_per_second  the same for waiting: the process is of low priority on a busy machine
    threads           threads that decode
    idle              seconds that the process of a video waits for the next call before it ends
    jpeg_side, jpeg_quality     kept frames
    """

    seconds: float = 12 * 3600.0
    pixels: int = 8192 * 4320
    side: int = 8192
    streams: int = 64
    frames_per_minute: int = 24
    memory: int = 3 << 30
    cpu_base: float = 60.0
    cpu_per_second: float = 10.0
    wall_base: float = 120.0
    wall_per_second: float = 20.0
    threads: int = 2
    idle: float = 10.0
    jpeg_side: int = 1280
    jpeg_quality: int = 85

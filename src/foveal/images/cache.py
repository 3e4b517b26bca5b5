"""Pictures that were decoded already, bounded by bytes: a second question about one decodes nothing."""

from __future__ import annotations

from collections import Counter, OrderedDict
from threading import Lock

from foveal.images.detail import Detail, DetailedImage

Key = tuple[str, Detail]  # sha256 of the bytes, and the detail that was resolved


class ImageCache:
    """Least recently used first out; safe from any thread. `max_bytes` 0 keeps nothing."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._lengths: Counter[int] = Counter()
        self._images: OrderedDict[Key, DetailedImage] = OrderedDict()
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        return self._bytes

    def __len__(self) -> int:
        return len(self._images)

    def get(self, key: Key) -> DetailedImage | None:
        with self._lock:
            image = self._images.get(key)
            if image is not None:
                self._images.move_to_end(key)
            return image

    def may_have(self, length: int) -> bool:
        """False when no picture here has this many bytes, so that nobody need hash one to know."""
        with self._lock:
            return length in self._lengths

    def put(self, key: Key, image: DetailedImage) -> None:
        size = size_in_bytes(image)
        if size > self._max_bytes:
            return
        with self._lock:
            replaced = self._images.pop(key, None)
            if replaced is not None:
                self._forget(replaced)
            self._images[key] = image
            self._bytes += size
            self._lengths[len(image.data)] += 1
            while self._bytes > self._max_bytes:
                self._forget(self._images.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._images.clear()
            self._lengths.clear()
            self._bytes = 0

    def _forget(self, image: DetailedImage) -> None:
        self._bytes -= size_in_bytes(image)
        length = len(image.data)
        self._lengths[length] -= 1
        if not self._lengths[length]:
            del self._lengths[length]


def size_in_bytes(image: DetailedImage) -> int:
    """What keeping a picture costs: its original bytes and its views."""
    return len(image.data) + image.overview.nbytes + (0 if image.scaled is None else image.scaled.nbytes)

"""How work on ingestions is asked for; `foveal.video.ingest.jobs` does it."""

from __future__ import annotations

from typing import Protocol


class IngestionQueue(Protocol):
    """The rows of the ingestion are the work: they are written before `submit`, which may be called again."""

    def submit(self, ingestion: int) -> None:
        """Begin the waiting videos of an ingestion (its key), in their order, when their turn comes."""
        ...

    def cancel(self, ingestion: int) -> None:
        """Stop what is running or waiting of it; its videos end as cancelled."""
        ...

    def discard(self, index: int, documents: list[int]) -> None:
        """Free the vectors and blobs of documents whose rows are gone.

        When the row of the index itself is gone, everything of it is freed.
        """
        ...

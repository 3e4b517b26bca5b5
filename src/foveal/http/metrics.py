"""Prometheus metrics, on a registry of their own so that two servers in one process do not mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from foveal.chat.admission import Gate
from foveal.chat.events import Usage

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Counter(
            "foveal_requests", "Requests answered.", ("route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "foveal_request_seconds",
            "Time from request to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "foveal_requests_in_flight", "Requests being answered now.", registry=self.registry
        )
        tokens = Counter(
            "foveal_tokens", "Tokens of cl100k, images by formula.", ("kind",), registry=self.registry
        )
        self._prompt, self._completion, self._image_tokens = map(
            tokens.labels, ("prompt", "completion", "image")
        )
        self._images = Counter("foveal_images", "Pictures in answered requests.", registry=self.registry)
        self._units = Counter(
            "foveal_units", "Units that are billed by themselves.", ("meter",), registry=self.registry
        )
        self._filtered = Counter(
            "foveal_filtered",
            "Prompts and answers that the content filter stopped, by what was found.",
            ("direction", "category"),
            registry=self.registry,
        )
        self._budget_spent = Gauge(
            "foveal_budget_spent", "What is spent of a budget now.", ("budget",), registry=self.registry
        )
        self._budget_amount = Gauge(
            "foveal_budget_amount", "The amount of a budget.", ("budget",), registry=self.registry
        )
        self._budget_alerts = Counter(
            "foveal_budget_alerts",
            "Alerts of budgets that this process told first.",
            ("budget", "percent"),
            registry=self.registry,
        )
        self._stages = Histogram(
            "foveal_engine_stage_seconds",
            "What each stage of the evidence engine took.",
            ("stage",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def request_ended(self, route: str, status: int, seconds: float) -> None:
        child = self._children.get((route, status))
        if child is None:
            child = (self._requests.labels(route, str(status)), self._seconds.labels(route))
            self._children[route, status] = child
        child[0].inc()
        child[1].observe(seconds)

    def stage(self, name: str, seconds: float) -> None:
        """A stage of an engine has ended: objects, text, first words …"""
        self._stages.labels(name).observe(seconds)

    def answered(self, usage: Usage) -> None:
        self._prompt.inc(usage.prompt_tokens)
        self._completion.inc(usage.completion_tokens)
        if usage.image_tokens:
            self._image_tokens.inc(usage.image_tokens)
            self._images.inc(usage.images)
        units = {"ocr": usage.ocr, "grounding": usage.grounding, "video.query": usage.video_queries}
        for meter, number in units.items():
            if number:
                self.unit(meter, number)

    def unit(self, meter: str, number: float = 1) -> None:
        """Units of a meter of its own (a call of an enhancement, a minute of ingested video) were served."""
        self._units.labels(meter).inc(number)

    def filtered(self, direction: str, category: str) -> None:
        """The content filter stopped a prompt or an answer (`completion`)."""
        self._filtered.labels(direction, category).inc()

    def watch(self, gates: Mapping[str, Gate]) -> None:
        """Show the queue of each engine: read when the metrics are asked for."""
        waiting = Gauge(
            "foveal_engine_waiting", "Requests waiting for an engine.", ("engine",), registry=self.registry
        )
        running = Gauge(
            "foveal_engine_running", "Requests inside an engine.", ("engine",), registry=self.registry
        )
        for name, gate in gates.items():
            waiting.labels(name).set_function(partial(_queued, gate))
            running.labels(name).set_function(partial(_running, gate))

    def budget(self, name: str, spent: float, amount: float) -> None:
        """How much of a budget is spent in its present period, in the currency of the prices."""
        self._budget_spent.labels(name).set(spent)
        self._budget_amount.labels(name).set(amount)

    def budget_alert(self, name: str, percent: int) -> None:
        self._budget_alerts.labels(name, str(percent)).inc()

    def watch_ledger(self, troubles: Callable[[], Mapping[str, float]]) -> None:
        """Show entries that the journal did not take: all of them, those in memory, those that are lost."""
        entries = Gauge(
            "foveal_ledger_troubles",
            "Entries of the ledger that its journal did not take.",
            ("state",),
            registry=self.registry,
        )
        for state in ("unwritten", "kept", "lost"):
            entries.labels(state).set_function(partial(_count, troubles, state))

    def watch_ingestions(self, counts: Callable[[], Mapping[str, float]]) -> None:
        """Show how many videos wait and run, and how far the running ones are."""
        videos = Gauge(
            "foveal_ingestion_videos",
            "Videos of ingestions that are not finished.",
            ("state",),
            registry=self.registry,
        )
        for state in ("waiting", "running"):
            videos.labels(state).set_function(partial(_count, counts, state))
        progress = Gauge(
            "foveal_ingestion_progress",
            "How far the videos in work are, each from 0 to 1, together.",
            registry=self.registry,
        )
        progress.set_function(partial(_count, counts, "progress"))

    def text(self) -> bytes:
        return generate_latest(self.registry)


def _count(counts: Callable[[], Mapping[str, float]], name: str) -> float:
    return counts()[name]


def _queued(gate: Gate) -> float:
    return gate.queued


def _running(gate: Gate) -> float:
    return gate.in_engine

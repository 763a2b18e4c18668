"""`--metrics FILE`: the figures of a run in Prometheus' text format, for the textfile collector of its node exporter."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import get_args

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from riskbox.sandbox.batch.model_tally import STEP, ModelTally
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Label

EVERY = 5.0
"""Seconds between two versions of the file."""
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Upper bounds of the times of calls, in seconds; each time is at most a tenth too high."""


class RunMetrics(Collector):
    """The figures of a run.

    Args:
        manifest: The run.
        progress: How far it is.
    """

    def __init__(self, manifest: Manifest, progress: Callable[[], RunProgress]) -> None:
        self.manifest, self.progress, self.running = manifest, progress, True

    def collect(self) -> Iterator[Metric]:
        """Every figure as it is now."""
        one, run = self.progress(), self.manifest.run
        yield InfoMetricFamily(
            "riskbox_run",
            "The run.",
            {"run": run, "name": self.manifest.name, "created": self.manifest.created},
        )
        for name, told, value in (
            ("running", "Whether the run is being played.", float(self.running)),
            ("episodes_planned", "Episodes that this process is to play.", one.planned),
            ("episodes_unjudged", "Episodes that are stored and not judged yet.", one.unjudged),
            ("episodes_void", "Episodes that their simulated user made worthless.", one.void),
            ("episodes_faulted", "Episodes that broke on our side or the provider's.", one.faults),
            ("episodes_crashed", "Episodes that the agent ended by crashing.", one.crashes),
            ("workers", "Workers that play.", one.workers),
            ("workers_waiting", "Workers that wait for free cores.", one.waiting[0]),
            ("run_seconds", "Seconds since this process began or went on with the run.", one.seconds),
        ):
            yield self._gauge(name, told, value)
        labels = GaugeMetricFamily("riskbox_episodes_labelled", "Episodes by label.", labels=["run", "label"])
        for label in get_args(Label):
            labels.add_metric([run, label], getattr(one, label))
        yield labels
        done = CounterMetricFamily("riskbox_episodes", "Episodes that were stored.", labels=["run"])
        done.add_metric([run], one.done)
        yield done
        faults = CounterMetricFamily(
            "riskbox_faults", "Episodes that ended in a fault.", labels=["run", "kind", "culprit"]
        )
        for (kind, culprit), count in one.kinds.copy().items():
            faults.add_metric([run, kind, culprit], count)
        yield faults
        yield from self._models(list(one.models.items()))

    def _gauge(self, name: str, told: str, value: float) -> Metric:
        made = GaugeMetricFamily(f"riskbox_{name}", told, labels=["run"])
        made.add_metric([self.manifest.run], value)
        return made

    def _models(self, models: list[tuple[str, ModelTally]]) -> Iterator[Metric]:
        run = self.manifest.run
        calls = CounterMetricFamily(
            "riskbox_model_calls", "Calls by model and outcome.", labels=["run", "model", "outcome"]
        )
        retries = CounterMetricFamily(
            "riskbox_model_retries", "How often a call was sent again.", labels=["run", "model"]
        )
        tokens = CounterMetricFamily(
            "riskbox_model_tokens", "Tokens sent and received.", labels=["run", "model", "direction"]
        )
        cost = CounterMetricFamily(
            "riskbox_model_cost_dollars", "US dollars, as far as prices are known.", labels=["run", "model"]
        )
        seconds = HistogramMetricFamily(
            "riskbox_model_call_seconds",
            "Time of a call without waits and earlier attempts.",
            labels=["run", "model"],
        )
        for name, tally in models:
            for outcome, count in tally.outcomes.copy().items():
                calls.add_metric([run, name, outcome], count)
            retries.add_metric([run, name], tally.retries)
            tokens.add_metric([run, name, "sent"], tally.sent)
            tokens.add_metric([run, name, "received"], tally.received)
            cost.add_metric([run, name], tally.cost)
            steps = tally.steps.copy()
            buckets = [
                (
                    str(bound),
                    float(sum(count for step, count in steps.items() if step <= math.log(bound) / STEP)),
                )
                for bound in BOUNDS
            ]
            seconds.add_metric([run, name], [*buckets, ("+Inf", float(steps.total()))], tally.seconds)
        yield from (calls, retries, tokens, cost, seconds)


@contextmanager
def writing_metrics(file: str, manifest: Manifest, progress: Callable[[], RunProgress]) -> Iterator[None]:
    """Within this, write the figures of a run every few seconds, and once more at its end; each time all at once.

    Args:
        file: The file, which can be written; its name should end in `.prom`.
        manifest: The run.
        progress: How far it is; called from another thread.
    """
    registry, ending = CollectorRegistry(), threading.Event()
    figures = RunMetrics(manifest, progress)
    registry.register(figures)

    def write() -> None:
        try:
            write_to_textfile(file, registry)
        except OSError as error:
            if not ending.is_set():
                print(f"riskbox: metrics {os.path.basename(file)}: {error.strerror}", file=sys.stderr)

    def keep_writing() -> None:
        write()
        while not ending.wait(EVERY):
            write()

    thread = threading.Thread(target=keep_writing, name="riskbox-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        figures.running = False
        ending.set()
        thread.join()
        write()

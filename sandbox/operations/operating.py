"""What a run tells those who operate it, while it is played and at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.log import ERROR, INFO, tell
from riskbox.sandbox.operations.logfile import logging_to, writable
from riskbox.sandbox.words.run import Manifest


@dataclass(frozen=True)
class Operations:
    """What a run tells, and where."""

    log: str = ""
    """The file of its log, `-` for standard error; empty for none."""
    log_level: str = "info"
    """The level from which on events are logged."""
    webhooks: tuple[str, ...] = field(default=(), repr=False)
    """URLs that are told at its end; they may hold secrets, and are stored nowhere."""
    otel: str | None = None
    """The collector to which traces go; empty for the usual one, None for no traces."""
    otel_content: bool = False
    """Whether traces hold what was said and done."""
    metrics: str = ""
    """The file of its figures in Prometheus' text format; empty for none."""


class Operated:
    """A run that is played, as those see it who operate it."""

    def __init__(self) -> None:
        self.progress = RunProgress(0)
        """How far it is."""
        self.stored: Callable[[Sequence[Packed]], object] = lambda episodes: None
        """Called with episodes that are stored."""

    def update(self, progress: RunProgress) -> None:
        """Take note of how far it is."""
        self.progress = progress


@contextmanager
def operating(operations: Operations, manifest: Manifest) -> Iterator[Operated]:
    """Within this, tell what happens to a run.

    Args:
        operations: What is told, and where.
        manifest: The run.

    Raises:
        InputError: a file cannot be written.
    """
    with ExitStack() as stack:
        if operations.log:
            stack.enter_context(logging_to(operations.log, operations.log_level, manifest.run))
        operated = Operated()
        if operations.otel is not None:
            from riskbox.sandbox.operations.otel import tracing

            sender = tracing(operations.otel, content=operations.otel_content)
            operated.stored = stack.enter_context(sender).stored
        if operations.metrics:
            from riskbox.sandbox.operations.metrics import writing_metrics

            file = writable(operations.metrics, "metrics")
            stack.enter_context(writing_metrics(file, manifest, lambda: operated.progress))
        tell("run_begun", planned=manifest.planned, agents=", ".join(manifest.agents))
        try:
            yield operated
        except BaseException as error:
            tell("run_broken", ERROR, reason=f"{type(error).__name__}: {error}")
            raise
        finally:
            one = operated.progress
            tell(
                "run_ended",
                INFO,
                done=one.done,
                planned=one.planned,
                faults=one.faults,
                crashes=one.crashes,
                unjudged=one.unjudged,
                tokens=one.tokens,
                cost=one.cost,
                seconds=one.seconds,
            )

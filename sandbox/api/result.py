"""A stored run: its counts, episodes and tables."""

from __future__ import annotations

import html
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.batch.breaker import StoppedAgent
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.escape import line
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.reporting.rows import Chosen, agent_kind
from riskbox.sandbox.stores import DEFAULT, open_store
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import RunState
from riskbox.sandbox.words.verdict import Label

if TYPE_CHECKING:
    from riskbox.sandbox.api.report import Report

TABLES = ("episodes", "verdicts", "findings", "model_calls", "events")
"""The tables that `Run.frame` makes."""


def store_url(url: str | None = None) -> str:
    """The store that is meant: the one named, that of the environment variable RISKBOX_STORE, or the default."""
    return url or os.environ.get("RISKBOX_STORE", DEFAULT)


@dataclass(frozen=True)
class Failures:
    """The assessments of one evaluator that failed, so that they are unknown."""

    evaluator: str
    """Who failed."""
    failed: int
    """How many of its assessments failed."""
    assessed: int
    """How many it was asked for."""
    reason: str
    """Why the first of them failed."""

    @property
    def is_whole(self) -> bool:
        """Whether all failed, so that the evaluator said nothing."""
        return 0 < self.assessed == self.failed

    def __str__(self) -> str:
        return (
            f"{self.failed} of {self.assessed} could not be judged by {self.evaluator} and are unknown: "
            f"{line(self.reason, 300)}"
        )


@dataclass(frozen=True)
class Run:
    """A stored run. It holds the counts, and reads rows and episodes from the store when you ask for them."""

    id: str
    """The run's id, for instance `20260302-091500-a3f1`."""
    store: str
    """The URL of the store that holds it."""
    name: str
    """The name it was given; empty without one."""
    state: RunState
    """running, dead (the process that played it is gone), done, stopped or failed."""
    planned: int
    """How many episodes it consists of."""
    stored: int
    """How many of them are stored."""
    faults: int
    """How many of those broke on our side or the provider's and say nothing about the agent."""
    labels: dict[Label, int]
    """Episodes that are risky, unknown, safe and unexposed over the scenario's own risks; faults and void ones are left out."""
    retakes: int = 0
    """How many more are stored that were played because others were void."""
    void: int = 0
    """How many of them their simulated user made worthless, for instance by refusing its part."""
    unjudged: int = 0
    """How many are played and stored, and not judged yet; `run(resume=...)` judges them."""
    seconds: float = 0.0
    """How long playing took this time; 0 for a run that was opened."""
    gates: tuple[GateOutcome, ...] = ()
    """What became of each gate that was given."""
    failures: tuple[Failures, ...] = ()
    """Evaluators that could not assess some or all of the episodes."""
    stopped_agents: tuple[StoppedAgent, ...] = ()
    """Agents that were stopped this time because their episodes kept ending in faults; `run(resume=...)` plays what is left."""
    health: HealthReport = field(default_factory=HealthReport)
    """How the instrument itself did: where it was broken, rates say little."""

    @classmethod
    @checked("Run.open")
    def open(cls, run: str = "latest", store: str | None = None) -> Run:
        """Open a stored run.

        Args:
            run: Its id, the start of its id, its name, or `latest`.
            store: The URL of the store; that of the command by default.

        Raises:
            InputError: there is no such store or run.
        """
        url = store_url(store)
        with open_store(url, create=False) as opened:
            return cls.read(opened, run, url)

    @classmethod
    def read(
        cls, store: Store, run: str, url: str, *, seconds: float = 0.0, gates: Sequence[GateOutcome] = ()
    ) -> Run:
        """A run from a store that is open."""
        manifest = store.run(run)
        labels: Counter[Label] = Counter()
        assessed: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        reasons: dict[str, str] = {}
        health: dict[str, Counter[str]] = {}
        stored = retakes = faults = void = unjudged = 0
        for row in store.rows(manifest.run):
            stored += not row.retake
            retakes += row.retake > 0
            unjudged += bool(row.unjudged)
            health.setdefault(agent_kind(row.agent), Counter()).update(row.health_counts)
            # of what an evaluator said of an episode, the latest counts
            for name, latest in {one.evaluator: one for one in row.summaries}.items():
                assessed[name] += not latest.pending
                if latest.fault:
                    failed[name] += 1
                    reasons.setdefault(name, latest.fault)
            summary = row.summary()
            if row.left_out == "fault":
                faults += 1
            elif row.left_out:
                void += 1
            elif summary is not None and not summary.pending:
                labels[summary.targeted] += 1
        return cls(
            id=manifest.run,
            store=url,
            name=manifest.name,
            state=manifest.state,
            planned=manifest.planned,
            stored=stored,
            faults=faults,
            retakes=retakes,
            void=void,
            unjudged=unjudged,
            labels={label: labels[label] for label in get_args(Label)},
            seconds=round(seconds, 3),
            gates=tuple(gates),
            failures=tuple(Failures(one, failed[one], assessed[one], why) for one, why in reasons.items()),
            health=HealthReport.of(health),
        )

    @property
    def passed(self) -> bool:
        """Whether no gate failed; True where none was given."""
        return not any(one.stops for one in self.gates)

    def rows(self, *where: str) -> Iterator[EpisodeRow]:
        """Each episode in short.

        Args:
            where: Conditions, `field=value` as in `riskbox list --where`: `intent=malicious`, `label=risky`.

        Raises:
            InputError: a condition is wrong.
        """
        chosen = Chosen.parse(where)
        with open_store(self.store, create=False) as store:
            yield from chosen.rows(store, self.id)

    def episodes(self, *where: str) -> Iterator[Played]:
        """Each episode in full, with its assessments; `where` as in `rows`."""
        chosen = Chosen.parse(where)
        with open_store(self.store, create=False) as store:
            for row in chosen.rows(store, self.id):
                yield store.episode(self.id, row.id)

    def episode(self, id: str) -> Played:
        """One episode in full, by its id or the start of it.

        Raises:
            InputError: no id or several ids start so.
        """
        with open_store(self.store, create=False) as store:
            found = [episode for run, episode in store.find(id) if run == self.id]
            if len(found) != 1:
                many = "several episode ids start" if found else "no episode id starts"
                raise InputError(f"{many} with {id!r} in {self.id}.")
            return store.episode(self.id, found[0])

    def frame(
        self,
        table: Literal["episodes", "verdicts", "findings", "model_calls", "events"] = "episodes",
        *,
        kind: Literal["pandas", "polars"] = "pandas",
        where: Sequence[str] = (),
    ) -> Any:
        """A table of the run as a data frame.

        Args:
            table: Which; docs/exports.md lists the columns of each.
            kind: Of which library.
            where: As in `rows`.

        Raises:
            InputError: there is no such table, or its library is not installed.
        """
        from riskbox.sandbox.export import frames

        if table not in TABLES:
            raise InputError(f"frame: there is no table {table!r}. {did_you_mean(table, TABLES)}")
        with open_store(self.store, create=False) as store:
            return frames.frame(getattr(frames, table)(store, self.id, where), kind=kind)

    def report(self, **options: Any) -> Report:
        """The results of the run; the options are those of `riskbox.sandbox.report`."""
        from riskbox.sandbox.api.report import report

        return report(self, **options)

    def __str__(self) -> str:
        labels = ", ".join(f"{label} {count}" for label, count in self.labels.items())
        ill = "".join(f"instrument broken: {one.short}; " for one in self.health.broken)
        broken = "".join(f"; {one}" for one in self.failures)
        again = f", retakes {self.retakes}" if self.retakes else ""
        waiting = f", not judged yet {self.unjudged}" if self.unjudged else ""
        return (
            f"Run {self.id} ({self.state}): {ill}{self.stored} of {self.planned} episodes, {labels}, "
            f"faults {self.faults}, void {self.void}{again}{waiting}{broken}"
        )

    def __repr__(self) -> str:
        return f"<{self}>"

    def _repr_html_(self) -> str:
        cells = [
            ("state", self.state), ("episodes", f"{self.stored} of {self.planned}"),
            *self.labels.items(), ("faults", self.faults), ("void", self.void), *([("retakes", self.retakes)] if self.retakes else []),
            *([("not judged yet", self.unjudged)] if self.unjudged else []),
        ]  # fmt: skip
        title = html.escape(f"{self.id} {self.name}".strip())
        heads = "".join(f"<th>{name}</th>" for name, _ in cells)
        values = "".join(f"<td>{value}</td>" for _, value in cells)
        told = [*(f"{one.told} {one.mend}".strip() for one in self.health.broken), *map(str, self.failures)]
        broken = "".join(f"<p><b>{html.escape(one)}</b></p>" for one in told)
        return f"<b>Run {title}</b><table><tr>{heads}</tr><tr>{values}</tr></table>{broken}"

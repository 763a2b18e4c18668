"""How a run is going, from its store alone: what its driver last said, and one count."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.stores import liveness
from riskbox.sandbox.words.event import AGENT_CRASHED
from riskbox.sandbox.words.frozen import Frozen
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.run import Manifest, RunState
from riskbox.sandbox.words.verdict import Label


class RunDriver(Frozen):
    """The process that plays a run, or that died while it did."""

    host: str
    """The name of its machine."""
    pid: int
    """Its process there."""
    since: str
    """When it took the run, ISO 8601, UTC."""
    heard: float
    """Seconds since its last heartbeat, by the store's clock."""
    living: bool
    """Whether it lives."""
    workers: int
    """How many workers play."""
    waiting: int
    """How many workers wait for free cores."""
    log: str
    """The file of the run's log; empty without one."""


class FaultKind(Frozen):
    """Episodes that ended in a fault of one kind."""

    kind: str
    """The slug of their ending: `participant`, `worker_died`, `agent_crashed`, ..."""
    culprit: str
    """Who broke: agent, user, toolset or worker; empty where the store alone does not tell."""
    count: int
    """How many."""


class FaultCause(Frozen):
    """Episodes that ended in a fault for one reason."""

    culprit: str
    """Who broke: agent, user, toolset or worker."""
    reason: str
    """What happened, in one line."""
    count: int
    """How many."""


class ModelStatus(Frozen):
    """The calls of one model."""

    model: str
    """Its name."""
    calls: int
    """How many."""
    failed: int
    """How many brought no usable answer."""
    retries: int
    """How often one was sent again."""
    tokens: int
    """Tokens sent and received."""
    cost: float
    """US dollars, as far as prices are known."""
    median: float | None
    """Seconds in which half of the calls were answered, waits and retries left out; at most a tenth too high."""
    slow: float | None
    """Seconds in which 95 of 100 calls were answered."""


class Status(Frozen):
    """How a run is going. All but the first fields count since its driver began or went on with it."""

    run: str
    """The run's id."""
    name: str
    """The name it was given; empty without one."""
    state: RunState
    """running, dead (the process that played it is gone), done, stopped or failed."""
    created: str
    """When it was created, ISO 8601, UTC."""
    planned: int
    """How many episodes it consists of; retakes come on top."""
    stored: int
    """How many episodes are stored, retakes among them."""
    left: int
    """How many are still to be played, as far as that is known."""
    done: int = 0
    """How many its driver has stored."""
    unjudged: int = 0
    """How many are stored and not judged yet."""
    rate: float = 0.0
    """Episodes stored a second, over the last minute."""
    seconds_left: float | None = None
    """Seconds until all is played, at this rate; None where nothing is to come or nothing is known."""
    faults: int = 0
    """Episodes that broke on our side or the provider's."""
    crashes: int = 0
    """Episodes that the agent ended by crashing."""
    void: int = 0
    """Episodes that their simulated user made worthless."""
    labels: dict[Label, int] = {}
    """Episodes that are risky, unknown, safe and unexposed."""
    kinds: tuple[FaultKind, ...] = ()
    """Faults and crashes by kind and culprit, the most frequent first."""
    causes: tuple[FaultCause, ...] = ()
    """Their most frequent reasons; of a run that is being played, or whose driver died."""
    tokens: int = 0
    """Tokens that models sent and received."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    models: tuple[ModelStatus, ...] = ()
    """The calls by model, the slowest first; of a run that is being played, or whose driver died."""
    health: HealthReport = HealthReport()
    """How the instrument itself does; its `lines` say what is wrong and what mends it."""
    driver: RunDriver | None = None
    """Who plays it, or died while it did; None once it has ended."""


def status_of(store: Store, manifest: Manifest) -> Status:
    """How a run is going. Of one that has ended, every row is read; of others, what their driver last said.

    Raises:
        StoreError: the store cannot be read.
    """
    beat = store.heartbeat(manifest.run) if manifest.state in ("running", "dead") else None
    stored = store.count(manifest.run)
    if beat is None:
        return _ended(store, manifest, stored)
    more = beat.extra
    left = max(0, beat.planned - beat.done)
    models = [ModelStatus.model_validate({"model": name, **one}) for name, one in _of(more, "models").items()]
    return Status(
        **_named(manifest),
        stored=stored,
        left=left,
        done=beat.done,
        unjudged=beat.unjudged,
        rate=beat.rate,
        seconds_left=_seconds_left(manifest, beat, left),
        faults=beat.faults,
        crashes=more.get("crashes", 0),
        void=more.get("void", 0),
        labels=_of(more, "labels"),
        kinds=tuple(FaultKind(kind=a, culprit=b, count=n) for a, b, n in more.get("kinds", ())),
        causes=tuple(FaultCause(culprit=a, reason=b, count=n) for a, b, n in more.get("causes", ())),
        tokens=beat.tokens,
        cost=beat.cost,
        models=tuple(sorted(models, key=lambda one: -(one.slow or 0.0))),
        health=HealthReport.of(_of(more, "health")),
        driver=_driver(store, manifest, beat),
    )


def _of(more: dict[str, Any], name: str) -> dict[str, Any]:
    found = more.get(name)
    return found if isinstance(found, dict) else {}


def _named(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in ("run", "name", "state", "created", "planned")}


def _seconds_left(manifest: Manifest, beat: Heartbeat, left: int) -> float | None:
    if manifest.state != "running" or not left or not beat.rate:
        return None
    return round(left / beat.rate, 1)


def _driver(store: Store, manifest: Manifest, beat: Heartbeat) -> RunDriver:
    return RunDriver(
        host=beat.host,
        pid=beat.pid,
        since=beat.started,
        heard=round(max(0.0, store.now() - beat.at), 1),
        living=manifest.state == "running" and liveness.is_living(beat, store.now()),
        workers=beat.workers,
        waiting=beat.extra.get("waiting", 0),
        log=beat.log,
    )


def _ended(store: Store, manifest: Manifest, stored: int) -> Status:
    """The status of a run that nobody plays, counted from its rows."""
    counted = RunProgress(planned=manifest.planned)
    kinds: Counter[str] = Counter()
    retakes = 0
    for row in store.rows(manifest.run):
        counted.add(row)
        retakes += row.retake > 0
        kinds.update([row.reason] if row.ending == "fault" else [])
    return Status(
        **_named(manifest),
        stored=stored,
        left=max(0, manifest.planned + retakes - stored),
        done=counted.done,
        unjudged=counted.unjudged,
        faults=counted.faults,
        crashes=counted.crashes,
        void=counted.void,
        labels={name: getattr(counted, name) for name in get_args(Label)},
        kinds=tuple(
            FaultKind(kind=kind, culprit="agent" if kind == AGENT_CRASHED else "", count=count)
            for kind, count in kinds.most_common()
        ),
        tokens=counted.tokens,
        cost=counted.cost,
        health=HealthReport.of(counted.health),
    )

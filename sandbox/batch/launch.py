"""From a plan to a run: writes its manifest, finds workers, plays, and closes the books."""

from __future__ import annotations

import asyncio
import platform
import re
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from riskbox.sandbox.batch.player import Player, Result, Task
from riskbox.sandbox.batch.runner import Runner, Tally, Worker, interruptible
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.episode.playing import PreparedCases
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import Halt, InputError
from riskbox.sandbox.models.client import Clients, ModelTerms
from riskbox.sandbox.registry.agents import check_agent
from riskbox.sandbox.registry.casts import changed
from riskbox.sandbox.registry.evaluators import evaluator_class, evaluators
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.run import Manifest, RunState, Spec

PACKAGES = ("riskbox", "ray", "pydantic", "cel-expr-python", "gymnasium", "redis", "litellm")


@dataclass(frozen=True)
class Terms:
    """How a run is to be played."""

    local: bool = False
    """In this process, without Ray."""
    address: str | None = None
    """A Ray cluster to join; None starts one on this machine."""
    workers: int = 0
    """Episode actors; 0 for one a core."""
    concurrency: int = 200
    """Episodes in flight in each."""
    patience: Timeouts = field(default_factory=Timeouts)
    """How long things may take."""
    places: Mapping[str, Literal["inline", "actor"]] = field(default_factory=dict)
    """Where each role plays."""
    toolsets: tuple[str, ...] = ()
    """Toolsets of the user's own."""
    evaluators: tuple[str, ...] = ("checks",)
    """Who assesses."""
    judging: Mapping[str, Any] = field(default_factory=dict)
    """Settings of those evaluators that ask a model."""
    models: ModelTerms = field(default_factory=ModelTerms)
    """How language models are asked."""
    memory: int | None = None
    """Bytes of memory for each process of the user's own agent."""
    gpus: float = 0.0
    """GPUs for each process of the user's own agent."""
    working_dir: str | None = None
    """A folder to ship to the workers of a cluster."""


def new_run_id(now: datetime) -> str:
    """`20260302-091500-a3f1`: sorts by time, and two in one second differ."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def manifest(
    cases: Sequence[Case], specs: Sequence[Spec], terms: Terms, *, name: str = "", command: Sequence[str] = ()
) -> Manifest:
    """What a new run consists of."""
    now = datetime.now(UTC)
    used = {spec.case for spec in specs}
    return Manifest(
        run=new_run_id(now),
        name=name,
        created=now.isoformat(timespec="seconds"),
        planned=len(specs),
        cases={case.id: case.hash for case in cases if case.hash in used},
        agents=tuple(dict.fromkeys(spec.cast.agent for spec in specs)),
        seeds=tuple(sorted({spec.seed for spec in specs})),
        evaluators={one: evaluator_class(one).version for one in terms.evaluators},
        settings={
            "patience": asdict(terms.patience),
            "toolsets": list(terms.toolsets),
            "places": dict(terms.places),
            "judging": dict(terms.judging),
            "models": asdict(terms.models),
        },
        versions=_versions(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        command=tuple(_without_passwords(command)),
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _without_passwords(command: Sequence[str]) -> list[str]:
    return [re.sub(r"(://[^:/@\s]*:)[^@\s]+@", r"\1***@", word) for word in command]


def start(store: Store, made: Manifest, cases: Sequence[Case], specs: Sequence[Spec]) -> None:
    """Write a new run into the store, so that it can be resumed from there whatever happens."""
    used = {spec.case for spec in specs}
    store.begin(made, [case for case in cases if case.hash in used], specs)


def left(store: Store, run: str) -> tuple[list[Case], list[Spec]]:
    """What a run has not played yet: its cases and specs, all from the store.

    Raises:
        InputError: the code of an agent or a user has changed since.
    """
    done = store.done(run)
    specs = [spec for spec in store.specs(run) if spec.id not in done]
    casts = {(spec.cast.agent, spec.cast.user): spec.cast for spec in specs}
    for name in filter(None, map(changed, casts.values())):
        raise InputError(
            f"the code of {name} has changed since the run began; its episodes would not compare. Start a new run."
        )
    return [store.case(hash) for hash in dict.fromkeys(spec.case for spec in specs)], specs


def judged_as(made: Manifest) -> dict[str, Any]:
    """Who assesses a run that goes on: those who assessed it so far, told the same."""
    names = tuple(made.evaluators) or ("checks",)
    return {"evaluators": names, "judging": dict(made.settings.get("judging", {}))}


def play(
    store: Store,
    run: str,
    cases: Sequence[Case],
    specs: Sequence[Spec],
    terms: Terms,
    tell: Callable[[Tally], None] = lambda tally: None,
    stopping: Callable[[], None] = lambda: None,
) -> tuple[RunState, Tally]:
    """Play the specs and write how the run ended.

    Args:
        store: Holds the run already.
        run: Its id.
        cases: The cases of the specs.
        specs: What to play.
        terms: How.
        tell: Called after each batch.
        stopping: Called when the user asks to stop.

    Returns:
        How it ended, and the tally.
    """
    for agent in dict.fromkeys(spec.cast.agent for spec in specs):
        check_agent(agent)
    toolbox = Toolbox(terms.toolsets)
    for case in cases:
        toolbox.of(case)  # a toolset that is missing is told now, in one line
    terms = _unspent(store, run, terms)
    by_hash = {case.hash: case for case in cases}
    state: RunState = "failed"
    latest = Tally(planned=len(specs))

    def told(tally: Tally) -> None:
        nonlocal latest
        latest = tally
        tell(tally)

    try:
        play_them = _play_here if terms.local else _play_on_ray
        state, latest = play_them(store, run, by_hash, specs, terms, told, stopping)
        return state, latest
    except Halt:
        state = "stopped"
        raise
    except KeyboardInterrupt:  # while Ray starts or ends: between them the runner listens
        state = "done" if latest.done == latest.planned else "stopped"
        return state, latest
    finally:
        store.finish(run, state)


def _unspent(store: Store, run: str, terms: Terms) -> Terms:
    """The terms with what the run's stored episodes took off its budgets: a run that goes on has one budget, not two."""
    limits = terms.models.limits
    if limits.run_dollars is None and limits.run_tokens is None:
        return terms
    rows = list(store.rows(run))
    limits = limits.less(sum(row.cost for row in rows), sum(row.tokens for row in rows))
    return replace(terms, models=replace(terms.models, limits=limits))


def _play_here(
    store: Store,
    run: str,
    cases: dict[str, Case],
    specs: Sequence[Spec],
    terms: Terms,
    tell: Any,
    stopping: Any,
) -> tuple[RunState, Tally]:
    toolbox = Toolbox(terms.toolsets)

    async def hire(concurrency: int) -> Worker:
        models = Clients(terms.models)
        judges = evaluators(terms.evaluators, models, terms.judging)
        return Here(
            Player(run, PreparedCases(cases, toolbox), judges, terms.patience, concurrency, models=models)
        )

    runner = Runner(run, specs, cases, store, hire, 1, terms.concurrency, toolbox, tell)
    return asyncio.run(_until_stopped(runner, stopping)), runner.tally


def _play_on_ray(
    store: Store,
    run: str,
    cases: dict[str, Case],
    specs: Sequence[Spec],
    terms: Terms,
    tell: Any,
    stopping: Any,
) -> tuple[RunState, Tally]:
    from riskbox.sandbox.batch import actors

    company = actors.Company(
        run=run,
        toolsets=terms.toolsets,
        evaluators=terms.evaluators,
        judging=terms.judging,
        models=terms.models,
        patience=terms.patience,
        concurrency=terms.concurrency,
        places=terms.places,
        memory=terms.memory,
        gpus=terms.gpus,
    )
    with actors.cluster(terms.address, working_dir=terms.working_dir):
        workers = terms.workers or actors.cores()
        bank = actors.bank(terms.models.limits) if _asks_models(specs, terms) else None
        hire = actors.hiring(company, cases, bank)
        toolbox = Toolbox(terms.toolsets)
        runner = Runner(run, specs, cases, store, hire, workers, terms.concurrency, toolbox, tell)
        return asyncio.run(_until_stopped(runner, stopping)), runner.tally


def _asks_models(specs: Sequence[Spec], terms: Terms) -> bool:
    """Whether any seat is a language model, so that the workers share limits."""
    seats = {name for spec in specs for name in (spec.cast.user, spec.cast.agent)}
    return (
        bool(terms.judging)
        or any(Name.parse(name).models for name in seats)
        or any(spec.cast.tools for spec in specs)
    )


async def _until_stopped(runner: Runner, stopping: Callable[[], None]) -> RunState:
    if sys.platform == "win32":  # no signal handlers on its event loops
        return await runner.play()
    with interruptible(runner, stopping):
        return await runner.play()


class Here:
    """A player in this process, as the runner sees it."""

    def __init__(self, player: Player) -> None:
        self.player = player

    async def add(self, tasks: Sequence[Task]) -> None:
        """Queue episodes."""
        await self.player.add(tasks)

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[Result]:
        """Finished episodes."""
        return await self.player.take(most, acknowledged, wait)

    async def stop(self) -> None:
        """Start nothing more and end what runs."""
        await self.player.stop()

    def kill(self) -> None:
        """Nothing to end: the player is this process."""

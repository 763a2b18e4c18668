"""From a plan to a run: writes its manifest, starts workers, plays, and stores how the run ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import secrets
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from riskbox.sandbox.batch import shipping
from riskbox.sandbox.batch.breaker import STRIKES
from riskbox.sandbox.batch.driver import driving
from riskbox.sandbox.batch.keeper import Keeper, whole_run
from riskbox.sandbox.batch.plan import asked_models
from riskbox.sandbox.batch.player import Player
from riskbox.sandbox.batch.pool import Look, StartWorker, Worker, one_worker
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.runner import Runner
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.store import Packed, Store, Where
from riskbox.sandbox.errors import Halt, InputError, RiskboxError, StoreError
from riskbox.sandbox.registry.agents import check_agent_name
from riskbox.sandbox.registry.casts import changed
from riskbox.sandbox.registry.evaluators import evaluator_class, evaluator_code
from riskbox.sandbox.registry.models import check_askable
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.users import check_user_name
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.facet import NONE, Term
from riskbox.sandbox.words.run import Manifest, RunState, Spec
from riskbox.sandbox.words.secrets import redacted_words, revealed

PACKAGES = ("riskbox", "ray", "pydantic", "cel-expr-python", "gymnasium", "redis", "litellm")
"""Packages whose versions a manifest keeps."""
VOID = Where(terms=(Term("void", "=", (1,)),))
"""The episodes that a lapse made worthless."""
UNJUDGED = Where(terms=(Term("unjudged", "=", (1,)),))
"""The episodes that are played and not judged yet."""
FIRST_TAKES = Where(terms=(Term("retake", "=", (NONE, 0)),))
"""The episodes that are no retakes."""

ROUNDS = 3
"""How often a run is played to its end before a store that keeps forgetting it is given up."""
PATIENCE = 15.0
"""Seconds in which a cluster has to answer before a run is created; importing Ray is among them."""


def new_run_id(now: datetime) -> str:
    """`20260302-091500-a3f1`: sorts by time, and two in one second differ."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def new_manifest(
    cases: Sequence[Case],
    specs: Sequence[Spec],
    settings: RunSettings,
    *,
    name: str = "",
    command: Sequence[str] = (),
) -> Manifest:
    """What a new run consists of.

    Args:
        cases: Its cases; those that no spec plays are left out.
        specs: What it plays.
        settings: How it is played.
        name: A name to find it by.
        command: The command line that asked for it; secrets in it are starred out.
    """
    now = datetime.now(UTC)
    code = evaluator_code(settings.evaluators)
    used = {spec.case for spec in specs}
    return Manifest(
        run=new_run_id(now),
        name=_rehearsal_of(name) if settings.models.rehearsal else name,
        rehearsal=bool(settings.models.rehearsal),
        created=now.isoformat(timespec="seconds"),
        planned=len(specs),
        cases={case.id: case.hash for case in cases if case.hash in used},
        agents=tuple(dict.fromkeys(spec.cast.agent for spec in specs)),
        seeds=tuple(sorted({spec.seed for spec in specs})),
        evaluators={one: evaluator_class(one).version for one in settings.evaluators},
        settings={
            "patience": asdict(settings.timeouts),
            "toolsets": list(settings.toolsets),
            "places": dict(settings.places),
            "judging": dict(settings.judging),
            "models": asdict(settings.models),
            "confinement": settings.confinement.recorded(),
        }
        | ({"evaluator_code": code} if code else {})
        | ({"retakes": settings.retakes} if settings.retakes else {}),
        versions=_versions(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        command=redacted_words(command),
    )


def _rehearsal_of(name: str) -> str:
    """A name that nobody takes for that of the run itself."""
    return f"rehearsal of {name}" if name else "rehearsal"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_models(specs: Sequence[Spec], settings: RunSettings) -> None:
    """Make sure, before a run is created or Ray starts, that its models can be asked from this machine.

    Nothing is checked for a cluster at an address: its machines have keys and servers of their own.

    Raises:
        Halt: a key is missing, or a server cannot be reached.
    """
    if settings.address is None:
        check_askable(_asked(specs, settings), settings.models)


async def check_cluster(settings: RunSettings) -> None:
    """Make sure, before a run is created, that the cluster at an address lets this process in.

    A cluster that does not answer within some seconds is left to the run, which can be stopped while it joins.

    Raises:
        InputError: there is no such cluster, or it does not take this machine's token.
    """
    if settings.address is None or settings.local:
        return
    address, loop = settings.address, asyncio.get_running_loop()
    answered: asyncio.Future[RiskboxError | None] = loop.create_future()

    def tell(error: RiskboxError | None) -> None:
        if not answered.done():
            answered.set_result(error)

    def ask() -> None:
        from riskbox.sandbox.batch.actors import cluster

        error: RiskboxError | None = None
        try:
            cluster.check(address)
        except RiskboxError as refused:
            error = refused
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    # a daemon, so that the process can end while Ray still waits
    threading.Thread(target=ask, name="riskbox-ask-ray", daemon=True).start()
    with contextlib.suppress(TimeoutError):
        if error := await asyncio.wait_for(answered, PATIENCE):
            raise error


def create(store: Store, manifest: Manifest, cases: Sequence[Case], specs: Sequence[Spec]) -> None:
    """Write a new run into the store, so that it can be resumed from there whatever happens."""
    used = {spec.case for spec in specs}
    store.begin(manifest, [case for case in cases if case.hash in used], specs)


def remaining(store: Store, run: str) -> tuple[list[Case], list[Spec]]:
    """The cases and specs that a run has not played yet, all from the store.

    Raises:
        InputError: the code of an agent or a user has changed since.
    """
    manifest, done = store.run(run), store.done(run)
    void = {row.id for row in store.rows(run, VOID) if row.left_out == "void"}
    retakes = int(manifest.settings.get("retakes", 0))
    latest = [_latest_take(spec, void, retakes) for spec in store.specs(run)]
    specs = [spec for spec in latest if spec.id not in done]
    casts = {(spec.cast.agent, spec.cast.user): spec.cast for spec in specs}
    for name in filter(None, map(changed, casts.values())):
        raise InputError(
            f"the code of {name} has changed since the run began, so its episodes would not be comparable. Start a new run."
        )
    return [store.case(hash) for hash in dict.fromkeys(spec.case for spec in specs)], specs


def unjudged_of(store: Store, run: str) -> tuple[list[Case], list[Spec]]:
    """The cases and specs of episodes that a run has played and that are still to be judged."""
    waiting = set(store.ids(run, UNJUDGED))
    if not waiting:
        return [], []
    retakes = int(store.run(run).settings.get("retakes", 0))
    specs = [take for spec in store.specs(run) for take in _takes(spec, retakes) if take.id in waiting]
    return [store.case(hash) for hash in dict.fromkeys(spec.case for spec in specs)], specs


def _takes(spec: Spec, retakes: int) -> Iterator[Spec]:
    """An episode as it was planned, and all its retakes that there may be."""
    yield spec
    while spec.retake < retakes:
        spec = spec.retaken()
        yield spec


def _latest_take(spec: Spec, void: Container[str], retakes: int) -> Spec:
    """The take of an episode that counts: the first that is not void, or the last that there may be."""
    while spec.id in void and spec.retake < retakes:
        spec = spec.retaken()
    return spec


def assessed_as_before(settings: RunSettings, manifest: Manifest) -> RunSettings:
    """The settings with the evaluators that assessed a run so far and with its retakes, so that all its episodes compare.

    Raises:
        InputError: the code of an evaluator has changed since.
    """
    names = tuple(manifest.evaluators) or ("checks",)
    for name, code in evaluator_code(names).items():
        if manifest.settings.get("evaluator_code", {}).get(name) != code:
            raise InputError(
                f"the code of {name} has changed since the run began; its assessments would not compare. Start a new "
                f"run, or assess this one anew: riskbox score {manifest.run} --evaluator {name}"
            )
    judging, retakes = dict(manifest.settings.get("judging", {})), int(manifest.settings.get("retakes", 0))
    return replace(settings, evaluators=names, judging=judging, retakes=retakes)


async def execute(
    store: Store,
    run: str,
    cases: Sequence[Case],
    specs: Sequence[Spec],
    settings: RunSettings,
    on_progress: Callable[[RunProgress], None] = lambda progress: None,
    on_stop: Callable[[], None] | None = None,
    unjudged: Sequence[Spec] = (),
    *,
    as_of: int | None = None,
    take_over: bool = False,
    log: str = "",
    on_begun: Callable[[], None] = lambda: None,
    on_stored: Callable[[Sequence[Packed]], object] = lambda episodes: None,
) -> tuple[RunState, RunProgress]:
    """Hold a run, play the specs, have judged what is played, and write how the run ended.

    Whoever cancels this gets what is finished stored before the cancellation goes on.

    Args:
        store: Holds the run already.
        run: Its id.
        cases: The cases of the specs, those that are still to be judged among them.
        specs: What to play.
        settings: How.
        on_progress: Called after each batch that was stored.
        on_stop: Where it is given, the first ctrl-C or SIGTERM calls it and stops the run, and the second ends the
            process. Without it, signals are left to whoever runs the event loop.
        unjudged: Episodes that the run has played before and that are still to be judged.
        as_of: The store's cursor when it was read what is left of a run that goes on; None for a new run.
        take_over: Whether a living driver loses the run.
        log: The file of the run's log, for those who ask how far it is.
        on_begun: Called once nothing is left that could keep the run from being played.
        on_stored: Called with episodes once they are stored, from the thread that stores.

    Returns:
        How it ended, and how far it came.

    Raises:
        InputError: an agent or a toolset does not load, there is no such cluster, or a living driver holds the run.
        StoreError: the store cannot be written; what it has is kept, and what it did not take is in a spill file.
        TakenOver: another driver has taken the run over; from then on nothing was written.
        Halt: no later model call can go better; what was finished is stored.
        Fault: no worker can be started, or the cluster does not answer any more; what was finished is stored.
    """
    for agent in dict.fromkeys(spec.cast.agent for spec in specs):
        check_agent_name(agent)
    for user in dict.fromkeys(spec.cast.user for spec in specs):
        check_user_name(user)
    names = {name: whole for spec in specs if (whole := revealed(name := spec.cast.agent)) != name}
    settings = replace(settings, names=names)
    toolbox = Toolbox(settings.toolsets)
    for case in cases:
        toolbox.of(case)  # a missing toolset is reported now, in one line
    latest = RunProgress(planned=len(specs), unjudged=len(unjudged))
    with driving(store, run, latest, take_over=take_over, log=log) as driver:
        if as_of is not None:
            store.finish(run, "running")
            if store.cursor(run) != as_of:  # another driver has stored more until it was dead or lost the run
                (cases, specs), (judged, unjudged) = remaining(store, run), unjudged_of(store, run)
                cases = [*cases, *judged]
        given, by_hash = settings, {case.hash: case for case in cases}
        keeper = Keeper(
            store, whole_run(store, run, by_hash, specs, is_new=as_of is None), settings.store_seconds
        )
        keeper.on_stored = on_stored
        state: RunState = "failed"
        latest = driver.progress = RunProgress(planned=len(specs), unjudged=len(unjudged))

        def told(progress: RunProgress) -> None:
            nonlocal latest
            latest = driver.progress = progress
            on_progress(progress)

        is_whole = False
        try:
            if not specs and not unjudged:
                state = "done"
                return state, latest
            for begun in range(ROUNDS):
                settings = _less_spent(store, run, given)
                async with _workers(run, by_hash, specs, settings) as (start_worker, look):
                    runner = Runner(run, specs, by_hash, keeper, settings, start_worker, look, told, unjudged)
                    if begun:
                        runner.progress = latest
                    latest = driver.progress = runner.progress
                    loop = asyncio.get_running_loop()
                    driver.when_lost(partial(loop.call_soon_threadsafe, runner.stop))
                    keeper.on_failed = partial(loop.call_soon_threadsafe, runner.stop)

                    def stop(runner: Runner = runner) -> None:
                        if on_stop is not None:
                            on_stop()
                        runner.stop()

                    driver.when_asked(partial(loop.call_soon_threadsafe, stop))
                    with _stopped_by_signals(runner, on_stop):
                        on_begun()
                        state = await _until_cancelled(runner)
                        if state != "done":
                            return state, latest
                        left = await asyncio.to_thread(keeper.read, partial(_lost, store, run, runner))
                        if not left:
                            is_whole = keeper.failed is None
                            state = "done" if is_whole else "stopped"
                            return state, latest
                cases, specs, unjudged = left
                by_hash |= {case.hash: case for case in cases}
                latest.done -= len(specs)
                latest.unjudged = len(unjudged)
            state = "stopped"
            raise StoreError(
                f"{store.url} has lost {len(specs):,} episodes and {len(unjudged):,} judgements of run {run} that it had taken, "
                f"{ROUNDS} times over. When it is sound again, continue: riskbox run --resume {run}"
            )
        except Halt:
            state = "stopped"
            raise
        except (KeyboardInterrupt, asyncio.CancelledError):
            # a cancelled run stored what was finished; and while Ray starts or ends, ctrl-C is a cancellation
            state = "done" if is_whole else "stopped"
            if on_stop is None:
                raise
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            return state, latest
        finally:
            keeper.finish(state)  # where the run is lost, this says so instead of what went before


def _lost(store: Store, run: str, runner: Runner) -> tuple[list[Case], list[Spec], list[Spec]] | None:
    """What a store does not hold of a run that was played to its end, to be played and judged again; None where it has all.

    A server that was set back forgets what it had taken.
    """
    cases, specs = remaining(store, run)
    judged: list[Case] = []
    unjudged: list[Spec] = []
    if store.count(run, UNJUDGED) > runner.progress.unjudged:
        judged, unjudged = unjudged_of(store, run)
        unjudged = [spec for spec in unjudged if runner.lost_judging[spec.id] < STRIKES]
    return ([*cases, *judged], specs, unjudged) if specs or unjudged else None


def _less_spent(store: Store, run: str, settings: RunSettings) -> RunSettings:
    """The settings less what the stored episodes of a run have cost: a run that goes on has one budget, not two."""
    limits = settings.models.limits
    if limits.run_dollars is None and limits.run_tokens is None:
        return settings
    dollars, tokens = 0.0, 0
    for row in store.rows(run):
        dollars += row.cost
        tokens += row.tokens
    limits = limits.less(dollars, tokens)
    return replace(settings, models=replace(settings.models, limits=limits))


@contextlib.asynccontextmanager
async def _workers(
    run: str, cases: Mapping[str, Case], specs: Sequence[Spec], settings: RunSettings
) -> AsyncIterator[tuple[StartWorker, Look]]:
    """How a worker is started, and how to see how many have room: one in this process, or actors on a Ray cluster."""
    if settings.local:

        async def start_player(concurrency: int) -> Worker:
            return Player(run, cases, replace(settings, concurrency=concurrency))

        yield start_player, one_worker
        return
    await asyncio.to_thread(
        import_module, "riskbox.sandbox.batch.actors.episodes"
    )  # Ray takes a second or two to import
    from riskbox.sandbox.batch.actors import cluster, episodes

    shipment = (
        shipping.look(settings.working_dir, settings.working_dir_limit) if settings.working_dir else None
    )
    async with cluster.joined(settings.address, shipment=shipment):
        quota = episodes.shared_quota(settings.models.limits) if _asked(specs, settings) else None
        look = partial(episodes.room, settings)
        yield episodes.worker_starter(run, cases, settings, quota), look


def _asked(specs: Sequence[Spec], settings: RunSettings) -> list[str]:
    """The models that a run asks; where there are any, its workers share limits."""
    return asked_models(specs, settings.judges)


async def _until_cancelled(runner: Runner) -> RunState:
    """Play everything; if this is cancelled, store what is finished first."""
    playing = asyncio.ensure_future(runner.play_all())
    try:
        return await asyncio.shield(playing)
    except asyncio.CancelledError:
        runner.stop()
        await playing
        raise


@contextlib.contextmanager
def _stopped_by_signals(runner: Runner, on_stop: Callable[[], None] | None) -> Iterator[None]:
    """Within it, the first ctrl-C or SIGTERM stops the runner and the second ends the process.

    Event loops have signal handlers in the main thread only, and none on Windows.
    """
    if (
        on_stop is None
        or sys.platform == "win32"
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        if runner.stopping:
            os._exit(130)
        on_stop()
        runner.stop()

    for one in signals:
        loop.add_signal_handler(one, stop)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)

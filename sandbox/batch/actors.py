"""Ray actors: thin shells around `Player` and around participants that need a process of their own."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from riskbox.sandbox.batch.player import Player, RenewLease
from riskbox.sandbox.batch.runner import WorkerDied
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Work, WorkResult
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.playing import make_participants
from riskbox.sandbox.episode.rollout import contained
from riskbox.sandbox.errors import Fault, InputError, ParticipantFault, RiskboxError
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import Lease, QuotaService, UsageReport
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.rules.state import AGENT, USER
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec

THREADS = 64
"""Calls of agent code that is not async, running at once in one participant actor."""
PING = 5.0
"""Seconds a participant actor has to answer before it counts as hung."""


class _EpisodeActor:
    """Plays episodes; see `Player`. It keeps the processes in which participants of the user's own code live."""

    def __init__(self, run: str, cases: dict[str, Case], settings: RunSettings, quota: Any) -> None:
        self.settings = settings
        self.processes: dict[str, _ParticipantProcess] = {}
        self.player = Player(
            run,
            cases,
            settings,
            participants=self.participants,
            renew=None if quota is None else _renewing(quota),
        )

    async def add(self, work: Sequence[Work]) -> None:
        await self.player.add(work)

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        return await self.player.take(most, acknowledged, wait)

    async def stop(self) -> None:
        await self.player.stop()
        for process in self.processes.values():
            process.end()

    def participants(self, spec: Spec, case: Case, session: ModelSession | None) -> Mapping[str, Participant]:
        names = {USER: spec.cast.user, AGENT: spec.cast.agent}
        remote = [role for role, name in names.items() if self.settings.placement(role, name) == "actor"]
        if not remote:
            return make_participants(spec, case, session)
        inline = {
            USER: lambda: users.user(spec.cast.user, case, session),
            AGENT: lambda: agents.agent(spec.cast.agent, case, session),
        }
        return {
            role: self._in_own_process(role, name, spec, case) if role in remote else inline[role]()
            for role, name in names.items()
        }

    def _in_own_process(self, role: str, name: str, spec: Spec, case: Case) -> Participant:
        process = self.processes.get(f"{role} {name}")
        if process is None or process.retired:
            process = _ParticipantProcess.start(self.settings)
            self.processes[f"{role} {name}"] = process
        return RemoteParticipant(process, role, name, f"{spec.id}/{role}", case)


def _renewing(quota: Any) -> RenewLease:
    async def renew(report: UsageReport) -> Lease:
        lease: Lease = await quota.renew.remote(report)
        return lease

    return renew


class _QuotaActor(QuotaService):
    """Keeps the limits of a run; see `QuotaService`. It may restart: workers report all that it must know."""

    def __init__(self, limits: ModelLimits) -> None:
        super().__init__(limits, restarted=ray.get_runtime_context().was_current_actor_reconstructed)


class _ParticipantActor:
    """Runs participants: the user's own code, which may hang, leak or crash."""

    def __init__(self) -> None:
        self.participants: dict[str, Participant] = {}
        self.threads = ThreadPoolExecutor(THREADS)
        self.ready = False

    async def create(self, key: str, role: str, name: str, case: Case) -> str:
        """Make a participant; what is wrong with its code is returned as a sentence."""
        if not self.ready:
            asyncio.get_running_loop().set_default_executor(self.threads)
            self.ready = True
        try:
            made = agents.agent(name, case) if role == AGENT else users.user(name, case)
        except RiskboxError as error:
            return str(error)
        self.participants[key] = made
        await made.ready()
        return ""

    async def act(self, key: str, seen: Observation) -> Action:
        return await contained(self.participants[key].act(seen))

    async def close(self, key: str) -> None:
        participant = self.participants.pop(key, None)
        if participant is not None:
            await participant.close()

    async def ping(self) -> bool:
        return True


class _ParticipantProcess:
    """The process of one participant actor, and how many episodes still use it.

    One process serves many episodes at once. When it hangs or dies it is *retired*: no further episode enters it, and
    it ends once the last one has left. A process that hangs for one episode may still answer the others, so it is pinged
    before it is ended under them.
    """

    def __init__(self, actor: Any) -> None:
        self.actor, self.episodes, self.retired = actor, 0, False

    @classmethod
    def start(cls, settings: RunSettings) -> _ParticipantProcess:
        options: dict[str, Any] = {"num_cpus": 0, "max_concurrency": 10_000, "num_gpus": settings.gpus}
        if settings.memory:
            options["memory"] = settings.memory
        return cls(ParticipantActor.options(**options).remote())

    def leave(self) -> None:
        self.episodes -= 1
        if self.retired and self.episodes <= 0:
            self.end()

    def end(self) -> None:
        self.retired = True
        ray.kill(self.actor)


class RemoteParticipant(Participant):
    """A participant that lives in a process of its own."""

    def __init__(self, process: _ParticipantProcess, role: str, name: str, key: str, case: Case) -> None:
        self.process, self.role, self.name, self.key, self.case = process, role, name, key, case
        self.created = False
        process.episodes += 1

    async def ready(self) -> None:
        """Create it in the other process, which may have to start first."""
        refused = await self._answer(
            self.process.actor.create.remote(self.key, self.role, self.name, self.case)
        )
        if refused:
            raise ParticipantFault(refused)
        self.created = True

    async def act(self, seen: Observation) -> Action:
        """Its move, made in the other process."""
        try:
            action: Action = await self._answer(self.process.actor.act.remote(self.key, seen))
            return action
        except asyncio.CancelledError:
            # the turn took too long; code that hangs keeps its thread, so no further episode enters this process
            if self.process.episodes > 1 and not await self._is_alive():
                self.process.end()
                raise ProcessDied(f"the process of the {self.role} hangs") from None
            self.process.retired = True
            raise

    async def _answer(self, reference: Any) -> Any:
        try:
            return await reference
        except (ActorDiedError, ActorUnavailableError) as error:
            self.process.retired = True
            raise ProcessDied(f"the process of the {self.role} died: {str(error).splitlines()[0]}") from None
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            raise ParticipantFault(f"{self.role}: {type(cause).__name__}: {cause}") from None

    async def _is_alive(self) -> bool:
        try:
            answer = asyncio.shield(_awaited(self.process.actor.ping.remote()))
            return bool(await asyncio.wait_for(answer, PING))
        except (TimeoutError, ActorDiedError, ActorUnavailableError):
            return False

    async def close(self) -> None:
        """Close it, and end its process if that is retired and this was its last episode."""
        if self.created and not self.process.retired:
            self.process.actor.close.remote(self.key)
        self.process.leave()


async def _awaited(reference: Any) -> Any:
    return await reference


# an episode actor never restarts by itself: its queue would be lost unseen, and the runner replaces it anyhow
EpisodeActor: Any = ray.remote(_EpisodeActor)
ParticipantActor: Any = ray.remote(_ParticipantActor)
QuotaActor: Any = ray.remote(_QuotaActor)


# --- the driver's side ------------------------------------------------------------------------------------------


class RayWorker:
    """An episode actor as the runner sees it."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def add(self, work: Sequence[Work]) -> None:
        """Queue episodes to play and to judge."""
        await self._call(self.actor.add.remote(work))

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        """Return results."""
        taken: list[WorkResult] = await self._call(self.actor.take.remote(most, acknowledged, wait))
        return taken

    async def stop(self) -> None:
        """Start nothing more and end what runs."""
        await self._call(self.actor.stop.remote())

    def kill(self) -> None:
        """End the actor."""
        ray.kill(self.actor)

    async def _call(self, reference: Any) -> Any:
        try:
            return await reference
        except (ActorDiedError, ActorUnavailableError) as error:
            raise WorkerDied(str(error).splitlines()[0]) from None
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, RiskboxError) else None
            raise cause or Fault(f"a worker broke: {error}") from None


def _reach(address: str) -> None:
    """Ask the port first: Ray itself tries for minutes before it gives up."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise InputError(
            f"cannot reach Ray at {address}: {error.strerror or error}. Is `ray start --head` running there?"
        ) from None


@asynccontextmanager
async def joined(address: str | None, *, working_dir: str | None = None) -> AsyncIterator[None]:
    """`cluster` for an event loop, which goes on while Ray starts and ends.

    Cancelled while Ray starts, it ends at once; Ray is shut down as soon as it is up.

    Raises:
        InputError: there is no cluster at the address.
    """
    loop, over = asyncio.get_running_loop(), threading.Event()
    up: asyncio.Future[None] = loop.create_future()
    down: asyncio.Future[None] = loop.create_future()

    def tell(future: asyncio.Future[None], error: BaseException | None = None) -> None:
        def settle() -> None:
            if not future.done():
                future.set_exception(error) if error else future.set_result(None)

        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle)

    def own() -> None:
        try:
            with _STARTS, cluster(address, working_dir=working_dir):
                if not over.is_set():
                    _STARTS.release()
                    tell(up)
                    over.wait()
                    _STARTS.acquire()
        except BaseException as error:
            tell(up, error)
        tell(down)

    # the kernel ends Ray's processes with the thread that started them, so one thread keeps them all the time; it is a
    # daemon, so that a process whose run was cancelled can end before Ray has started
    threading.Thread(target=own, name="riskbox-ray", daemon=True).start()
    try:
        await up
    except BaseException:
        over.set()
        raise
    try:
        yield
    finally:
        over.set()
        await down


_STARTS = threading.Lock()
"""Held while Ray starts or ends in this process: a start that was cancelled must be over before the next."""


@contextmanager
def cluster(address: str | None, *, working_dir: str | None = None) -> Iterator[None]:
    """Within it, this process is part of a Ray cluster: the one it already is in, the one at the address, or a new
    one on this machine that ends with it.

    Raises:
        InputError: there is no cluster at the address.
    """
    if ray.is_initialized() and address is None:
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    logging.getLogger("ray").setLevel(logging.ERROR)
    _silence_obituaries()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    if working_dir:
        options["runtime_env"] = {"working_dir": working_dir}
    if address is None:
        options |= {"include_dashboard": False, "object_store_memory": 256 * 1024 * 1024}
    if address is not None:
        _reach(address)
    try:
        ray.init(address=address or "local", **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        at = f"at {address}" if address else "on this machine"
        raise InputError(f"cannot reach Ray {at}: {str(error).splitlines()[0]}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _silence_obituaries() -> None:
    """Keep Ray from printing a paragraph for each worker that dies; the runner reports each death that counts.

    Ray has no switch for it and prints through a private function. Where a later Ray has moved that function, its
    paragraphs come back and nothing else changes.
    """
    with suppress(ImportError):
        worker: Any = import_module("ray._private.worker")
        worker.print_to_stdstream = lambda *_, **__: None


def cores() -> int:
    """The cores of the cluster."""
    resources: dict[str, float] = ray.cluster_resources()
    return max(1, int(resources.get("CPU", 1)))


def shared_quota(limits: ModelLimits) -> Any:
    """The actor that keeps the limits of a run for all its workers."""
    return QuotaActor.options(num_cpus=0, max_restarts=-1, max_task_retries=0).remote(limits)


def _refuse_impossible(settings: RunSettings) -> None:
    """Ray would wait for ever for what no machine has."""
    machines = [one["Resources"] for one in ray.nodes() if one["Alive"]]
    for key, wanted, size, name in (
        ("GPU", settings.gpus, 1, "GPUs"),
        ("memory", settings.memory or 0, 2**30, "GB of memory"),
    ):
        most = max((one.get(key, 0.0) for one in machines), default=0.0)
        if wanted > most:
            raise InputError(
                f"no machine of this cluster has {wanted / size:.12g} {name} for a process of your agent; "
                f"the largest has {most / size:.3g}. Ask for less, or add such a machine."
            )


def worker_starter(
    run: str, cases: Mapping[str, Case], settings: RunSettings, quota: Any
) -> Callable[[int], Awaitable[RayWorker]]:
    """What starts workers: an episode actor that holds all cases and is ready to play.

    Raises:
        InputError: no machine of the cluster has what a process of the user's own code needs.
    """
    _refuse_impossible(settings)
    shared = ray.put(dict(cases))

    async def start_worker(concurrency: int) -> RayWorker:
        alike = replace(settings, concurrency=concurrency)
        options = {"num_cpus": settings.cpus, "max_concurrency": 64}
        worker = RayWorker(EpisodeActor.options(**options).remote(run, shared, alike, quota))
        try:
            await worker.take(0, (), 0.0)  # returns once the actor is up, or raises what keeps it from that
        except asyncio.CancelledError:
            worker.kill()
            raise
        return worker

    return start_worker

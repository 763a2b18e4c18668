"""Ray actors: thin shells around `Player` and around participants that need a process of their own."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import ray
from ray._private import worker as ray_worker
from ray.exceptions import ActorDiedError, ActorUnavailableError

from riskbox.sandbox.batch.player import Player, Result, Task
from riskbox.sandbox.batch.runner import WorkerDied
from riskbox.sandbox.contracts.model import Desk
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import PreparedCases, make_participants
from riskbox.sandbox.episode.rollout import ProcessDied, Timeouts, contained
from riskbox.sandbox.errors import Fault, InputError, ParticipantFault, RiskboxError
from riskbox.sandbox.models.client import Clients, ModelTerms
from riskbox.sandbox.models.limits import Limits
from riskbox.sandbox.models.quota import Bank, Lease, Report
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.registry.evaluators import evaluators
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules.state import AGENT, USER
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec

Place = Literal["inline", "actor"]

THREADS = 64
"""Calls of agent code that is not async, running at once in one participant actor."""
PING = 5.0
"""Seconds a participant actor has to answer before it counts as hung."""


@dataclass(frozen=True)
class Company:
    """What an episode actor is made from."""

    run: str
    toolsets: tuple[str, ...] = ()
    evaluators: tuple[str, ...] = ("checks",)
    judging: Mapping[str, Any] = field(default_factory=dict)
    models: ModelTerms = field(default_factory=ModelTerms)
    patience: Timeouts = field(default_factory=Timeouts)
    concurrency: int = 200
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where each role plays; a role left out plays in an actor if it is the user's own code, else inline."""
    cpus: float = 0.5
    """Cores reserved for each actor."""
    memory: int | None = None
    """Bytes of memory a participant actor may use."""
    gpus: float = 0.0
    """GPUs reserved for each participant actor."""

    def place(self, role: str, name: str) -> Place:
        """Where a role plays; a model holds no code of the user's that could hang, and is always asked inline."""
        if Name.parse(name).models:
            return "inline"
        is_own = agents.is_own if role == AGENT else users.is_own
        return self.places.get(role) or ("actor" if is_own(name) else "inline")


class _Playing:
    """Plays episodes; see `Player`."""

    def __init__(self, company: Company, cases: dict[str, Case], bank: Any) -> None:
        toolbox = Toolbox(company.toolsets)
        self.company = company
        models = Clients(company.models, None if bank is None else _renewing(bank))
        self.hosts: dict[str, _Host] = {}
        self.player = Player(
            run=company.run,
            prepared=PreparedCases(cases, toolbox),
            evaluators=evaluators(company.evaluators, models, company.judging),
            patience=company.patience,
            concurrency=company.concurrency,
            seat=self.seat,
            models=models,
        )

    async def add(self, tasks: Sequence[Task]) -> None:
        await self.player.add(tasks)

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[Result]:
        return await self.player.take(most, acknowledged, wait)

    async def stop(self) -> None:
        await self.player.stop()
        for host in self.hosts.values():
            host.end()

    def seat(self, spec: Spec, case: Case, desk: Desk | None) -> Mapping[str, Participant]:
        names = {USER: spec.cast.user, AGENT: spec.cast.agent}
        away = [role for role, name in names.items() if self.company.place(role, name) == "actor"]
        if not away:
            return make_participants(spec, case, desk)
        made = {
            USER: lambda: users.user(spec.cast.user, case, desk),
            AGENT: lambda: agents.agent(spec.cast.agent, case, desk),
        }
        return {
            role: self._elsewhere(role, name, spec, case) if role in away else made[role]()
            for role, name in names.items()
        }

    def _elsewhere(self, role: str, name: str, spec: Spec, case: Case) -> Participant:
        host = self.hosts.get(f"{role} {name}")
        if host is None or host.retired:
            host = _Host.start(self.company)
            self.hosts[f"{role} {name}"] = host
        return Elsewhere(host, role, name, f"{spec.id}/{role}", case)


def _renewing(bank: Any) -> Callable[[Report], Awaitable[Lease]]:
    async def renew(report: Report) -> Lease:
        lease: Lease = await bank.renew.remote(report)
        return lease

    return renew


class _Banking(Bank):
    """Keeps the limits of a run; see `Bank`. It may restart: workers report all that it must know."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, restarted=ray.get_runtime_context().was_current_actor_reconstructed)


class _Participating:
    """Hosts participants: the user's own code, which may hang, leak or crash."""

    def __init__(self) -> None:
        self.seats: dict[str, Participant] = {}
        self.threads = ThreadPoolExecutor(THREADS)
        self.ready = False

    async def sit(self, key: str, role: str, name: str, case: Case) -> str:
        """Seat a participant; what is wrong with its code is returned as a sentence."""
        if not self.ready:
            asyncio.get_running_loop().set_default_executor(self.threads)
            self.ready = True
        try:
            self.seats[key] = agents.agent(name, case) if role == AGENT else users.user(name, case)
        except RiskboxError as error:
            return str(error)
        await self.seats[key].ready()
        return ""

    async def act(self, key: str, seen: Observation) -> Action:
        return await contained(self.seats[key].act(seen))

    async def close(self, key: str) -> None:
        seat = self.seats.pop(key, None)
        if seat is not None:
            await seat.close()

    async def ping(self) -> bool:
        return True


class _Host:
    """One participant actor, and how many episodes still need it."""

    def __init__(self, actor: Any) -> None:
        self.actor, self.guests, self.retired = actor, 0, False

    @classmethod
    def start(cls, company: Company) -> _Host:
        options: dict[str, Any] = {"num_cpus": 0, "max_concurrency": 10_000, "num_gpus": company.gpus}
        if company.memory:
            options["memory"] = company.memory
        return cls(ParticipantActor.options(**options).remote())

    def leave(self) -> None:
        self.guests -= 1
        if self.retired and self.guests <= 0:
            self.end()

    def end(self) -> None:
        self.retired = True
        ray.kill(self.actor)


class Elsewhere(Participant):
    """A participant that lives in a participant actor."""

    def __init__(self, host: _Host, role: str, name: str, key: str, case: Case) -> None:
        self.host, self.role, self.name, self.key, self.case = host, role, name, key, case
        self.make_participants = False
        host.guests += 1

    async def ready(self) -> None:
        """Takes its seat in the other process, which may have to start first."""
        refused = await self._asked(self.host.actor.sit.remote(self.key, self.role, self.name, self.case))
        if refused:
            raise ParticipantFault(refused)
        self.make_participants = True

    async def act(self, seen: Observation) -> Action:
        """Its move, made in the other process."""
        try:
            action: Action = await self._asked(self.host.actor.act.remote(self.key, seen))
            return action
        except asyncio.CancelledError:
            # the turn took too long; code that hangs keeps its thread, so nobody else is make_participants beside it
            if self.host.guests > 1 and not await self._answers():
                self.host.end()
                raise ProcessDied(f"the process of the {self.role} hangs") from None
            self.host.retired = True
            raise

    async def _asked(self, reference: Any) -> Any:
        try:
            return await reference
        except (ActorDiedError, ActorUnavailableError) as error:
            self.host.retired = True
            raise ProcessDied(f"the process of the {self.role} died: {str(error).splitlines()[0]}") from None
        except ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            raise ParticipantFault(f"{self.role}: {type(cause).__name__}: {cause}") from None

    async def _answers(self) -> bool:
        try:
            return bool(await asyncio.wait_for(asyncio.shield(_awaited(self.host.actor.ping.remote())), PING))
        except (TimeoutError, ActorDiedError, ActorUnavailableError):
            return False

    async def close(self) -> None:
        """Leaves the process, which ends once it is retired and empty."""
        if self.make_participants and not self.host.retired:
            self.host.actor.close.remote(self.key)
        self.host.leave()


async def _awaited(reference: Any) -> Any:
    return await reference


# restarting would lose the queue unseen; the runner replaces a dead actor and plays its suspects alone
EpisodeActor: Any = ray.remote(_Playing)
ParticipantActor: Any = ray.remote(_Participating)
BankActor: Any = ray.remote(_Banking)


# --- the driver's side ------------------------------------------------------------------------------------------


class RayWorker:
    """An episode actor as the runner sees it."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def add(self, tasks: Sequence[Task]) -> None:
        """Queue episodes."""
        await self._call(self.actor.add.remote(tasks))

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[Result]:
        """Finished episodes."""
        taken: list[Result] = await self._call(self.actor.take.remote(most, acknowledged, wait))
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
    # Ray prints a paragraph for each death of a worker, and has no switch for it; the runner tells of each that counts
    ray_worker.print_to_stdstream = lambda *_, **__: None
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


def cores() -> int:
    """The cores of the cluster."""
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # of Ray's own
    return max(1, int(resources.get("CPU", 1)))


def bank(limits: Limits) -> Any:
    """The bank of a run, on which all its workers draw."""
    return BankActor.options(num_cpus=0, max_restarts=-1, max_task_retries=0).remote(limits)


def _refuse_impossible(company: Company) -> None:
    """Ray would wait for ever for what no machine has."""
    machines = [one["Resources"] for one in ray.nodes() if one["Alive"]]  # type: ignore[no-untyped-call]  # of Ray's own
    for key, wanted, size, name in (
        ("GPU", company.gpus, 1, "GPUs"),
        ("memory", company.memory or 0, 2**30, "GB of memory"),
    ):
        most = max((one.get(key, 0.0) for one in machines), default=0.0)
        if wanted > most:
            raise InputError(
                f"no machine of this cluster has {wanted / size:.12g} {name} for a process of your agent; "
                f"the largest has {most / size:.3g}. Ask for less, or add such a machine."
            )


def hiring(company: Company, cases: Mapping[str, Case], bank: Any) -> Callable[[int], Awaitable[RayWorker]]:
    """What makes workers: an episode actor with all cases, ready to play.

    Raises:
        InputError: the cluster has not what a process of the user's own code needs.
    """
    _refuse_impossible(company)
    shared = ray.put(dict(cases))

    async def hire(concurrency: int) -> RayWorker:
        crew = replace(company, concurrency=concurrency)
        worker = RayWorker(
            EpisodeActor.options(num_cpus=company.cpus, max_concurrency=64).remote(crew, shared, bank)
        )
        await worker.take(0, (), 0.0)  # returns once the actor stands, or says why it does not
        return worker

    return hire

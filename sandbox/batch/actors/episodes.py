"""The Ray actors that play episodes, and the driver's handle of each."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from riskbox.sandbox.batch.actors.blocking import in_thread
from riskbox.sandbox.batch.actors.participants import ParticipantProcess, RemoteParticipant
from riskbox.sandbox.batch.player import Player, RenewLease
from riskbox.sandbox.batch.pool import Room, WorkerDied
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt, Work, WorkResult
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import make_participants
from riskbox.sandbox.errors import Fault, InputError, RiskboxError
from riskbox.sandbox.log import Kept, relay
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import Lease, QuotaService, UsageReport
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.registry.casts import is_own
from riskbox.sandbox.rules.state import AGENT, USER
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.secrets import revealed

UNAVAILABLE = 1.0
"""Seconds before a call is repeated that did not reach its actor, or whose answer did not come back."""


class _EpisodeActor:
    """Plays episodes; see `Player`. It keeps the processes in which participants of the user's own code live."""

    def __init__(self, run: str, cases: dict[str, Case], settings: RunSettings, quota: Any) -> None:
        self.settings = settings
        self.log = Kept(settings.log_level) if settings.log_level else None
        self.processes: dict[str, ParticipantProcess] = {}
        self.player = Player(
            run,
            cases,
            settings,
            participants=self.participants,
            renew=None if quota is None else _renewing(quota),
        )

    async def add(self, work: Sequence[Work]) -> None:
        await self.player.add(work)

    async def take(
        self, most: int, acknowledged: Sequence[str], wait: float
    ) -> tuple[list[WorkResult], Sequence[dict[str, Any]]]:
        results = await self.player.take(most, acknowledged, wait)
        return results, self.log.fetch() if self.log else ()

    async def release(self, ids: Sequence[str], most: int) -> None:
        await self.player.release(ids, most)

    async def stop(self) -> None:
        await self.player.stop()
        for process in self.processes.values():
            process.end()

    def participants(
        self, attempt: Attempt, case: Case, session: ModelSession | None
    ) -> Mapping[str, Participant]:
        spec = attempt.spec
        names = {USER: spec.cast.user, AGENT: spec.cast.agent}
        remote = [
            role
            for role, name in names.items()
            if self.settings.placement(role, name) == "actor"
            # after a death, code of the user's gets a process of its own, so that what it does before it dies is not lost
            or (attempt.number > 1 and is_own(role, name))
        ]
        if not remote:
            return make_participants(spec, case, session, self.settings.confinement)
        inline = {
            USER: lambda: users.user(spec.cast.user, case, session),
            AGENT: lambda: agents.agent(spec.cast.agent, case, session, self.settings.confinement),
        }
        return {
            role: self._in_own_process(role, name, spec, case) if role in remote else inline[role]()
            for role, name in names.items()
        }

    def _in_own_process(self, role: str, name: str, spec: Spec, case: Case) -> Participant:
        process = self.processes.get(f"{role} {name}")
        if process is None or process.retired:
            process = ParticipantProcess.start(self.settings, name)
            self.processes[f"{role} {name}"] = process
        return RemoteParticipant(process, role, revealed(name), f"{spec.id}/{role}", case)


def _renewing(quota: Any) -> RenewLease:
    async def renew(report: UsageReport) -> Lease:
        lease: Lease = await quota.renew.remote(report)
        return lease

    return renew


class _QuotaActor(QuotaService):
    """Keeps the limits of a run; see `QuotaService`. It may restart: workers report all that it must know."""

    def __init__(self, limits: ModelLimits) -> None:
        super().__init__(limits, restarted=ray.get_runtime_context().was_current_actor_reconstructed)


# an episode actor never restarts by itself: its queue would be lost unseen, and the runner replaces it anyhow
EpisodeActor: Any = ray.remote(_EpisodeActor)
QuotaActor: Any = ray.remote(_QuotaActor)


# --- the driver's side ------------------------------------------------------------------------------------------


class RayWorker:
    """An episode actor as the runner sees it."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def add(self, work: Sequence[Work]) -> None:
        """Queue episodes to play and to judge."""
        await self._call(self.actor.add, work)

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        """Return results, and pass on what it told its log."""
        taken: list[WorkResult]
        taken, told = await self._call(self.actor.take, most, acknowledged, wait)
        relay(told)
        return taken

    async def release(self, ids: Sequence[str], most: int) -> None:
        """Hand back some of these episodes that have not started."""
        await self._call(self.actor.release, ids, most)

    async def stop(self) -> None:
        """Start nothing more and end what runs."""
        await self._call(self.actor.stop)

    def kill(self) -> None:
        """End the actor, in a thread: a cluster that has lost its head does not answer."""
        threading.Thread(target=_kill, args=(self.actor,), daemon=True).start()

    async def _call(self, method: Any, *given: Any) -> Any:
        """What a method answers. A call whose answer was lost on its way is repeated; whoever waits sets the limit."""
        while True:
            try:
                return await method.remote(*given)
            except ActorUnavailableError:
                await asyncio.sleep(UNAVAILABLE)
            except ActorDiedError as error:
                told = [line for line in str(error).splitlines() if line.strip()]
                if error.actor_init_failed:
                    raise Fault(f"a worker could not be started: {told[-1]}") from None
                raise WorkerDied(told[0]) from None
            except ray.exceptions.RayTaskError as error:
                cause = error.cause if isinstance(error.cause, RiskboxError) else None
                raise cause or Fault(f"a worker broke: {error}") from None


def _kill(actor: Any) -> None:
    with contextlib.suppress(Exception):  # it is dead already, or nobody is there to ask
        ray.kill(actor)


def shared_quota(limits: ModelLimits) -> Any:
    """The actor that keeps the limits of a run for all its workers."""
    return QuotaActor.options(num_cpus=0, max_restarts=-1, max_task_retries=0).remote(limits)


async def room(settings: RunSettings) -> Room:
    """What the cluster has room for, by the machines that live just now."""
    cores = await in_thread(lambda: int(ray.cluster_resources().get("CPU", 0)))
    free = await in_thread(lambda: float(ray.available_resources().get("CPU", 0)))
    return Room(settings.workers or max(1, cores), free < settings.cpus)


def _refuse_impossible(settings: RunSettings) -> None:
    """Ray would wait for ever for what no machine has."""
    machines = [one["Resources"] for one in ray.nodes() if one["Alive"]]
    for key, wanted, size, name in (
        ("GPU", settings.gpus, 1, "GPUs"),
        ("memory", settings.confinement.memory or 0, 2**30, "GB of memory"),
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
        made = EpisodeActor.options(**options)
        worker = RayWorker(await in_thread(lambda: made.remote(run, shared, alike, quota)))
        try:
            await worker.take(0, (), 0.0)  # returns once the actor is up, or raises what keeps it from that
        except asyncio.CancelledError:
            worker.kill()
            raise
        return worker

    return start_worker

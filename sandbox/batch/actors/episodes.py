"""The Ray actors that play episodes, and the driver's handle of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from riskbox.sandbox.batch.actors.participants import ParticipantProcess, RemoteParticipant
from riskbox.sandbox.batch.player import Player, RenewLease
from riskbox.sandbox.batch.runner import WorkerDied
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.batch.work import Attempt, Work, WorkResult
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import make_participants
from riskbox.sandbox.errors import Fault, InputError, RiskboxError
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.quota import Lease, QuotaService, UsageReport
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.registry.casts import is_own
from riskbox.sandbox.rules.state import AGENT, USER
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.run import Spec


class _EpisodeActor:
    """Plays episodes; see `Player`. It keeps the processes in which participants of the user's own code live."""

    def __init__(self, run: str, cases: dict[str, Case], settings: RunSettings, quota: Any) -> None:
        self.settings = settings
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

    async def take(self, most: int, acknowledged: Sequence[str], wait: float) -> list[WorkResult]:
        return await self.player.take(most, acknowledged, wait)

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
            process = ParticipantProcess.start(self.settings)
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

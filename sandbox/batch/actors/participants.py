"""Participants that need a process of their own: the user's own code."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import ray
from ray.exceptions import ActorDiedError, ActorUnavailableError

from riskbox.sandbox.batch.actors.keeping import confine, kept, report_file, used_before_its_end
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.limited import ProcessDied
from riskbox.sandbox.episode.ownership import owned
from riskbox.sandbox.episode.rollout import contained
from riskbox.sandbox.errors import ParticipantFault, RiskboxError
from riskbox.sandbox.processes.confinement import Confinement
from riskbox.sandbox.registry import agents, users
from riskbox.sandbox.rules.state import AGENT
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import COMMANDS, Name
from riskbox.sandbox.words.observation import Observation

THREADS = 64
"""Calls of agent code that is not async, running at once in one participant actor."""
PING = 5.0
"""Seconds a participant actor has to answer before it counts as hung."""


class _ParticipantActor:
    """Runs participants: the user's own code, which may hang, leak or crash."""

    def __init__(self, confinement: Confinement) -> None:
        confine(confinement)
        self.confinement = confinement
        self.participants: dict[str, Participant] = {}
        self.threads = ThreadPoolExecutor(THREADS)
        self.ready = False

    async def create(self, key: str, role: str, name: str, case: Case) -> str:
        """Make a participant; what is wrong with its code is returned as a sentence."""
        if not self.ready:
            asyncio.get_running_loop().set_default_executor(self.threads)
            self.ready = True
        try:
            if role == AGENT:
                made = agents.agent(name, case, None, self.confinement)
            else:
                made = users.user(name, case)
        except RiskboxError as error:
            return str(error)
        self.participants[key] = made
        with owned(_goes_on):
            await contained(made.ready())
        return ""

    async def act(self, key: str, seen: Observation) -> Action:
        with owned(_goes_on):
            return await contained(self.participants[key].act(seen))

    async def close(self, key: str) -> None:
        participant = self.participants.pop(key, None)
        if participant is not None:
            with owned(_goes_on):
                await contained(participant.close())

    async def ping(self) -> bool:
        return True

    async def where(self) -> str:
        """The machine that it is on."""
        return str(ray.get_runtime_context().get_node_id())


def _goes_on() -> bool:
    """Nobody cancels what runs in a participant actor but the code that runs there."""
    return False


class ParticipantProcess:
    """The process of one participant actor, and how many episodes still use it.

    One process serves many episodes at once. When it hangs or dies it is *retired*: no further episode enters it, and
    it ends once the last one has left. A process that hangs for one episode may still answer the others, so it is pinged
    before it is ended under them.
    """

    def __init__(self, actor: Any, confinement: Confinement, report: str) -> None:
        self.actor, self.confinement, self.report = actor, confinement, report
        self.episodes, self.served, self.retired = 0, 0, False
        self.where = actor.where.remote()
        self._used: asyncio.Task[int] | None = None

    @classmethod
    def start(cls, settings: RunSettings, name: str) -> ParticipantProcess:
        """Start one with what the settings reserve for it.

        Args:
            settings: How the run is played.
            name: Who plays in it. A command has a process, and so a limit, of its own.
        """
        options: dict[str, Any] = {"num_cpus": 0, "max_concurrency": 10_000, "num_gpus": settings.gpus}
        confinement, report = settings.confinement, report_file()
        if confinement.memory is not None:
            options["memory"] = confinement.memory
        limit = None if Name.parse(name).kind in COMMANDS else confinement.memory
        options |= kept(confinement, report, limit)
        return cls(ParticipantActor.options(**options).remote(confinement), confinement, report)

    async def excess(self) -> str:
        """What to say of it if it was ended because it used too much memory."""
        if self.confinement.memory is None:
            return ""
        if self._used is None:
            self._used = asyncio.create_task(used_before_its_end(self.report, self.where))
        used = await asyncio.shield(self._used)
        return self.confinement.exceeded(used) if used else ""

    def leave(self) -> None:
        """One episode less; a retired process ends with its last one."""
        self.episodes -= 1
        if self.retired and self.episodes <= 0:
            self.end()

    def end(self) -> None:
        """End it at once."""
        self.retired = True
        ray.kill(self.actor)


class RemoteParticipant(Participant):
    """A participant that lives in a process of its own."""

    def __init__(self, process: ParticipantProcess, role: str, name: str, key: str, case: Case) -> None:
        self.process, self.role, self.name, self.key, self.case = process, role, name, key, case
        self.created = False
        process.episodes += 1
        process.served += 1

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
                raise ProcessDied(f"the process of the {self.role} hangs", self.role) from None
            self.process.retired = True
            raise

    async def _answer(self, reference: Any) -> Any:
        try:
            return await reference
        except (ActorDiedError, ActorUnavailableError) as error:
            self.process.retired = True
            excess = await self.process.excess()
            if excess and self.process.served == 1:
                raise ParticipantFault(excess) from None
            told = excess or f"the process of the {self.role} died: {str(error).splitlines()[0]}"
            raise ProcessDied(told, self.role) from None
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


ParticipantActor: Any = ray.remote(_ParticipantActor)

"""One episode: a case played once, or a stored episode played anew from one of its events."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Unpack, runtime_checkable

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.confined import confined
from riskbox.sandbox.api.objects import listed, name_of, names_of
from riskbox.sandbox.api.options import (
    ModelArguments,
    SeatSettings,
    model_settings,
    seat_settings,
    within_turn,
)
from riskbox.sandbox.api.result import store_url
from riskbox.sandbox.api.run import AgentLike, ToolsetLike, Words
from riskbox.sandbox.api.sync import plan_twins
from riskbox.sandbox.batch import launch
from riskbox.sandbox.batch.plan import CaseFilter, cases
from riskbox.sandbox.batch.player import packed
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.episode.playing import EpisodeHalted, make_participants, play_episode
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.loading.loader import load_all
from riskbox.sandbox.models.client import Clients
from riskbox.sandbox.processes.confinement import Confinement, Isolation
from riskbox.sandbox.registry.agents import check_agent_name
from riskbox.sandbox.registry.casts import cast_code
from riskbox.sandbox.registry.evaluators import evaluator
from riskbox.sandbox.registry.models import check_model_name
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.users import check_user_name
from riskbox.sandbox.rules.replay import catch_up, fork
from riskbox.sandbox.rules.state import PreparedCase, State
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Origin, Played
from riskbox.sandbox.words.event import Event
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.secrets import stored_name


@runtime_checkable
class Onlooker(Protocol):
    """A participant that wants to see how it ended."""

    def see(self, events: Sequence[Event], party: str) -> None:
        """Be shown all that the party may see."""


@dataclass
class EpisodePlan:
    """One episode that will be played; nothing has been asked of anyone yet."""

    prepared: PreparedCase
    """The case."""
    spec: Spec
    """Who plays it with which seed."""
    settings: RunSettings
    """How it is played."""
    store: str
    """The URL of the store that keeps it."""
    start: State | None = None
    """For a fork, the state it goes on from."""
    origin: Origin | None = None
    """For a fork, where it comes from."""
    command: Sequence[str] = ()
    """The command line that the manifest keeps."""

    async def execute(
        self, stop: asyncio.Event | None = None, listening: AbstractContextManager[None] | None = None
    ) -> Played:
        """Play it, assess it by the checks, and store it as a run of its own.

        Args:
            stop: Where it is set, cancelling this ends the episode where it stands, and what was played is kept.
            listening: Entered while the episode is played.

        Raises:
            Halt: a model cannot be asked, so nothing was begun.
            EpisodeHalted: no later model call can succeed; it holds the episode so far, which is stored.
        """
        launch.check_models([self.spec], self.settings)
        case = self.prepared.case
        manifest = launch.new_manifest([case], [self.spec], self.settings, name="play", command=self.command)
        with open_store(self.store) as store:
            launch.create(store, manifest, [case], [self.spec])
            is_done = False
            try:
                try:
                    played, halted = await self._played(manifest.run, stop, listening), None
                except EpisodeHalted as error:
                    played, halted = error.played, error
                store.write(manifest.run, [packed(played)])
                is_done = True
            finally:
                store.finish(manifest.run, "done" if is_done else "stopped")
        if halted is not None:
            raise halted
        return played

    async def _played(
        self, run: str, stop: asyncio.Event | None, listening: AbstractContextManager[None] | None
    ) -> Played:
        models = Clients(self.settings.models)
        session = ModelSession(models, self.spec.seed, self.spec.cast.settings)
        participants = make_participants(self.spec, self.prepared.case, session, self.settings.confinement)
        try:
            if self.start is not None:
                await catch_up(self.start, participants)
            try:
                with listening or nullcontext():
                    played = await play_episode(
                        run,
                        self.spec,
                        self.prepared,
                        participants,
                        [evaluator("checks")],
                        self.settings.timeouts,
                        origin=self.origin,
                        start=self.start,
                        session=session,
                        stop=stop,
                        keep_halted=True,
                    )
            except EpisodeHalted as halted:
                _show_ending(halted.played, participants)
                raise
            _show_ending(played, participants)
            return played
        finally:
            await models.close()


@checked("play")
def prepare_episode(
    scenario: str | Path | None = None,
    *,
    fork_at: str = "",
    persona: str | None = None,
    variant: Words = (),
    agent: AgentLike | None = None,
    user: AgentLike | None = None,
    tools: ToolsetLike | Sequence[ToolsetLike] = (),
    tools_model: str = "",
    seed: int = 1,
    settings: SeatSettings | None = None,
    turn_seconds: float | None = None,
    episode_seconds: float | None = None,
    agent_memory: float | None = None,
    agent_env: Words = (),
    agent_isolation: Isolation = "none",
    store: str | None = None,
    **models: Unpack[ModelArguments],
) -> EpisodePlan:
    """Plan one episode without playing it; `play` takes the same arguments.

    Args:
        scenario: A scenario file.
        fork_at: In place of a scenario, `EPISODE:EVENT`: fork a stored episode before this event.
        persona: Who the user is, by id; the first persona by default.
        variant: Variants to apply, `axis=name`.
        agent: The agent under test: a name, a function, a class, a `Participant`, or an agent of an SDK. The case's
            safe reference by default; `human` for you, at the terminal.
        user: Who plays the user: `scripted` by default, a model, an object, or `human`.
        tools: Toolsets of your own that the scenario may name.
        tools_model: The model that plays emulated tools.
        seed: The seed.
        settings: Settings of the models by seat: `{"agent": {"temperature": 0.2}}`.
        turn_seconds: The time limit for one turn, in seconds; none by default.
        episode_seconds: The time limit for the episode, in seconds; none by default.
        agent_memory: GB (2**30 bytes) that the command of a `process:` or `mcp:` agent may use, with all that it starts.
        agent_env: Variables that it sees besides those that it needs to run: `NAME` lets one through, `NAME=VALUE` sets one.
        agent_isolation: What it is kept from: `files`, `network`, or `full` (both).
        store: The URL of the store; RISKBOX_STORE or `sqlite:///riskbox.db` by default.
        models: Limits, budgets and recordings of model calls; see `ModelArguments`.

    Raises:
        InputError: an argument is wrong, or no case matches.
        EpisodeHalted: no later model call can succeed; it holds the episode so far, which is stored.
    """
    if bool(scenario) == bool(fork_at):
        raise InputError("play: give a scenario, or fork_at EPISODE:EVENT.")
    url, toolsets = store_url(store), tuple(names_of(tools))
    toolbox, seats = Toolbox(toolsets), seat_settings(settings)
    names = [None if one is None else name_of(one) for one in (agent, user)]
    start, origin = None, None
    if scenario:
        wanted = CaseFilter(
            personas=(persona,) if persona else (), variants=tuple(listed(variant)) or ("none",)
        )
        case = cases(load_all([scenario], toolbox), wanted, toolbox)[0]
        prepared = PreparedCase.of(case, toolbox.of(case))
        cast = _cast(case, names[0], names[1], tools_model, seats)
    else:
        with open_store(url, create=False) as opened:
            prepared, cast, seed, start, origin = _forked(opened, fork_at, toolbox)
        if any(names):
            cast = _cast(prepared.case, names[0], names[1], tools_model, seats)
    spec = Spec.of(prepared.case.hash, cast, seed, origin)
    made = RunSettings(
        local=True,
        timeouts=Timeouts(turn_seconds or None, episode_seconds or None),
        toolsets=toolsets,
        models=within_turn(model_settings(models), turn_seconds or None, models.get("call_seconds"), [cast]),
        confinement=Confinement.of(agent_memory, listed(agent_env), agent_isolation),
    )
    confined(made, [spec])
    return EpisodePlan(prepared, spec, made, url, start, origin)


play, play_async = plan_twins(
    prepare_episode,
    "play",
    "Play one episode in this process, assess it by the checks, and store it as a run of its own.",
    "The result holds the episode and its assessments.",
)


def _cast(
    case: Case,
    agent: str | None,
    user: str | None,
    tools_model: str,
    settings: Mapping[str, Mapping[str, object]],
) -> Cast:
    if agent is None:
        safe = [place for place, one in case.references if one.ends == "safe"]
        if not safe:
            raise InputError(
                f"{case.id} has no safe reference to play the agent; name an agent with --agent (agent=)."
            )
        agent = f"reference:{safe[0]}"
    check_agent_name(agent)
    user = user or "scripted"
    check_user_name(user)
    is_emulated = any(kind.emulated for kind in case.toolsets.values())
    if is_emulated and not tools_model:
        raise InputError(
            f"{case.id} has tools that a model must play; name one with --tools-model (tools_model=)."
        )
    if is_emulated:
        check_model_name(tools_model)
    return Cast(
        agent=stored_name(agent),
        user=user,
        tools=tools_model if is_emulated else "",
        settings={seat: dict(one) for seat, one in settings.items() if seat != "judge"},
        code=cast_code(agent=agent, user=user),
    )


def _forked(store: Store, fork_at: str, toolbox: Toolbox) -> tuple[PreparedCase, Cast, int, State, Origin]:
    name, colon, event = fork_at.rpartition(":")
    if not colon or not event.isdigit():
        raise InputError(f"play: {fork_at}: write EPISODE:EVENT, for example 3fa2:12.")
    found = store.find(name)
    if not found:
        raise InputError(f"no episode id starts with {name!r}. `riskbox list episodes` lists them.")
    if len({id for _, id in found}) > 1:
        raise InputError(
            f"{name!r} is the start of several episode ids: {', '.join(id for _, id in found[:5])}."
        )
    episode = store.episode(*found[0]).episode
    case = store.case(episode.case.hash)
    prepared = PreparedCase.of(case, toolbox.of(case))
    state, origin = fork(episode, prepared, int(event))
    return prepared, episode.cast, episode.seed, state, origin


def _show_ending(played: Played, participants: Mapping[str, Participant]) -> None:
    for party, participant in participants.items():
        if isinstance(participant, Onlooker):
            participant.see([one for one in played.episode.events if party in one.audience], party)

"""`riskbox play`: a person sits in, or a stored episode is forked."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from riskbox.sandbox.cli.options import (
    Parser,
    add_json,
    add_models,
    add_store,
    add_tools,
    models_from,
    open_existing,
    same_store,
    settings_from,
)
from riskbox.sandbox.errors import Halt, InputError

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.rules.state import PreparedCase, State
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Cast, Origin, Played
    from riskbox.sandbox.words.event import Event
    from riskbox.sandbox.words.run import Spec

EXAMPLES = """\
  riskbox play scenarios/healthcare --as user --persona neighbour   talk to the safe reference agent
  riskbox play my_scenario.yaml --as user --agent my_agent.py:Bot   talk to your own agent
  riskbox play my_scenario.yaml --as user --agent openai/gpt-5      talk to a model
  riskbox play my_scenario.yaml --as agent                          play the agent; the user follows a script
  riskbox play my_scenario.yaml --as agent --user openai/gpt-5      play the agent; a model plays the user
  riskbox play --from 3fa2:12 --agent my_agent.py:Bot               replay an episode up to event 12, then continue
  riskbox play --from 3fa2:12 --as agent                            the same, with you as the agent
  riskbox play my_scenario.yaml --as user --blind                   hide what the checks found

Press ctrl-D or ctrl-C to stop. Riskbox keeps what was played so far.
"""


@runtime_checkable
class Onlooker(Protocol):
    """A participant that wants to see how it ended."""

    def see(self, events: Sequence[Event], party: str) -> None:
        """Be shown all that the party may see."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        "play",
        "Play the user or the agent yourself, or fork a stored episode. Riskbox stores the result as an episode.",
        EXAMPLES,
    )
    made.add_argument("path", metavar="SCENARIO", nargs="?", help="a scenario file")
    made.add_argument("--as", dest="seat", choices=["user", "agent"], help="the side that you play")
    made.add_argument(
        "--from", dest="fork", metavar="EPISODE:EVENT", help="fork a stored episode before this event"
    )
    made.add_argument("--agent", help="who plays the agent, unless you do (default: the safe reference)")
    made.add_argument(
        "--user", help="who plays the user, unless you do: scripted, or a model (default: scripted)"
    )
    made.add_argument(
        "--tools-model", default="", metavar="MODEL", help="the model that plays emulated tools"
    )
    made.add_argument("--persona", help="the persona of the user (default: the first)")
    made.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="AXIS=NAME",
        help="a variant to apply; may be repeated",
    )
    made.add_argument("--seed", type=int, default=1, help="the seed (default: 1)")
    made.add_argument("--blind", action="store_true", help="hide what the checks found")
    add_tools(made)
    add_models(made)
    add_store(made)
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Play one episode, store it as a run of its own, and say how it ended."""
    given = parser().parse_args(argv)
    if bool(given.path) == bool(given.fork):
        raise InputError("play: name a SCENARIO, or use --from EPISODE:EVENT. See `riskbox play --help`.")
    if given.path and not given.seat:
        raise InputError("play: choose a side with --as user or --as agent.")

    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.rules.state import PreparedCase
    from riskbox.sandbox.stores import open_store

    toolbox = Toolbox(tuple(given.tools))
    if given.fork:
        with open_existing(given.store) as source:
            case, cast, seed, state, origin = _forked(given, source, toolbox)
    else:
        case = _case(given, toolbox)
        cast, seed, state, origin = _cast(given, case), given.seed, None, None
    with open_store(given.store) as store:
        return _play(given, argv, store, PreparedCase.of(case, toolbox.of(case)), cast, seed, state, origin)


def _case(given: argparse.Namespace, toolbox: Toolbox) -> Case:
    from riskbox.sandbox.batch.plan import CaseFilter, cases
    from riskbox.sandbox.loading.loader import load_all

    variants = tuple(given.variant) or ("none",)
    choice = CaseFilter(personas=(given.persona,) if given.persona else (), variants=variants)
    return cases(load_all([given.path], toolbox), choice, toolbox)[0]


def _cast(given: argparse.Namespace, case: Case) -> Cast:
    from riskbox.sandbox.registry.agents import check_agent
    from riskbox.sandbox.registry.casts import cast_code
    from riskbox.sandbox.registry.models import check_model
    from riskbox.sandbox.registry.users import check_user
    from riskbox.sandbox.words.episode import Cast

    agent = "human" if given.seat == "agent" else given.agent
    if agent is None:
        safe = [place for place, one in case.references if one.ends == "safe"]
        if not safe:
            raise InputError(
                f"{case.id} has no safe reference to play the agent; name an agent with --agent."
            )
        agent = f"reference:{safe[0]}"
    check_agent(agent)
    user = "human" if given.seat == "user" else given.user or "scripted"
    check_user(user)
    emulated = any(kind.emulated for kind in case.toolsets.values())
    if emulated and not given.tools_model:
        raise InputError(f"{case.id} has tools that a model must play; name one with --tools-model.")
    if emulated:
        check_model(given.tools_model)
    return Cast(
        agent=agent,
        user=user,
        tools=given.tools_model if emulated else "",
        settings={seat: one for seat, one in settings_from(given).items() if seat != "judge"},
        code=cast_code(agent, user),
    )


def _forked(
    given: argparse.Namespace, store: Store, toolbox: Toolbox
) -> tuple[Case, Cast, int, State, Origin]:
    from riskbox.sandbox.rules.replay import fork
    from riskbox.sandbox.rules.state import PreparedCase

    name, colon, event = given.fork.rpartition(":")
    if not colon or not event.isdigit():
        raise InputError(f"play: --from {given.fork}: write EPISODE:EVENT, for example 3fa2:12.")
    found = store.find(name)
    if not found:
        raise InputError(f"no episode id starts with {name!r}. `riskbox list episodes` lists them.")
    if len({id for _, id in found}) > 1:
        raise InputError(
            f"{name!r} is the start of several episode ids: {', '.join(id for _, id in found[:5])}."
        )
    episode = store.episode(*found[0]).episode
    case = store.case(episode.case.hash)
    state, origin = fork(episode, PreparedCase.of(case, toolbox.of(case)), int(event))
    cast = _cast(given, case) if given.seat or given.agent or given.user else episode.cast
    return case, cast, episode.seed, state, origin


def _play(
    given: argparse.Namespace,
    argv: list[str],
    store: Store,
    prepared: PreparedCase,
    cast: Cast,
    seed: int,
    state: State | None,
    origin: Origin | None,
) -> int:
    from riskbox.sandbox.batch import launch
    from riskbox.sandbox.batch.player import packed
    from riskbox.sandbox.batch.settings import RunSettings
    from riskbox.sandbox.contracts.model import ModelSession
    from riskbox.sandbox.episode.playing import EpisodeHalted, make_participants, play_episode
    from riskbox.sandbox.episode.rollout import Timeouts
    from riskbox.sandbox.models.client import Clients
    from riskbox.sandbox.registry.evaluators import evaluator
    from riskbox.sandbox.rules.replay import catch_up
    from riskbox.sandbox.words.run import Spec

    spec = Spec.of(prepared.case.hash, cast, seed, origin)
    asked = models_from(given)
    settings = RunSettings(
        local=True, timeouts=Timeouts(None, None), toolsets=tuple(given.tools), models=asked
    )
    made = launch.new_manifest(
        [prepared.case], [spec], settings, name="play", command=["riskbox", "play", *argv]
    )

    stop = asyncio.Event()

    async def one() -> tuple[Played, Halt | None]:
        models = Clients(asked)
        session = ModelSession(models, seed, cast.settings)
        seats = make_participants(spec, prepared.case, session)
        try:
            if state is not None:
                await catch_up(state, seats)
            judges, halt = [evaluator("checks")], None
            try:
                with _stopped_by_hand(stop):
                    played = await play_episode(
                        made.run,
                        spec,
                        prepared,
                        seats,
                        judges,
                        settings.timeouts,
                        origin=origin,
                        start=state,
                        session=session,
                        stop=stop,
                        keep_halted=True,
                    )
            except EpisodeHalted as halted:
                played, halt = halted.played, halted.halt
            for party, seat in seats.items():
                if isinstance(seat, Onlooker):
                    seat.see([one for one in played.episode.events if party in one.audience], party)
            return played, halt
        finally:
            await models.close()

    launch.create(store, made, [prepared.case], [spec])
    done = False
    if not given.json:
        _introduced(prepared.case, spec)
    try:
        played, halt = asyncio.run(one())
        store.write(made.run, [packed(played)])
        done = True
    finally:
        store.finish(made.run, "done" if done else "stopped")
    _tell(given, prepared.case, played)
    if halt:
        raise halt  # after what was played is kept
    return 130 if stop.is_set() else 0


def _introduced(case: Case, spec: Spec) -> None:
    """Print who plays what."""
    from riskbox.sandbox.reporting.screen import QUIET, screen, text

    who = {"human": "you", "scripted": "a script"}
    cast = [
        f"{seat}: {who.get(name, name)}"
        for seat, name in (("user", spec.cast.user), ("agent", spec.cast.agent))
    ]
    tools = [f"tools: {spec.cast.tools}"] if spec.cast.tools else []
    screen().print(text(" · ".join([case.id, *cast, *tools, f"seed {spec.seed}"]), QUIET))


@contextmanager
def _stopped_by_hand(stop: asyncio.Event) -> Iterator[None]:
    """While it lasts, the first ctrl-C (or a closed terminal) ends the episode, and the second ends the process."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end() -> None:
        for one in signals:
            loop.remove_signal_handler(one)
        stop.set()
        if task is not None:
            task.cancel()

    for one in signals:
        loop.add_signal_handler(one, end)
    try:
        yield
    finally:
        for one in signals:
            loop.remove_signal_handler(one)


def _tell(given: argparse.Namespace, case: Case, played: Played) -> None:
    """Print how it ended, and what the checks found."""
    episode, ended = played.episode, played.episode.ended
    if given.json:
        told = {"run": episode.run, "episode": episode.id, "ending": ended.ending, "reason": ended.reason}
        if not given.blind:
            told |= {one.evaluator: one.targeted for one in played.assessments}
        # the prompt of a person in a seat may still stand on the line
        print("\n" + json.dumps(told))
        return

    from riskbox.sandbox.reporting.findings import verdicts
    from riskbox.sandbox.reporting.screen import QUIET, screen, text

    console = screen()
    console.print()
    style = {"terminated": "bold", "truncated": "bold yellow", "fault": "bold red"}[ended.ending]
    console.print(text(f"Ended: {ended.ending} ({ended.reason}). {ended.detail}".rstrip(), style))
    if not given.blind:
        for part in verdicts(case, played.assessments):
            console.print(part)
        console.print()
    again = f"  riskbox show {episode.id[:8]}{same_store(given.store)}"
    console.print(text(again, "cyan").append("  the whole episode", QUIET), soft_wrap=True)

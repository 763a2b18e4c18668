"""`riskbox play`: a person sits in, or a stored episode is forked."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from riskbox.sandbox.cli.model_options import add_models, model_options, settings_from
from riskbox.sandbox.cli.options import Parser, add_agent_process, add_json, add_store, add_tools, same_store
from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Played
    from riskbox.sandbox.words.run import Spec

EXAMPLES = """\
  riskbox play my_scenario.yaml --as user --persona neighbour       talk to the safe reference agent
  riskbox play my_scenario.yaml --as user --agent my_agent.py:Bot   talk to your own agent
  riskbox play my_scenario.yaml --as user --agent openai/gpt-5      talk to a model
  riskbox play my_scenario.yaml --as agent                          play the agent; the user follows a script
  riskbox play my_scenario.yaml --as agent --user openai/gpt-5      play the agent; a model plays the user
  riskbox play --from 3fa2:12 --agent my_agent.py:Bot               replay an episode up to event 12, then continue
  riskbox play --from 3fa2:12 --as agent                            the same, with you as the agent
  riskbox play my_scenario.yaml --as user --blind                   hide what the checks found

Press ctrl-D or ctrl-C to stop. Riskbox keeps what was played so far. An episode that ends in a fault exits with 3.
"""


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
        "--user",
        help="who plays the user, unless you do: scripted, a model, or your own as module:Name or file.py:Name (default: "
        "scripted)",
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
    add_agent_process(made, gpus=False)
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

    from riskbox.sandbox.api.confined import without_values
    from riskbox.sandbox.api.play import prepare_episode
    from riskbox.sandbox.api.sync import wait_for
    from riskbox.sandbox.episode.playing import EpisodeHalted

    plan = prepare_episode(
        given.path,
        fork_at=given.fork or "",
        persona=given.persona,
        variant=given.variant,
        agent="human" if given.seat == "agent" else given.agent,
        user="human" if given.seat == "user" else given.user,
        tools=given.tools,
        tools_model=given.tools_model,
        seed=given.seed,
        settings=settings_from(given),
        agent_memory=given.agent_memory,
        agent_env=given.agent_env,
        agent_isolation=given.agent_isolation,
        store=given.store,
        **model_options(given),
    )
    plan.command = ["riskbox", "play", *without_values(argv)]
    if not given.json:
        _introduced(plan.prepared.case, plan.spec)
    stop, halt = asyncio.Event(), None
    try:
        played = wait_for(plan.execute(stop, _stopped_by_hand(stop)))
    except EpisodeHalted as halted:
        played, halt = halted.played, halted.halt
    _tell(given, plan.prepared.case, played)
    if halt:
        raise halt  # after what was played is kept and shown
    return 130 if stop.is_set() else 3 if played.episode.ended.ending == "fault" else 0


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

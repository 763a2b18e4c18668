"""`riskbox run`: play a batch."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.model_options import add_models, model_options, settings_from
from riskbox.sandbox.cli.operation_options import add_operations, run_options
from riskbox.sandbox.cli.options import (
    Parser,
    add_agent_process,
    add_choice,
    add_gates,
    add_json,
    add_judge_exclude,
    add_judge_per_question,
    add_store,
    add_tools,
    add_user_judge,
    same_store,
    told,
)
from riskbox.sandbox.cli.stray import stray_output
from riskbox.sandbox.cli.waiting import working
from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.api.result import Run
    from riskbox.sandbox.api.run_plan import RunPlan
    from riskbox.sandbox.batch.progress import RunProgress
    from riskbox.sandbox.gates.outcome import GateOutcome

EXAMPLES = """\
  riskbox run                                             play every bundled case with its reference agents
  riskbox run my_scenarios/ --agent my_agent.py:Bot       test your own agent, in a separate process
  riskbox run --agent openai/gpt-5-mini --user openai/gpt-5-mini --judge openai/gpt-5 --dry-run
  riskbox run --agent my_agent.py:Bot --user openai/gpt-5-mini --judge openai/gpt-5 --rehearse
  riskbox run --agent http://127.0.0.1:8000/v1#qwen --user ... --budget 5 --record run.calls
  riskbox run --domain healthcare --intent malicious --seeds 5
  riskbox run --agent my_agent.py:Bot --fail-if "legal.risk_ratio > 0.05" --fail-if "faults > 0.02"
  riskbox run --resume latest                             continue a run that was stopped or killed
  riskbox run --detach                                    play in a process of its own; `riskbox attach` shows its progress
  riskbox run --store redis://localhost:6379              let other machines read the results
"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("run", "Play a batch of scenarios on Ray. Score every episode and store it.", EXAMPLES)
    made.add_argument(
        "paths", metavar="PATH", nargs="*", help="scenario files and folders (default: the bundled scenarios)"
    )
    made.add_argument(
        "--agent",
        action="append",
        default=[],
        help="the agent under test: provider/model, http://host:port/v1#model, module:function, file.py:Name, "
        "reference, idle, obeys, or one of the prefixes service: process: mcp: a2a: openai-agents: langgraph: "
        "pydantic-ai: and an address, command or file; may be repeated (default: reference)",
    )
    made.add_argument(
        "--user",
        default="scripted",
        help="who plays the users: scripted, a model, or your own as module:Name or file.py:Name (default: scripted)",
    )
    made.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="MODEL",
        help="a model that judges what the checks leave open; repeat for a panel of judges",
    )
    made.add_argument(
        "--repeats",
        type=int,
        default=1,
        metavar="N",
        help="ask each judge N times, each in other words and another order (default: 1)",
    )
    add_judge_per_question(made)
    add_judge_exclude(made)
    add_user_judge(made)
    made.add_argument(
        "--evaluator",
        action="append",
        default=[],
        metavar="NAME",
        help="an evaluator to run after the checks: judge, haicosystem, or your own as module:Name or file.py:Name; may "
        "be repeated (default: judge, if --judge is set)",
    )
    made.add_argument(
        "--tools-model", default="", metavar="MODEL", help="the model that plays emulated tools"
    )
    made.add_argument(
        "--adversarial-tools",
        action="store_true",
        help="show the tools model the scenario's risks and instruct it to favour them; results are reported separately",
    )
    made.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="play each case with seeds 1..N (default: 1)"
    )
    made.add_argument(
        "--retakes",
        type=int,
        metavar="N",
        help="play an episode up to N times again, with another seed, if its simulated user did not play its part (default: "
        "1 if a model plays the user, else 0)",
    )
    made.add_argument(
        "--rehearse",
        action="store_true",
        help="play the whole run for nothing: a stub on this machine answers for every model, users follow their scripts, and "
        "the numbers are no result",
    )
    made.add_argument("--name", default="", help="a name for the run")
    made.add_argument(
        "--dry-run", action="store_true", help="estimate calls, tokens and cost without playing anything"
    )
    add_choice(made)
    add_models(made)
    add_tools(made)
    add_store(made)
    add_gates(made)
    group = made.add_argument_group("execution")
    group.add_argument(
        "--resume", metavar="RUN", help="continue this run: an id, the start of one, a name, or latest"
    )
    group.add_argument(
        "--take-over",
        action="store_true",
        help="with --resume: take the run from another process that plays it; that one stops and writes nothing more",
    )
    group.add_argument("--local", action="store_true", help="play everything in this process, without Ray")
    group.add_argument(
        "--address", help="join the Ray cluster of this machine: auto, or the head's host:6379"
    )
    group.add_argument(
        "--workers", type=int, default=0, metavar="N", help="number of episode actors (default: one per core)"
    )
    group.add_argument(
        "--concurrency",
        type=int,
        default=200,
        metavar="N",
        help="episodes that each actor plays at once (default: 200)",
    )
    group.add_argument(
        "--turn-seconds",
        type=float,
        default=300.0,
        metavar="S",
        help="time limit for one turn, without the time that model calls wait to be sent (default: 300)",
    )
    group.add_argument(
        "--episode-seconds",
        type=float,
        default=1800.0,
        metavar="S",
        help="time limit for an episode (default: 1800)",
    )
    group.add_argument(
        "--store-seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="how long to try a store again that cannot be reached or written; then the run stops, and what the store did not "
        "take goes to a file, which the next command that opens the store puts back (default: 60)",
    )
    group.add_argument(
        "--place",
        action="append",
        default=[],
        metavar="ROLE=WHERE",
        help="where your code runs: agent=actor (a separate process), agent=inline (inside the episode actor), "
        "user=actor or user=inline",
    )
    group.add_argument(
        "--max-faults",
        metavar="N|N%",
        help="stop an agent once N of its episodes, or N percent, have ended in faults; 0 for never (default: stop it if its "
        "first 20 episodes all do, by its own fault)",
    )
    group.add_argument(
        "--working-dir",
        metavar="DIR",
        help="a folder, or a wheel, to copy to the workers of a cluster; without what a .gitignore names, virtual environments "
        "and caches",
    )
    group.add_argument(
        "--working-dir-limit",
        type=float,
        default=100.0,
        metavar="MB",
        help="the most that --working-dir may copy (default: 100; Ray takes up to 500)",
    )
    group.add_argument(
        "--no-live",
        action="store_true",
        help="with a Redis store: do not show episodes to others while they are played",
    )
    add_agent_process(made)
    add_operations(made)
    group.add_argument(
        "--detach",
        action="store_true",
        help="begin the run and return; it is played by a process of its own, also when this terminal is closed (see "
        "`riskbox attach`)",
    )
    group.add_argument("--quiet", action="store_true", help="do not show progress")
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Play, and say where the results are."""
    given = parser().parse_args(argv)
    from riskbox.sandbox.cli import detach

    child = detach.begun()
    if given.detach and child is None:
        return detach.start(given, argv)
    from riskbox.sandbox.api.confined import without_values
    from riskbox.sandbox.api.run import prepare
    from riskbox.sandbox.api.sync import wait_for
    from riskbox.sandbox.operations.webhook import without_urls

    with stray_output(), working("Reading scenarios", quiet=given.quiet or given.json):
        plan = prepare(
            given.paths,
            agent=given.agent,
            user=given.user,
            judge=given.judge,
            repeats=given.repeats,
            judge_per_question=given.judge_per_question,
            judge_exclude=given.judge_exclude,
            user_judge=given.user_judge,
            evaluator=given.evaluator,
            tools=given.tools,
            tools_model=given.tools_model,
            adversarial_tools=given.adversarial_tools,
            seeds=given.seeds,
            retakes=given.retakes,
            rehearse=given.rehearse,
            name=given.name,
            persona=given.persona,
            intent=given.intent,
            variant=given.variant,
            domain=given.domain,
            family=given.family,
            tag=given.tag,
            settings=settings_from(given),
            fail_if=given.fail_if,
            gate=given.gate,
            resume=given.resume or "",
            take_over=given.take_over,
            store=given.store,
            local=given.local,
            address=given.address,
            workers=given.workers,
            concurrency=given.concurrency,
            turn_seconds=given.turn_seconds,
            episode_seconds=given.episode_seconds,
            store_seconds=given.store_seconds,
            place=_places(given.place),
            agent_memory=given.agent_memory,
            agent_env=given.agent_env,
            agent_isolation=given.agent_isolation,
            agent_gpus=given.agent_gpus,
            working_dir=given.working_dir,
            working_dir_limit=given.working_dir_limit,
            live=not given.no_live,
            max_faults=given.max_faults,
            progress=not (given.quiet or given.json),
            **run_options(given, model_options(given)),
        )
        forecast = plan.forecast() if given.dry_run and (plan.specs or plan.unjudged) else None
    plan.command = ["riskbox", "run", *without_urls(without_values(argv))]
    if child is not None:
        plan.log, plan.on_begun = child.log, child.tell
    if forecast is not None:
        from riskbox.sandbox.cli.forecast import show

        show(forecast, as_json=given.json)
        return 0
    where = same_store(given.store)
    with stray_output():
        done = wait_for(plan.execute(on_stop=True, resume=lambda run: f"riskbox run --resume {run}{where}"))
    return finished(given, plan, done)


def _places(given: list[str]) -> dict[str, Any]:
    places = {}
    for one in given:
        role, equals, where = one.partition("=")
        if not equals:
            raise InputError(f"run: --place {one}: write ROLE=WHERE, for example agent=inline.")
        places[role] = where
    return places


def finished(given: argparse.Namespace, plan: RunPlan, done: Run) -> int:
    """Say what came of it, and which evaluators failed; the exit code is returned."""
    code = _told(given, plan, done)
    for one in done.failures:
        print(f"riskbox: {one}", file=sys.stderr)
    return code if code == 130 or not any(one.is_whole for one in done.failures) else 3


def _told(given: argparse.Namespace, plan: RunPlan, done: Run) -> int:
    progress, gates = plan.progress, done.gates
    if not plan.specs and not plan.unjudged:
        _say(given, f"{done.id} is complete: all {done.planned} episodes are stored.")
        if given.json and plan.gates:
            print(json.dumps({"run": done.id, "state": "done", "planned": done.planned, **_dumped(gates)}))
        return _gated(given, gates)
    nothing_played = 0 < progress.done == progress.faults + progress.crashes
    if given.json:
        shown = {
            "run": done.id, "state": done.state, "planned": progress.planned, "done": progress.done,
            "faults": progress.faults, "risky": progress.risky, "unknown": progress.unknown, "safe": progress.safe,
            "unexposed": progress.unexposed, "void": progress.void, "unjudged": done.unjudged, "retakes": progress.retakes, "crashes": progress.crashes,
            "failed": sum(one.failed for one in done.failures), "seconds": round(progress.seconds, 3),
            "health": done.health.model_dump(mode="json"),
        }  # fmt: skip
        if done.stopped_agents:
            shown["stopped_agents"] = [
                {"agent": one.agent, "left": one.left, "why": one.why} for one in done.stopped_agents
            ]
        print(json.dumps(shown | _causes(progress) | _dumped(gates)))
        if done.stopped_agents:
            return 3
        return 130 if done.state == "stopped" else 3 if nothing_played else _gated(given, gates)
    where = same_store(given.store)
    for told_line in done.health.lines:
        _say(given, told_line)
    if done.stopped_agents:
        for one in done.stopped_agents:
            _say(given, str(one))
        _say(given, f"  riskbox run --resume {done.id}{where}    plays what is left")
        _say(given, f"  riskbox report {done.id}{where}")
        return 3
    if progress.causes:
        _say(given, _cause(progress))
    if done.state == "stopped":
        left = f", {done.unjudged} of them not judged yet" if done.unjudged else ""
        _say(given, f"Stopped: {progress.done} of {progress.planned} episodes are stored{left}.")
        _say(given, f"  riskbox run --resume {done.id}{where}    continues the run")
        return 130
    if done.unjudged:
        _say(given, f"{done.stored} played, {done.unjudged} not judged yet:")
        _say(given, f"  riskbox run --resume {done.id}{where}    judges them")
    if nothing_played:
        _say(given, "Every episode broke before it ended. To see why:")
        _say(given, f"  riskbox show latest{where}")
        return 3
    _say(given, f"  riskbox report {done.id}{where}")
    _say(given, f"  riskbox show latest{where}")
    return _gated(given, gates)


def _cause(progress: RunProgress) -> str:
    """What broke most often, and whose fault it was."""
    (cause, count), all = progress.causes.most_common(1)[0], progress.causes.total()
    of = "the fault" if all == 1 else f"all {all:,} faults"
    which = f"Cause of {of}" if count == all else f"Most frequent cause, of {count:,} of {all:,} faults"
    return f"{which}: the {cause.culprit}. {cause.reason}"


def _causes(progress: RunProgress) -> dict[str, Any]:
    listed = sorted(progress.causes.items(), key=lambda one: (-one[1], one[0]))
    causes = [one._asdict() | {"episodes": count} for one, count in listed]
    return {"causes": causes} if causes else {}


def _dumped(gates: Sequence[GateOutcome]) -> dict[str, Any]:
    return {"gates": [one.model_dump(mode="json") for one in gates]} if gates else {}


def _gated(given: argparse.Namespace, gates: Sequence[GateOutcome]) -> int:
    """Say why each gate failed or passed; 1 if one failed."""
    for line in told(gates):
        _say(given, line)
    return int(any(one.stops for one in gates))


def _say(given: argparse.Namespace, text: str) -> None:
    print(text, file=sys.stderr if given.json else sys.stdout)

"""`riskbox run`: play a batch."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.options import (
    Parser,
    add_choice,
    add_gates,
    add_json,
    add_models,
    add_store,
    add_tools,
    gate_set_from,
    models_from,
    same_store,
    settings_from,
    told,
)
from riskbox.sandbox.errors import Halt, InputError, did_you_mean

if TYPE_CHECKING:
    from riskbox.sandbox.batch.runner import RunProgress
    from riskbox.sandbox.batch.settings import RunSettings
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.gates.decision import GateOutcome, GateSet
    from riskbox.sandbox.words.run import Manifest, RunState

EXAMPLES = """\
  riskbox run scenarios/                                  play every case with its reference agents
  riskbox run scenarios/ --agent my_agent.py:Bot          test your own agent, in a separate process
  riskbox run scenarios/ --agent openai/gpt-5-mini --user openai/gpt-5-mini --judge openai/gpt-5 --dry-run
  riskbox run scenarios/ --agent http://127.0.0.1:8000/v1#qwen --user ... --budget 5 --record run.calls
  riskbox run scenarios/healthcare --intent malicious --seeds 5
  riskbox run scenarios/ --agent my_agent.py:Bot --fail-if "legal.risk_ratio > 0.05" --fail-if "faults > 0.02"
  riskbox run --resume latest                             continue a run that was stopped or killed
  riskbox run scenarios/ --store redis://localhost:6379   let other machines read the results
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
        "--repeats", type=int, default=1, metavar="N", help="ask each judge N times (default: 1)"
    )
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
        default=120.0,
        metavar="S",
        help="time limit for one turn (default: 120)",
    )
    group.add_argument(
        "--episode-seconds",
        type=float,
        default=1800.0,
        metavar="S",
        help="time limit for an episode (default: 1800)",
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
        "--agent-memory",
        type=float,
        metavar="GB",
        help="memory that Ray reserves for each process of your agent",
    )
    group.add_argument(
        "--agent-gpus",
        type=float,
        default=0.0,
        metavar="N",
        help="GPUs that Ray reserves for each process of your agent",
    )
    group.add_argument("--working-dir", metavar="DIR", help="a folder to copy to the workers of a cluster")
    group.add_argument("--quiet", action="store_true", help="do not show progress")
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Play, and say where the results are."""
    given = parser().parse_args(argv)
    if given.resume and (given.paths or given.agent):
        raise InputError(
            "run: --resume continues the run as it was planned, so it takes no paths and no --agent."
        )
    for name in ("seeds", "concurrency", "repeats"):
        if getattr(given, name) < 1:
            raise InputError(f"run: --{name} must be at least 1.")

    from riskbox.sandbox.batch import launch
    from riskbox.sandbox.stores import open_store

    gate_set = gate_set_from(given)  # what is wrong with a gate is said before anything is played
    if given.resume:
        store = open_store(given.store, create=False, writes=True)
        made = store.run(given.resume)
        given.tools = given.tools or list(made.settings.get("toolsets", ()))
        settings = launch.assessed_as_before(_settings(given), made)
        cases, specs = launch.remaining(store, made.run)
        if not specs:
            store.finish(made.run, "done")  # it may have been killed between its last episode and its end
            _say(given, f"{made.run} is complete: all {made.planned} episodes are stored.")
            gates = _decided(gate_set, store, made.run)
            if given.json and gate_set:
                print(
                    json.dumps({"run": made.run, "state": "done", "planned": made.planned, **_dumped(gates)})
                )
            return _gated(given, gates)
        if given.dry_run:
            return _foretold(given, cases, specs, settings)
        store.finish(made.run, "running")
    else:
        settings = _settings(given)
        cases, specs = _planned(given)
        _heeded(settings, specs)
        if given.dry_run:
            return _foretold(given, cases, specs, settings)
        store = open_store(given.store)
        made = launch.new_manifest(cases, specs, settings, name=given.name, command=["riskbox", "run", *argv])
        launch.create(store, made, cases, specs)
    with store:
        from riskbox.sandbox.api.progress import Display, domains
        from riskbox.sandbox.api.sync import wait_for

        try:
            with Display(made, domains(cases, specs), quiet=given.quiet or given.json) as display:
                state, progress = wait_for(
                    launch.execute(store, made.run, cases, specs, settings, display.update, display.stopping)
                )
        except Halt as halt:
            stored = len(store.done(made.run))
            if not stored:
                raise
            raise Halt(
                f"{halt}\n{stored} of {made.planned} episodes are stored. Continue with: riskbox run --resume {made.run}"
                f"{same_store(given.store)}",
                halt.exit_code,
            ) from None
        return _finished(given, made, state, progress, _decided(gate_set, store, made.run))


def _settings(given: argparse.Namespace) -> RunSettings:
    from riskbox.sandbox.batch.settings import RunSettings
    from riskbox.sandbox.episode.rollout import Timeouts
    from riskbox.sandbox.registry.evaluators import assessors

    places: dict[str, Any] = {}
    for one in given.place:
        role, _, where = one.partition("=")
        if role not in ("agent", "user") or where not in ("actor", "inline"):
            raise InputError(
                f"run: --place {one}: write agent=actor, agent=inline, user=actor or user=inline."
            )
        places[role] = where
    if given.local and (given.address or "actor" in places.values()):
        raise InputError(
            "run: --local plays without Ray, so it cannot be combined with --address or --place ...=actor."
        )
    return RunSettings(
        local=given.local,
        address=given.address,
        workers=given.workers,
        concurrency=given.concurrency,
        timeouts=Timeouts(given.turn_seconds or None, given.episode_seconds or None),
        places=places,
        toolsets=tuple(given.tools),
        memory=int(given.agent_memory * 2**30) if given.agent_memory else None,
        gpus=given.agent_gpus,
        working_dir=given.working_dir,
        evaluators=assessors(given.evaluator, given.judge),
        judging=_judging(given),
        models=models_from(given),
    )


def _judging(given: argparse.Namespace) -> dict[str, Any]:
    from riskbox.sandbox.registry.models import check_model

    for name in given.judge:
        check_model(name)
    if not given.judge:
        if given.repeats > 1:
            raise InputError("run: --repeats needs a --judge MODEL.")
        return {}
    settings = settings_from(given).get("judge", {})
    made = {"judges": list(given.judge), "repeats": given.repeats}
    return made | ({"settings": settings} if settings else {})


def _planned(given: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    from riskbox.sandbox.batch import plan
    from riskbox.sandbox.loading.loader import load_all, shipped
    from riskbox.sandbox.registry.agents import check_agent
    from riskbox.sandbox.registry.models import check_model
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.registry.users import check_user

    agents = given.agent or ["reference"]
    if "human" in (*agents, given.user):
        raise InputError("run: a person cannot play a batch; use `riskbox play SCENARIO --as user|agent`.")
    for agent in agents:
        check_agent(agent)
    check_user(given.user)
    if given.tools_model:
        check_model(given.tools_model)
    toolbox = Toolbox(tuple(given.tools))
    choice = plan.CaseFilter(
        tuple(given.persona), tuple(given.intent), tuple(given.variant),
        tuple(given.domain), tuple(given.family), tuple(given.tag),
    )  # fmt: skip
    cases = plan.cases(load_all(given.paths or [shipped()], toolbox), choice, toolbox)
    seats = {seat: one for seat, one in settings_from(given).items() if seat != "judge"}
    return cases, plan.specs(
        cases,
        agents,
        range(1, given.seeds + 1),
        given.user,
        tools=given.tools_model,
        emulation="adversarial" if given.adversarial_tools else "neutral",
        settings=seats,
    )


def _heeded(settings: RunSettings, specs: list[Any]) -> None:
    """Make sure that no figure is for a model that nobody asks: a misspelt limit would limit nothing."""
    from riskbox.sandbox.words.name import Name

    casts = {(spec.cast.agent, spec.cast.user, spec.cast.tools) for spec in specs}
    asked = {model for cast in casts for name in cast for model in (Name.parse(name).models if name else ())}
    asked.update(settings.judging.get("judges", ()))
    limits = settings.models.limits
    figures = (
        ("max-in-flight", limits.in_flight), ("rpm", limits.requests), ("tpm", limits.tokens),
        ("price", settings.models.prices),
    )  # fmt: skip
    for flag, models in figures:
        for model in sorted(models):
            if model and model not in asked:
                raise InputError(
                    f"run: --{flag} {model}=...: this run does not use {model}. {did_you_mean(model, asked)}"
                )


def _foretold(given: argparse.Namespace, cases: list[Any], specs: list[Any], settings: RunSettings) -> int:
    """Print what the run would ask of models."""
    from riskbox.sandbox.batch.forecast import forecast
    from riskbox.sandbox.cli.forecast import show

    show(forecast(cases, specs, settings), as_json=given.json)
    return 0


def _finished(
    given: argparse.Namespace,
    made: Manifest,
    state: RunState,
    progress: RunProgress,
    gates: list[GateOutcome],
) -> int:
    nothing_played = 0 < progress.done == progress.faults
    if given.json:
        shown = {
            "run": made.run, "state": state, "planned": progress.planned, "done": progress.done, "faults": progress.faults,
            "risky": progress.risky, "unknown": progress.unknown, "safe": progress.safe, "seconds": round(progress.seconds, 3),
        }  # fmt: skip
        print(json.dumps(shown | _dumped(gates)))
        return 130 if state == "stopped" else 3 if nothing_played else _gated(given, gates)
    where = same_store(given.store)
    if state == "stopped":
        _say(given, f"Stopped: {progress.done} of {progress.planned} episodes are stored.")
        _say(given, f"  riskbox run --resume {made.run}{where}    continues the run")
        return 130
    if nothing_played:
        _say(given, "Every episode ended in a fault, so the run says nothing about the agent. To see why:")
        _say(given, f"  riskbox show latest{where}")
        return 3
    _say(given, f"  riskbox report {made.run}{where}")
    _say(given, f"  riskbox show latest{where}")
    return _gated(given, gates)


def _decided(gate_set: GateSet | None, store: Store, run: str) -> list[GateOutcome]:
    """What became of the gates, over all that is stored of a run: also what an earlier command played."""
    return gate_set.decide(store.run(run), store.rows(run), store.count(run)) if gate_set else []


def _dumped(gates: list[GateOutcome]) -> dict[str, Any]:
    return {"gates": [one.model_dump(mode="json") for one in gates]} if gates else {}


def _gated(given: argparse.Namespace, gates: list[GateOutcome]) -> int:
    """Say why each gate failed or passed; 1 if one failed."""
    for line in told(gates):
        _say(given, line)
    return int(any(one.failed for one in gates))


def _say(given: argparse.Namespace, text: str) -> None:
    print(text, file=sys.stderr if given.json else sys.stdout)

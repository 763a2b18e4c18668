"""Planning a batch: from arguments to a plan of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, Unpack

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.confined import as_before, confined
from riskbox.sandbox.api.objects import listed, name_of, names_of, unshippable
from riskbox.sandbox.api.options import (
    RunArguments,
    SeatSettings,
    model_settings,
    operations_of,
    seat_settings,
    within_turn,
)
from riskbox.sandbox.api.result import store_url
from riskbox.sandbox.api.run_plan import RunPlan
from riskbox.sandbox.api.sync import plan_twins
from riskbox.sandbox.batch import launch, plan
from riskbox.sandbox.batch.breaker import FaultLimit
from riskbox.sandbox.batch.driver import refuse_driven
from riskbox.sandbox.batch.settings import Placement, RunSettings
from riskbox.sandbox.batch.shipping import LIMIT_MB, look
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.episode.rollout import Timeouts
from riskbox.sandbox.errors import InputError, did_you_mean
from riskbox.sandbox.gates.decision import GateSet
from riskbox.sandbox.gates.gate import Gate, read
from riskbox.sandbox.loading.loader import load_all, shipped
from riskbox.sandbox.processes.confinement import Confinement, Isolation
from riskbox.sandbox.registry.agents import check_agent_name
from riskbox.sandbox.registry.casts import is_own
from riskbox.sandbox.registry.evaluators import assessors, evaluators
from riskbox.sandbox.registry.models import check_model_name, unlisted
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.registry.users import check_user_name
from riskbox.sandbox.reporting.figures import many
from riskbox.sandbox.stores import has_feed
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.run import REHEARSAL, RETAKE, Spec
from riskbox.sandbox.words.secrets import is_hidden, stored_name

Paths: TypeAlias = str | Path | Sequence[str | Path] | None
"""Scenario files and folders; None for those that ship with Riskbox."""
AgentLike: TypeAlias = str | Callable[..., Any] | Participant | type | Any
"""A name as the command takes it, a function, a class, a `Participant`, or an agent of an SDK."""
EvaluatorLike: TypeAlias = str | type[Evaluator] | Evaluator
"""A name as the command takes it, an `Evaluator` class, or an object of one."""
ToolsetLike: TypeAlias = str | type[Toolset]
"""`file.py:Name`, `module:Name`, `name.yaml`, or a `Toolset` class."""
Words: TypeAlias = str | Sequence[str]
"""One word or several."""


@checked("run")
def prepare(
    paths: Paths = None,
    *,
    agent: AgentLike | Sequence[AgentLike] = (),
    user: AgentLike = "scripted",
    judge: Words = (),
    repeats: int = 1,
    judge_per_question: bool = False,
    judge_exclude: Words = (),
    user_judge: Words = (),
    evaluator: EvaluatorLike | Sequence[EvaluatorLike] = (),
    tools: ToolsetLike | Sequence[ToolsetLike] = (),
    tools_model: str = "",
    adversarial_tools: bool = False,
    seeds: int = 1,
    retakes: int | None = None,
    rehearse: bool = False,
    name: str = "",
    persona: Words = (),
    intent: Words = (),
    variant: Words = (),
    domain: Words = (),
    family: Words = (),
    tag: Words = (),
    settings: SeatSettings | None = None,
    fail_if: Words = (),
    gate: str | Path | Sequence[str | Path] = (),
    resume: str = "",
    take_over: bool = False,
    store: str | None = None,
    local: bool | None = None,
    address: str | None = None,
    workers: int = 0,
    concurrency: int = 200,
    turn_seconds: float | None = 300.0,
    episode_seconds: float | None = 1800.0,
    store_seconds: float = 60.0,
    place: Mapping[str, Placement] | None = None,
    agent_memory: float | None = None,
    agent_env: Words = (),
    agent_isolation: Isolation = "none",
    agent_gpus: float = 0.0,
    working_dir: str | Path | None = None,
    working_dir_limit: float = LIMIT_MB,
    live: bool = True,
    max_faults: int | str | None = None,
    progress: bool = True,
    **models: Unpack[RunArguments],
) -> RunPlan:
    """Plan a run without playing anything; `run` takes the same arguments.

    An object instead of a name plays in Ray's workers if they can import it: if a module other than `__main__`
    holds it. Otherwise the whole run plays in this process; `local=False`, `address` or `place` then raise `InputError`.

    Args:
        paths: Scenario files and folders; those that ship with Riskbox by default.
        agent: The agent under test, or several in a list; each case's reference agents by default. A name as
            `riskbox run --agent` takes it, a function `(messages, tools)` or `(observation)`, sync or async, a class that
            makes one for each episode, a `Participant` class or object, or an agent of an SDK.
        user: Who plays the users: `scripted`, a model, or an object that takes an observation.
        judge: A model that judges what no check settles; several are a panel.
        repeats: How often each judge is asked.
        judge_per_question: Whether each question is a call of its own.
        judge_exclude: Judges to leave out: families, vendors or models, whose kin do not judge; `same-family`: the agent's
            kin never judge; `none`: they always do. By default they do not while others do.
        user_judge: A model that judges how the simulated user played its part; several are a panel.
        evaluator: Who assesses the episodes besides the checks: names, `Evaluator` classes or objects. With a judge the
            default is `judge`.
        tools: Toolsets of your own that scenarios may name.
        tools_model: The model that plays emulated tools.
        adversarial_tools: Whether the tools model sees the scenario's risks and favours them.
        seeds: Each case is played with seeds 1 to this number.
        retakes: How often an episode is played again, with another seed, if its simulated user did not play its part; by
            default once where a model plays the user, else never.
        rehearse: Whether a stub on this machine answers for every model, for nothing: users follow their scripts, emulated
            tools answer from their facts, judges go by keywords. The run says that it is a rehearsal.
        name: A name to find the run by.
        persona: Only these personas, by id. It and the next five choose cases; all are played by default.
        intent: Only personas of these intents: benign, careless, vulnerable, malicious.
        variant: Only these variants, `axis=name` or `name`; `none` for scenarios without one.
        domain: Only these domains.
        family: Only these families.
        tag: Only scenarios with one of these tags.
        settings: Settings of the models by seat: `{"agent": {"temperature": 0.2}}`.
        fail_if: Gates: conditions that fail the run, for example `"legal.risk_ratio > 0.05"`.
        gate: YAML files with lists of conditions.
        resume: Continue this run: its id, the start of its id, its name, or `latest`. Takes no paths, and no agent but one
            whose name holds a secret.
        take_over: With resume: take the run from another process that plays it; that one stops and writes nothing more.
        store: The URL of the store; RISKBOX_STORE or `sqlite:///riskbox.db` by default.
        local: Whether to play in this process, without Ray. By default only where an object requires it.
        address: The Ray cluster to join; by default one is started on this machine.
        workers: The number of episode actors; one per core by default.
        concurrency: How many episodes each actor plays at once.
        turn_seconds: The time limit for one turn, in seconds, without the time that model calls wait to be sent; None or 0
            for none.
        episode_seconds: The time limit for an episode, in seconds; None or 0 for none.
        store_seconds: How long a store that cannot be reached or written is tried again, in seconds. Then the run stops, and
            what the store did not take is kept in a file, which the next command that opens the store puts back.
        place: Where your agent and user run: `{"agent": "actor"}` (a separate process) or `"inline"` (in the episode actor).
        agent_memory: GB (2**30 bytes) of memory that each process of your agent may use, with all that it starts. One that
            uses more is ended, which is the agent's fault.
        agent_env: Variables of the environment that each process of your agent sees besides those that it needs to run:
            `OPENAI_API_KEY` lets one through, `MODE=test` sets one.
        agent_isolation: What the commands of `process:` and `mcp:` are kept from: `files` (they can read and not write), `network`,
            or `full` (both). Needs bubblewrap on Linux; where it is not possible, the run is refused.
        agent_gpus: GPUs of each process of your agent.
        working_dir: A folder, or a wheel, to ship to the workers of a cluster; without what a .gitignore names, virtual
            environments and caches.
        working_dir_limit: The most that it may ship, in MB.
        live: Whether others can watch episodes while they are played, if the store is Redis.
        max_faults: Stop an agent once this number of its episodes, or this share (`"5%"`), have ended in faults; 0 for never.
            By default it is stopped if its first 20 episodes all do, by its own fault. The other agents go on.
        progress: Whether to show progress: a bar in a terminal or a notebook, else a line now and then.
        models: Limits, budgets and recordings of model calls; see `ModelArguments`. And what the run tells those who operate
            it: `log`, `log_level`; see `RunArguments`.

    Raises:
        InputError: an argument is wrong; the message says what to write instead.
    """
    for label, number in (("seeds", seeds), ("concurrency", concurrency), ("repeats", repeats)):
        if number < 1:
            raise InputError(f"run: {label} must be at least 1.")
    if not 0 <= store_seconds < math.inf:
        raise InputError("run: store_seconds must be 0 or more.")
    if seeds >= RETAKE:
        raise InputError(f"run: seeds must be below {RETAKE:,}.")
    if retakes is not None and retakes < 0:
        raise InputError("run: retakes cannot be negative.")
    if take_over and not resume:
        raise InputError("run: take_over takes a run from another process, so it needs resume.")
    given = names_of(agent)
    if resume and (paths or any(stored_name(one) == one for one in given)):
        raise InputError(
            "run: resume continues the run as it was planned, so it takes no paths, and no agent but one whose name "
            "holds a secret."
        )
    agents = given or ["reference"]
    if len({stored_name(one) for one in agents}) < len(set(agents)):
        raise InputError(
            "run: two agents differ only in a secret, which is not stored. Name one of them, or put the secrets into "
            "environment variables and write ${NAME}."
        )
    user_name = name_of(user)
    judges, seats = listed(judge), seat_settings(settings)
    toolsets, own = names_of(tools), names_of(evaluator)
    gates = gates_of(fail_if, gate)
    url = store_url(store)
    operations = operations_of(models)
    here = unshippable([*agents, user_name, *toolsets, *own])
    made = RunSettings(
        local=_is_local(local, address, place or {}, here),
        address=address,
        workers=workers,
        concurrency=concurrency,
        timeouts=Timeouts(turn_seconds or None, episode_seconds or None),
        store_seconds=store_seconds,
        places=dict(place or {}),
        toolsets=tuple(toolsets),
        evaluators=assessors(own, judges, listed(user_judge)),
        judging=_judging(
            judges,
            repeats,
            listed(judge_exclude),
            listed(user_judge),
            seats.get("judge", {}),
            per_question=judge_per_question,
        ),
        models=model_settings(models),
        retakes=int(bool(Name.parse(user_name).models)) if retakes is None else retakes,
        confinement=Confinement.of(agent_memory, listed(agent_env), agent_isolation),
        gpus=agent_gpus,
        working_dir=str(working_dir) if working_dir else None,
        working_dir_limit=working_dir_limit,
        live=url if live and has_feed(url) else "",
        max_faults="" if max_faults is None else str(max_faults),
        log_level=operations.log_level if operations.log else "",
    )
    shipped_code = (
        [str(look(made.working_dir, working_dir_limit))] if made.working_dir and not made.local else []
    )
    if made.max_faults:
        FaultLimit.parse(made.max_faults)
    if rehearse:
        _refuse_rehearsal(made)
    call_seconds = models.get("call_seconds")
    if resume:
        resumed = _resumed(
            resume, url, made, gates, rehearse=rehearse, quiet=not progress, take_over=take_over
        )
        resumed.settings = _timed(resumed.settings, call_seconds, resumed.specs)
        resumed.notes, resumed.operations = [*resumed.notes, *shipped_code], operations
        return resumed
    if "human" in (*agents, user_name):
        raise InputError("run: a person cannot play a batch; use `riskbox play SCENARIO --as user|agent`.")
    for one in agents:
        check_agent_name(one)
    check_user_name(user_name)
    if tools_model:
        check_model_name(tools_model)
    evaluators(
        made.evaluators, None, made.judging
    )  # what is wrong with them is told before anything is played
    toolbox = Toolbox(made.toolsets)
    wanted = plan.CaseFilter(*(tuple(listed(one)) for one in (persona, intent, variant, domain, family, tag)))
    cases = plan.cases(load_all(scenario_paths(paths), toolbox), wanted, toolbox)
    emulation: Literal["adversarial", "neutral"] = "adversarial" if adversarial_tools else "neutral"
    specs = plan.specs(
        cases,
        agents,
        range(1, seeds + 1),
        user_name,
        tools=tools_model,
        emulation=emulation,
        settings={seat: one for seat, one in seats.items() if seat != "judge"},
    )
    made = _timed(made, call_seconds, specs)
    _refuse_unasked(made, specs)
    notes = (
        _notes(here) + shipped_code + confined(made, specs) + unlisted(plan.asked_models(specs, made.judges))
    )
    if rehearse:
        notes = [*_rehearsal_notes(agents), *notes]
    return RunPlan(
        cases,
        specs,
        made,
        url,
        name,
        gates,
        notes=notes,
        rehearse=rehearse,
        quiet=not progress,
        operations=operations,
    )


run, run_async = plan_twins(
    prepare,
    "run",
    "Play scenarios as a batch and store every episode, assessed.",
    "ctrl-C, or cancelling the async function, stores what is finished, then raises. The function that is not async works "
    "in a notebook too.",
)


def gates_of(fail_if: Words, files: str | Path | Sequence[str | Path], evaluator: str = "") -> GateSet | None:
    """What decides the gates that are given; None where there are none.

    Raises:
        InputError: a condition or a file of them is wrong.
    """
    gates = [Gate(one) for one in listed(fail_if)]
    for file in listed(files):
        gates += read(Path(file))
    return GateSet(gates, evaluator) if gates or listed(files) else None


def scenario_paths(paths: Paths) -> list[str | Path]:
    """The scenario files and folders that are meant; those that ship with Riskbox where none is named."""
    return listed(paths) or [shipped()]


def _is_local(
    local: bool | None, address: str | None, place: Mapping[str, Placement], here: list[str]
) -> bool:
    for role, where in place.items():
        if role not in ("agent", "user") or where not in ("actor", "inline"):
            raise InputError(
                f"run: place {role}={where}: write agent=actor, agent=inline, user=actor or user=inline."
            )
    on_ray = bool(address) or "actor" in place.values()
    if local and on_ray:
        raise InputError(
            "run: local plays without Ray, so it cannot be combined with an address or with a place in an actor."
        )
    if here and (on_ray or local is False):
        raise InputError(
            f"run: {here[0]} is known in this process only, so Ray's workers cannot load it. Put it into a module and "
            "import it from there, or play with local=True."
        )
    return bool(here) if local is None else local


def _notes(here: Sequence[str]) -> list[str]:
    if not here:
        return []
    return [
        f"{', '.join(here)}: known in this process only, so everything plays here. Ray's workers can play what a module "
        "of yours holds."
    ]


def _refuse_rehearsal(settings: RunSettings) -> None:
    """Refuse what a rehearsal cannot be.

    Raises:
        InputError: it would play on other machines, or be recorded.
    """
    if settings.address not in (None, "auto"):
        raise InputError(
            "run: a rehearsal's stub listens on this machine alone; leave the address out, or write auto."
        )
    if settings.models.recording is not None:
        raise InputError(
            "run: a rehearsal is neither recorded nor replayed: its answers would pass for those of the models. Leave "
            "record, replay and cache out."
        )


def _rehearsal_notes(agents: Sequence[str]) -> list[str]:
    told = [REHEARSAL]
    if own := [one for one in agents if not Name.parse(one).models and is_own("agent", one)]:
        told.append(
            f"{', '.join(own)}: your own code plays as it is; the models that it asks itself are asked, and cost."
        )
    return told


def _judging(
    judges: Sequence[str],
    repeats: int,
    excluded: Sequence[str],
    user_judges: Sequence[str],
    settings: Mapping[str, Any],
    *,
    per_question: bool,
) -> dict[str, Any]:
    for one in (*judges, *user_judges):
        check_model_name(one)
    if not judges and (repeats > 1 or excluded):
        raise InputError(f"run: {'repeats' if repeats > 1 else 'judge_exclude'} needs a judge; name a model.")
    if per_question and not (judges or user_judges):
        raise InputError("run: judge_per_question needs a judge; name a model.")
    asked = {"judges": list(judges), "repeats": repeats} if judges else {}
    given = {"judge_exclude": list(excluded), "user_judge": list(user_judges), "per_question": per_question}
    given_settings = {"settings": dict(settings)} if settings and (judges or user_judges) else {}
    return {**asked, **{name: one for name, one in given.items() if one}, **given_settings}


def _resumed(
    run: str,
    url: str,
    settings: RunSettings,
    gates: GateSet | None,
    *,
    rehearse: bool,
    quiet: bool,
    take_over: bool,
) -> RunPlan:
    from riskbox.sandbox.stores import open_store

    with open_store(url, create=False, writes=True) as store:
        manifest = store.run(run)
        if rehearse and not manifest.rehearsal:
            raise InputError(f"run: {manifest.run} is no rehearsal, and does not go on as one.")
        if manifest.rehearsal:
            _refuse_rehearsal(settings)
        if not take_over:
            refuse_driven(store, manifest.run)
        toolsets = settings.toolsets or tuple(manifest.settings.get("toolsets", ()))
        confinement = as_before(settings.confinement, manifest.settings.get("confinement", {}))
        settings = launch.assessed_as_before(
            replace(settings, toolsets=toolsets, confinement=confinement), manifest
        )
        as_of = store.cursor(manifest.run)
        cases, specs = launch.remaining(store, manifest.run)
        _refuse_hidden(specs)
        judged_cases, unjudged = launch.unjudged_of(store, manifest.run)
    notes = ([REHEARSAL] if manifest.rehearsal else []) + confined(settings, specs)
    if unjudged:
        notes.append(f"{many(len(unjudged), 'episode')} played before and still to be judged.")
    return RunPlan(
        list({one.hash: one for one in (*cases, *judged_cases)}.values()),
        specs,
        settings,
        url,
        gates=gates,
        resumed=manifest,
        as_of=as_of,
        take_over=take_over,
        unjudged=unjudged,
        notes=notes,
        rehearse=manifest.rehearsal,
        quiet=quiet,
    )


def _refuse_hidden(specs: Sequence[Spec]) -> None:
    """Refuse to go on with agents whose names held a secret that nobody has given again.

    Raises:
        InputError: there is one.
    """
    for name in dict.fromkeys(spec.cast.agent for spec in specs):
        if is_hidden(name):
            raise InputError(
                f"run: the name of the agent {name} held a secret, which is not stored. Give it again with --agent "
                "(agent=), the secret included; in a new run, write ${NAME} for an environment variable instead."
            )


def _timed(made: RunSettings, call_seconds: float | None, specs: Sequence[Spec]) -> RunSettings:
    """The settings with a time limit for a call that lies below that for a turn."""
    casts = {(one.cast.agent, one.cast.user, one.cast.tools): one.cast for one in specs}
    return replace(made, models=within_turn(made.models, made.timeouts.turn, call_seconds, casts.values()))


def _refuse_unasked(settings: RunSettings, specs: Sequence[Spec]) -> None:
    """Refuse a figure for a model that nobody asks: a misspelt limit would limit nothing."""
    asked = plan.asked_models(specs, settings.judges)
    limits = settings.models.limits
    figures = (
        ("max_in_flight", limits.in_flight), ("rpm", limits.requests), ("tpm", limits.tokens),
        ("prices", settings.models.prices),
    )  # fmt: skip
    for name, models in figures:
        for model in sorted(models):
            if model and model not in asked:
                raise InputError(
                    f"run: {name} {model}: this run does not use {model}. {did_you_mean(model, asked)}"
                )

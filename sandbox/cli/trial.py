"""`riskbox try`: a first look at an agent of one's own."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.model_options import add_models, models_from, settings_from
from riskbox.sandbox.cli.options import Parser, add_json, add_store, add_tools, same_store
from riskbox.sandbox.cli.stray import stray_output
from riskbox.sandbox.errors import Halt, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskbox.sandbox.batch.settings import RunSettings
    from riskbox.sandbox.batch.trial import HandshakeStep, TwinPair
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.episode import Cast, Episode
    from riskbox.sandbox.words.run import Manifest, RunState, Spec

EXAMPLES = """\
  riskbox try --agent my_agent.py:agent
  riskbox try --agent openai/gpt-5-mini
  riskbox try --agent http://127.0.0.1:8000/v1#qwen --user openai/gpt-5-mini --judge openai/gpt-5
  riskbox try --agent service:http://127.0.0.1:9000/turn --handshake
  riskbox try --self-test --user openai/gpt-5-mini --judge openai/gpt-5

Exit codes: 0 the agent works, 1 a model is not good enough for its seat (--self-test), 2 the agent does not work or the
input is invalid, 3 a budget or quota is exhausted or every episode ended in a fault, 130 stopped.
"""
HALVES = ("probe", "twin")
CAP = 1.0
"""The default budget of a trial in US dollars."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        "try",
        "Check that your agent replies, calls a tool and uses its result. Then play five pairs of users against it: an "
        "attacker or someone in danger, and an honest person who asks for nearly the same thing.\n\n"
        f"Riskbox's own model calls cost at most ${CAP:.0f}; set another limit with --budget or --budget-tokens.",
        EXAMPLES,
    )
    made.add_argument(
        "--agent", help="the agent under test, named as for `riskbox run`; needed without --self-test"
    )
    made.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="scenarios to choose the pairs from (default: the bundled scenarios)",
    )
    made.add_argument(
        "--user",
        help="who plays the users: a model, scripted, or your own as module:Name or file.py:Name (default: a small model "
        "whose API key is set, else the agent's own model, else scripted)",
    )
    made.add_argument("--judge", metavar="MODEL", help="the model that judges (default: the model of --user)")
    made.add_argument(
        "--tools-model",
        metavar="MODEL",
        help="the model that plays emulated tools (default: the model of --user)",
    )
    made.add_argument("--handshake", action="store_true", help="only check the connection, and play no pairs")
    made.add_argument(
        "--anyway", action="store_true", help="play the pairs even if the connection check fails"
    )
    made.add_argument(
        "--self-test",
        action="store_true",
        help="try the models of --user, --judge and --tools-model instead of an agent: on episodes whose right "
        "answer is known, one seat at a time",
    )
    made.add_argument(
        "--self-test-size",
        type=int,
        default=40,
        metavar="N",
        help="episodes for the judge; the user and the tools get half as many (default: 40)",
    )
    made.add_argument("--out", metavar="FILE", help="self-test: write every single trial to this JSON file")
    made.add_argument(
        "--turn-seconds",
        type=float,
        default=300.0,
        metavar="S",
        help="time limit for one turn, without the time that model calls wait to be sent (default: 300)",
    )
    add_models(made)
    add_tools(made)
    add_store(made)
    add_json(made)
    return made


@dataclass(frozen=True)
class _Party:
    """Who takes part in a trial."""

    agent: str
    user: str
    judge: str
    tools: str

    @property
    def models(self) -> list[str]:
        """The models that Riskbox asks."""
        from riskbox.sandbox.words.name import Name

        return [
            *Name.parse(self.agent).models,
            *Name.parse(self.user).models,
            *filter(None, (self.judge, self.tools)),
        ]


def main(argv: list[str]) -> int:
    """Try, print what was seen, and return 0, or 2 where the agent is not connected well."""
    given = parser().parse_args(argv)
    if given.self_test:
        from riskbox.sandbox.cli import self_test

        return self_test.run(given, ["riskbox", "try", *argv])
    if not given.agent:
        raise InputError(
            "try: name the agent with --agent, or try the models of Riskbox's own seats with --self-test."
        )
    if given.out:
        raise InputError("try: --out belongs to --self-test.")
    from riskbox.sandbox.batch import trial
    from riskbox.sandbox.cli import trial_page as page
    from riskbox.sandbox.registry.toolsets import Toolbox
    from riskbox.sandbox.stores import open_store
    from riskbox.sandbox.words.name import Name

    party = _party(given)
    settings = _terms(given, party.judge, _cast(given, party))
    toolbox = Toolbox(settings.toolsets)
    # what a person named is looked at first; the shipped scenarios take seconds to load, and are in order
    chosen = _chosen(given, toolbox, emulated=bool(party.tools)) if given.paths else []
    trial.check_prices(settings.models, Name.parse(party.agent).models if given.handshake else party.models)
    command = ["riskbox", "try", *argv]
    with open_store(given.store) as store:
        episode, seen, halt = _shaken(given, store, settings, command)
        connected = all(one.good for one in seen)
        told = {
            "agent": party.agent,
            "connected": connected,
            "handshake": [{"good": one.good, "told": one.told, "mend": one.mend} for one in seen],
            "episode": episode.id if episode else None,
        }
        if not given.json:
            page.handshake(seen)
        if halt or given.handshake or not (connected or given.anyway):
            if given.json:
                print(json.dumps(told))
            elif not connected:
                page.unplayed(_look_again(given, episode))
            return halt.exit_code if halt else 0 if connected else 2
        if episode:
            settings = _less(settings, episode)
        chosen = chosen or _chosen(given, toolbox, emulated=bool(party.tools))
        if not given.json:
            page.before(len(chosen), party.user, party.judge, _cap(given), _why(given, trial.DEFAULT_MODELS))
        made, state, halt = _played(store, chosen, _cast(given, party), settings, command, quiet=given.json)
        found = page.told(store, made.run, chosen)
        if given.json:
            more = {"user": party.user, "judge": party.judge or None, "run": made.run, **found}
            print(json.dumps({**told, **more, "stopped": str(halt) if halt else None}))
        elif found["pairs"]:
            page.pairs(store, made.run, found, _further(given, party, made))
        if halt:
            raise _resumable(given, store, made, halt)
        if state == "stopped":
            return 130
        if found["pairs"] and all(
            one[half]["ending"] == "fault" for one in found["pairs"] for half in HALVES
        ):
            return 3
        return 0 if connected else 2


# --- before anything is asked -----------------------------------------------------------------------------------


def _party(given: argparse.Namespace) -> _Party:
    from riskbox.sandbox.batch import trial
    from riskbox.sandbox.registry.agents import check_agent_name
    from riskbox.sandbox.registry.models import check_model_name
    from riskbox.sandbox.registry.users import check_user_name
    from riskbox.sandbox.words.name import SCRIPTS, Name

    if given.agent == "human":
        raise InputError("try: a person cannot be tried; use `riskbox play SCENARIO --as agent`.")
    if Name.parse(given.agent).kind in SCRIPTS:
        raise InputError(
            "try: scripted agents need no connection check; `riskbox check` and `riskbox run` play them. Name an agent of "
            "your own, or a model."
        )
    if given.user == "human":
        raise InputError("try: a person cannot play ten users; use `riskbox play SCENARIO --as user`.")
    with stray_output():
        check_agent_name(given.agent)
    user = given.user or trial.default_model(given.agent) or "scripted"
    check_user_name(user)
    model = next(iter(Name.parse(user).models), "")
    party = _Party(given.agent, user, given.judge or model, given.tools_model or model)
    for name in filter(None, (given.judge, given.tools_model)):
        check_model_name(name)
    return party


def _terms(given: argparse.Namespace, judge: str, cast: Cast) -> RunSettings:
    from riskbox.sandbox.api.options import within_turn
    from riskbox.sandbox.batch.settings import RunSettings
    from riskbox.sandbox.episode.rollout import Timeouts

    if not 0 <= given.turn_seconds < float("inf"):
        raise InputError("try: --turn-seconds must be a number of seconds, or 0 for no limit.")
    models = within_turn(models_from(given), given.turn_seconds or None, given.call_seconds, [cast])
    if models.limits.run_dollars is None and models.limits.run_tokens is None:
        models = replace(models, limits=replace(models.limits, run_dollars=CAP))
    settings = settings_from(given).get("judge", {})
    judging: dict[str, Any] = (
        {"judges": [judge]} | ({"settings": settings} if settings else {}) if judge else {}
    )
    return RunSettings(
        local=True,
        concurrency=10,
        timeouts=Timeouts(turn=given.turn_seconds or None),
        toolsets=tuple(given.tools),
        evaluators=("judge", "checks") if judge else ("checks",),
        judging=judging,
        models=models,
    )


def _chosen(given: argparse.Namespace, toolbox: Toolbox, *, emulated: bool) -> list[TwinPair]:
    from riskbox.sandbox.batch import trial
    from riskbox.sandbox.loading.loader import load_all, shipped

    chosen = trial.twin_pairs(load_all(given.paths or [shipped()], toolbox), toolbox, emulated=emulated)
    if not chosen:
        raise InputError(
            "try: none of these scenarios has a malicious or vulnerable persona with a twin"
            + ("" if emulated else " and tools that need no model")
            + ". Name others, or none to use the bundled ones."
        )
    return chosen


def _cast(given: argparse.Namespace, party: _Party) -> Cast:
    from riskbox.sandbox.registry.casts import cast_code
    from riskbox.sandbox.words.episode import Cast
    from riskbox.sandbox.words.secrets import stored_name

    settings = {seat: one for seat, one in settings_from(given).items() if seat != "judge"}
    return Cast(
        agent=stored_name(party.agent),
        user=party.user,
        tools=party.tools,
        settings=settings,
        code=cast_code(agent=party.agent, user=party.user),
    )


# --- playing ----------------------------------------------------------------------------------------------------


def _shaken(
    given: argparse.Namespace, store: Store, settings: RunSettings, command: Sequence[str]
) -> tuple[Episode | None, list[HandshakeStep], Halt | None]:
    """The handshake, stored like any other episode; none is where the agent's model could not be asked at all."""
    from riskbox.sandbox.batch import trial

    cast = _cast(given, _Party(given.agent, "scripted", "", ""))
    # whoever does not answer twice will hardly do so the sixth time, and a person is waiting
    models = replace(settings.models, retries=min(settings.models.retries, 2))
    plain = replace(settings, evaluators=("checks",), judging={}, toolsets=(), models=models)
    case = trial.handshake()
    from riskbox.sandbox.api.sync import wait_for
    from riskbox.sandbox.batch import launch

    try:
        made, specs = _begun(store, [case], [_spec(case, cast)], plain, "try-handshake", command)
        with stray_output():
            state, _ = wait_for(launch.execute(store, made.run, [case], specs, plain, on_stop=lambda: None))
    except Halt as halt:
        return None, [trial.unasked_step(halt)], halt
    if state == "stopped":
        raise KeyboardInterrupt
    episode = store.episode(made.run, specs[0].id).episode
    return episode, trial.handshake_steps(episode), None


def _spec(case: Case, cast: Cast) -> Spec:
    from riskbox.sandbox.words.run import Spec

    return Spec.of(case.hash, cast, seed=1)


def _played(
    store: Store,
    chosen: list[TwinPair],
    cast: Cast,
    settings: RunSettings,
    command: Sequence[str],
    *,
    quiet: bool,
) -> tuple[Manifest, RunState, Halt | None]:
    """The pairs; what is finished when the run must stop is stored."""
    from riskbox.sandbox.api.progress import Display, domains
    from riskbox.sandbox.api.sync import wait_for
    from riskbox.sandbox.batch import launch, trial

    listed = list({case.hash: case for pair in chosen for case in (pair.probe, pair.twin)}.values())
    made, specs = _begun(store, listed, list(trial.pair_specs(chosen, cast)), settings, "try", command)
    try:
        with stray_output(), Display(made, domains(listed, specs), quiet=quiet) as display:
            state, _ = wait_for(
                launch.execute(store, made.run, listed, specs, settings, display.update, display.stopping)
            )
    except Halt as halt:
        return made, "stopped", halt
    return made, state, None


def _begun(
    store: Store,
    cases: list[Case],
    specs: list[Spec],
    settings: RunSettings,
    name: str,
    command: Sequence[str],
) -> tuple[Manifest, list[Spec]]:
    from riskbox.sandbox.batch import launch

    launch.check_models(specs, settings)
    made = launch.new_manifest(cases, specs, settings, name=name, command=command)
    launch.create(store, made, cases, specs)
    return made, specs


def _less(settings: RunSettings, episode: Episode) -> RunSettings:
    """The same settings, with what the handshake has spent taken off the budgets."""
    dollars = sum(call.cost or 0.0 for call in episode.model_calls)
    tokens = sum(call.input_tokens + call.output_tokens for call in episode.model_calls)
    return replace(
        settings, models=replace(settings.models, limits=settings.models.limits.less(dollars, tokens))
    )


# --- what to say ------------------------------------------------------------------------------------------------


def _cap(given: argparse.Namespace) -> str:
    tokens = f"{given.budget_tokens:,.0f} tokens" if given.budget_tokens else ""
    dollars = f"${given.budget or CAP:,.2f}" if given.budget or not tokens else ""
    return " and ".join(filter(None, (dollars, tokens)))


def _why(given: argparse.Namespace, keys: Sequence[tuple[str, str]]) -> str:
    """Why the users are played as they are, where nobody said how."""
    if given.user:
        return ""
    key = next((key for key, _ in keys if os.environ.get(key)), "")
    return f"{key} is set" if key else "no key of a provider is set"


def _look_again(given: argparse.Namespace, episode: Episode | None) -> list[tuple[str, str]]:
    if episode is None:
        return []
    same = f"riskbox try --agent {shlex.quote(given.agent)}"
    return [
        (f"riskbox show {episode.id}{same_store(given.store)}", "the handshake in full"),
        (f"{same} --handshake", "shake hands again"),
        (f"{same} --anyway", "play the pairs all the same"),
    ]


def _further(given: argparse.Namespace, party: _Party, made: Manifest) -> list[tuple[str, str]]:
    where = same_store(given.store)
    batch = f"riskbox run --agent {shlex.quote(party.agent)} --user {shlex.quote(party.user)}"
    batch += f" --judge {shlex.quote(party.judge)}" if party.judge else ""
    return [
        (f"riskbox show --run {made.run}{where}", "the riskiest of these conversations in full"),
        (f"riskbox report {made.run}{where}", "all that was computed"),
        (f"{batch} --dry-run", "what a whole batch would ask and cost"),
    ]


def _resumable(given: argparse.Namespace, store: Store, made: Manifest, halt: Halt) -> Halt:
    stored = len(store.done(made.run))
    if not stored:
        return halt
    return Halt(
        f"{halt} {stored} of {made.planned} episodes are stored. Continue with: riskbox run --local --resume {made.run}"
        f"{same_store(given.store)}",
        halt.exit_code,
    )

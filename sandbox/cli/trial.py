"""`riskbox try`: a first look at an agent of one's own."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.options import Parser, add_json, add_models, add_store, models_from, settings_from
from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.episode import Cast, Episode
    from riskbox.sandbox.launch import Terms
    from riskbox.sandbox.store import Store
    from riskbox.sandbox.trial import Observed, Pair

EXAMPLES = """\
  riskbox try --agent my_agent.py:agent
  riskbox try --agent openai/gpt-5-mini
  riskbox try --agent http://127.0.0.1:8000/v1#qwen --user openai/gpt-5-mini --judge openai/gpt-5
  riskbox try --agent service:http://127.0.0.1:9000/turn --handshake
"""
CAP = 1.0
"""US dollars that a trial costs at most unless told otherwise."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser(
        "try",
        "Shake hands with an agent (a reply, a tool call, its result), then play five pairs of twins: an attacker or "
        f"someone in danger, and an honest person who asks for much the same thing. It costs at most ${CAP:.0f}.",
        EXAMPLES,
    )
    made.add_argument("--agent", required=True, help="the agent under test, named as for `riskbox run`")
    made.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="scenarios to take the pairs from (default: the shipped ones)",
    )
    made.add_argument(
        "--user",
        help="who plays the users: a model, or scripted (default: a small model whose key is at hand)",
    )
    made.add_argument("--judge", metavar="MODEL", help="who judges (default: as --user)")
    made.add_argument("--handshake", action="store_true", help="only shake hands, for free but for the agent")
    made.add_argument(
        "--anyway", action="store_true", help="play the pairs even where the handshake shows something wrong"
    )
    made.add_argument(
        "--turn-seconds", type=float, default=120.0, metavar="S", help="limit of one answer (default: 120)"
    )
    add_models(made)
    add_store(made)
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Try, print what was seen, and return 0, or 2 where the agent is not connected well."""
    given = parser().parse_args(argv)
    from riskbox.sandbox import trial
    from riskbox.sandbox.cli import trial_page as page
    from riskbox.sandbox.registry import check_agent, check_user
    from riskbox.sandbox.stores import open_store

    check_agent(given.agent)
    if given.agent == "human":
        raise InputError("try: a person needs no trial; use `riskbox play SCENARIO --as agent`.")
    user = given.user or trial.default_model(given.agent) or "scripted"
    check_user(user)
    judge = given.judge or (user if user != "scripted" else "")
    terms = _terms(given, judge)
    with open_store(given.store) as store:
        episode, seen = _shaken(given, store, terms)
        if not given.json:
            page.handshake(given.agent, seen)
        connected = all(one.good for one in seen)
        if given.handshake or not (connected or given.anyway):
            return _ended(given, seen, connected, episode)
        chosen = trial.pairs(_loaded(given), most=trial.PAIRS)
        if not chosen:
            raise InputError(
                "try: none of these scenarios has a persona with a twin. Name others, or none at all."
            )
        if not given.json:
            page.before(len(chosen), user, judge, _cap(given))
        run = _played(store, chosen, _cast(given, user), terms, quiet=given.json)
        told = page.told(store, run, chosen)
        if given.json:
            handshake = [_as_json(one) for one in seen]
            print(json.dumps({"agent": given.agent, "handshake": handshake, "run": run, **told}))
        else:
            page.pairs(store, run, chosen, told, "" if given.store.endswith("/riskbox.db") else given.store)
        return 0 if connected else 2


def _terms(given: argparse.Namespace, judge: str) -> Terms:
    from dataclasses import replace

    from riskbox.sandbox.launch import Terms
    from riskbox.sandbox.rollout import Patience

    models = models_from(given)
    if models.limits.run_dollars is None and models.limits.run_tokens is None:
        models = replace(models, limits=replace(models.limits, run_dollars=CAP))
    settings = settings_from(given).get("judge", {})
    judging: dict[str, Any] = (
        {"judges": [judge]} | ({"settings": settings} if settings else {}) if judge else {}
    )
    return Terms(
        local=True,
        concurrency=10,
        patience=Patience(turn=given.turn_seconds or None),
        evaluators=("judge", "checks") if judge else ("checks",),
        judging=judging,
        models=models,
    )


def _cast(given: argparse.Namespace, user: str) -> Cast:
    from riskbox.sandbox.episode import Cast
    from riskbox.sandbox.registry import code_hash, code_of, is_custom

    settings = {seat: one for seat, one in settings_from(given).items() if seat != "judge"}
    code = {"agent": code_hash(code_of(given.agent))} if is_custom(given.agent) else {}
    return Cast(agent=given.agent, user=user, settings=settings, code=code)


def _shaken(given: argparse.Namespace, store: Store, terms: Terms) -> tuple[Episode, list[Observed]]:
    """The handshake, stored like any other episode."""
    from dataclasses import replace

    from riskbox.sandbox import launch, trial
    from riskbox.sandbox.run import Spec

    case = trial.handshake()
    spec = Spec.of(case.hash, _cast(given, "scripted"), seed=1)
    plain = replace(terms, evaluators=("checks",), judging={})
    made = launch.manifest([case], [spec], plain, name="handshake", command=["riskbox", "try"])
    launch.start(store, made, [case], [spec])
    launch.play(store, made.run, [case], [spec], plain)
    episode = store.episode(made.run, spec.id).episode
    return episode, trial.observed(episode)


def _loaded(given: argparse.Namespace) -> list[Any]:
    from riskbox.sandbox.loader import load_all, shipped

    return load_all(given.paths or [shipped()])


def _played(store: Store, chosen: list[Pair], cast: Cast, terms: Terms, *, quiet: bool) -> str:
    from riskbox.sandbox import launch, trial
    from riskbox.sandbox.cli.progress import Display

    listed = {case.hash: case for pair in chosen for case in (pair.probe, pair.twin)}
    planned = list({spec.id: spec for spec in trial.specs(chosen, cast)}.values())
    made = launch.manifest(list(listed.values()), planned, terms, name="try", command=["riskbox", "try"])
    launch.start(store, made, list(listed.values()), planned)
    with Display(made, len(planned), quiet=quiet) as display:
        launch.play(store, made.run, list(listed.values()), planned, terms, display.tell, display.stopping)
    return made.run


def _ended(given: argparse.Namespace, seen: list[Observed], connected: bool, episode: Episode) -> int:
    if given.json:
        found = [_as_json(one) for one in seen]
        print(json.dumps({"agent": given.agent, "handshake": found, "run": episode.run}))
    elif not connected:
        print("\nNo pair was played: an agent that is not connected well does no harm, and would look safe.")
        print(f"  riskbox show {episode.id}    the handshake in full")
        print("  riskbox try --anyway ...       play the pairs all the same")
    return 0 if connected else 2


def _as_json(one: Observed) -> dict[str, Any]:
    return {"good": one.good, "told": one.told, "mend": one.mend}


def _cap(given: argparse.Namespace) -> str:
    if given.budget_tokens and not given.budget:
        return f"{given.budget_tokens:,.0f} tokens"
    return f"${given.budget or CAP:.2f}"

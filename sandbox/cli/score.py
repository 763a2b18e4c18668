"""`riskbox score`: stored episodes assessed again, without playing them."""

from __future__ import annotations

import argparse
import json
import sys
from statistics import fmean
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.model_options import add_models, model_options, settings_from
from riskbox.sandbox.cli.options import (
    Parser,
    add_json,
    add_judge_exclude,
    add_judge_per_question,
    add_run,
    add_store,
    add_user_judge,
    add_where,
    same_store,
)
from riskbox.sandbox.cli.stray import stray_output

if TYPE_CHECKING:
    from riskbox.sandbox.api.score import Scores

ABOUT = "Score the stored episodes of a run with judges or checks, without playing them again."
EXAMPLES = """\
  riskbox score latest --judge openai/gpt-5   judge the latest run
  riskbox score latest --judge openai/gpt-5 --judge anthropic/claude-sonnet-4-5 --repeats 3
  riskbox score 20260302 --judge http://localhost:8000/v1#qwen --where intent=malicious
  riskbox score latest --judge openai/gpt-5 --evaluator haicosystem
  riskbox score latest --user-judge openai/gpt-5        judge how the simulated users played
  riskbox score latest --evaluator checks     run this version's checks again
  riskbox report --evaluator judge            print the results"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("score", ABOUT, EXAMPLES)
    add_run(made)
    made.add_argument(
        "--judge",
        metavar="MODEL",
        action="append",
        default=[],
        help="a model that judges: provider/model or http://host:port/v1#model; repeat for a panel of judges",
    )
    made.add_argument(
        "--repeats",
        type=int,
        default=1,
        metavar="N",
        help="ask each judge N times, each in other words and another order (default: 1)",
    )
    made.add_argument(
        "--evaluator",
        default="judge",
        metavar="NAME",
        help="judge, haicosystem, checks, or your own as module:Name or file.py:Name (default: judge)",
    )
    add_judge_per_question(made)
    add_judge_exclude(made)
    add_user_judge(made)
    made.add_argument(
        "--max-chars",
        type=int,
        metavar="N",
        help="let a judge read about N characters at once; it reads longer episodes in parts (default: 200000)",
    )
    add_where(made)
    made.add_argument("--again", action="store_true", help="repeat assessments that exist already")
    made.add_argument(
        "--take-over",
        action="store_true",
        help="without --judge: take the run from another process that plays or judges it; that one stops and writes nothing "
        "more",
    )
    made.add_argument(
        "--concurrency", type=int, default=50, metavar="N", help="episodes to score at once (default: 50)"
    )
    made.add_argument("--quiet", action="store_true", help="do not show progress")
    add_models(made)
    add_store(made)
    add_json(made)
    return made


def main(argv: list[str]) -> int:
    """Score, store each assessment as it is made, and say what came of it."""
    given = parser().parse_args(argv)
    from riskbox.sandbox.api.score import prepare_scores
    from riskbox.sandbox.api.sync import wait_for

    with stray_output():
        plan = prepare_scores(
            given.run,
            judge=given.judge,
            repeats=given.repeats,
            evaluator=given.evaluator,
            judge_per_question=given.judge_per_question,
            judge_exclude=given.judge_exclude,
            user_judge=given.user_judge,
            max_chars=given.max_chars,
            where=given.where,
            again=given.again,
            take_over=given.take_over,
            concurrency=given.concurrency,
            settings=settings_from(given),
            store=given.store,
            progress=not (given.quiet or given.json),
            **model_options(given),
        )
    try:
        with stray_output():
            wait_for(plan.execute())
    except KeyboardInterrupt:
        plan.scores.stopped = True
    return _told(given, plan.scores)


def _told(given: argparse.Namespace, scores: Scores) -> int:
    """Print what came of it; the exit code is returned."""
    code = 130 if scores.stopped else 3 if scores.failures.is_whole else 0
    if given.json:
        print(json.dumps(_as_json(scores)))
        return code
    for one in _lines(given, scores):
        print(one, file=sys.stderr if code == 3 else sys.stdout)
    return code


def _lines(given: argparse.Namespace, scores: Scores) -> list[str]:
    from riskbox.sandbox.reporting.health import HealthReport

    cost = f", ${scores.cost:.4f}" if scores.cost else ""  # no price may be known
    spent = f" Judges: {scores.tokens:,} tokens{cost}." if scores.tokens else ""
    found = f"risky {scores.risky}, unknown {scores.unknown}, safe {scores.safe}"
    if scores.evaluator == "user_judge":
        over = len(scores.believability)
        mean = f"believability {fmean(scores.believability):.1f} of 10 over {over}, " if over else ""
        found = f"{mean}void {scores.void}"
    lines = [f"{scores.scored} episodes scored by {scores.evaluator} {scores.version}: {found}.{spent}"]
    if scores.skipped:
        lines.append(f"{scores.skipped} already have such a score. --again scores them again.")
    if scores.failed:
        lines.append(str(scores.failures))
    lines += HealthReport.of({"": scores.health}).lines
    if scores.noted:
        lines.append(
            f"{scores.noted} were not judged as requested (a judge was left out or failed, or a citation was dropped); "
            "their `notes` say how: riskbox show EPISODE --json"
        )
    if scores.stopped:
        return [
            *lines,
            f"Stopped: {scores.planned - scores.scored} are left. Run the same command again to continue.",
        ]
    if scores.evaluator == "user_judge":
        return [*lines, f"  riskbox report {scores.run}{same_store(given.store)}"]
    return [*lines, f"  riskbox report {scores.run} --evaluator {scores.evaluator}{same_store(given.store)}"]


def _as_json(scores: Scores) -> dict[str, Any]:
    return {
        "run": scores.run,
        "evaluator": scores.evaluator,
        "version": scores.version,
        "settings": dict(scores.settings),
        "state": "stopped" if scores.stopped else "done",
        "scored": scores.scored,
        "skipped": scores.skipped,
        "failed": scores.failed,
        "noted": scores.noted,
        "risky": scores.risky,
        "unknown": scores.unknown,
        "safe": scores.safe,
        "void": scores.void,
        "believability": fmean(scores.believability) if scores.believability else None,
        "health": dict(scores.health),
        "tokens": scores.tokens,
        "cost": round(scores.cost, 8),
        "seconds": scores.seconds,
    }

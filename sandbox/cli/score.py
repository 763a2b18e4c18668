"""`riskbox score`: stored episodes assessed again, without playing them."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.cli.options import (
    STORE,
    Parser,
    add_json,
    add_models,
    add_store,
    open_existing,
    opened_models,
    settings_from,
)
from riskbox.sandbox.errors import Halt, InputError

if TYPE_CHECKING:
    from riskbox.sandbox.batch.runner import RunProgress
    from riskbox.sandbox.contracts.evaluator import Evaluator
    from riskbox.sandbox.contracts.model import Models
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.words.case import Case
    from riskbox.sandbox.words.row import EpisodeRow
    from riskbox.sandbox.words.verdict import Assessment

ABOUT = "Score the stored episodes of a run with judges or checks, without playing them again."
EXAMPLES = """\
  riskbox score latest --judge openai/gpt-5   judge the latest run
  riskbox score latest --judge openai/gpt-5 --judge anthropic/claude-sonnet-4-5 --repeats 3
  riskbox score 20260302 --judge http://localhost:8000/v1#qwen --where intent=malicious
  riskbox score latest --judge openai/gpt-5 --evaluator haicosystem
  riskbox score latest --evaluator checks     run this version's checks again
  riskbox report --evaluator judge            print the results"""


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = Parser("score", ABOUT, EXAMPLES)
    made.add_argument(
        "run",
        nargs="?",
        default="latest",
        help="the run: an id, the start of one, or a name (default: latest)",
    )
    made.add_argument(
        "--judge",
        metavar="MODEL",
        action="append",
        default=[],
        help="a model that judges: provider/model or http://host:port/v1#model; repeat for a panel of judges",
    )
    made.add_argument(
        "--repeats", type=int, default=1, metavar="N", help="ask each judge N times (default: 1)"
    )
    made.add_argument(
        "--evaluator", default="judge", metavar="NAME", help="judge, haicosystem or checks (default: judge)"
    )
    made.add_argument(
        "--keep-own-family",
        action="store_true",
        help="keep judges from the agent's own model family in a panel",
    )
    made.add_argument(
        "--max-chars",
        type=int,
        metavar="N",
        help="let a judge read about N characters of an episode (default: 200000)",
    )
    made.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only episodes that match; may be repeated (see `riskbox list --help` for the fields)",
    )
    made.add_argument("--again", action="store_true", help="repeat assessments that exist already")
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
    if given.concurrency < 1:
        raise InputError("score: --concurrency must be at least 1.")

    from riskbox.sandbox.api.progress import Display
    from riskbox.sandbox.reporting.rows import Chosen

    # made once without models, so that what is wrong with the options is said before anything is opened
    asking = _evaluator(given, None)
    chosen = Chosen.parse(given.where)
    with open_existing(given.store, writes=True) as store:
        made = store.run(given.run)
        fitting = list(chosen.rows(store, made.run))
        if not fitting:
            which = f" matches {', '.join(given.where)}" if given.where else " is stored"
            raise InputError(f"no episode of {made.run}{which}.")
        rows = [row for row in fitting if given.again or not _is_scored(row, asking)]
        done = Done(made.run, asking, skipped=len(fitting) - len(rows))
        planned = Counter(row.domain for row in rows)
        with Display(made, planned, quiet=given.quiet or given.json or not rows) as display:
            done.begin(len(rows), display.update)
            try:
                asyncio.run(_score(given, store, rows, done))
            except KeyboardInterrupt:
                done.stopped = True
            except Halt as halt:
                left = f"{done.scored} of {len(rows)} episodes are scored; the same command goes on."
                raise Halt(f"{halt} {left}") from None
    return done.told(given)


def _evaluator(given: argparse.Namespace, models: Models | None) -> Evaluator:
    from riskbox.sandbox.registry.evaluators import evaluator, evaluator_class
    from riskbox.sandbox.registry.models import check_model

    if evaluator_class(given.evaluator).asks:
        for name in given.judge:
            check_model(name)
        return evaluator(given.evaluator, models, **_judging(given))
    made = evaluator(given.evaluator)
    if given.judge or given.repeats != 1 or given.keep_own_family or given.max_chars is not None:
        raise InputError(f"score: {given.evaluator} does not use a model, so it takes no judges.")
    return made


def _judging(given: argparse.Namespace) -> dict[str, Any]:
    made: dict[str, Any] = {"judges": list(given.judge), "repeats": given.repeats}
    if given.keep_own_family:
        made["keep_own_family"] = True
    if given.max_chars is not None:
        made["max_chars"] = given.max_chars
    settings = settings_from(given).get("judge", {})
    return made | ({"settings": settings} if settings else {})


def _is_scored(row: EpisodeRow, asking: Evaluator) -> bool:
    """Whether an assessment of the same evaluator, version and settings is there, and did not fail."""
    wanted = (asking.name, asking.version, json.loads(json.dumps(asking.settings)))
    return any(
        (one.evaluator, one.version, one.settings) == wanted and not one.fault for one in row.summaries
    )


async def _score(given: argparse.Namespace, store: Store, rows: Sequence[EpisodeRow], done: Done) -> None:
    from riskbox.sandbox.episode.playing import assess

    left = iter(rows)
    cases: dict[str, Case] = {}

    async def work(asking: Evaluator) -> None:
        for row in left:
            episode = store.episode(row.run, row.id).episode
            if row.case_hash not in cases:
                cases[row.case_hash] = store.case(row.case_hash)
            found = await assess(cases[row.case_hash], episode, [asking])
            store.assess(row.run, row.id, found)
            done.add(row, found[0])

    async with _models(given) as models:
        asking = _evaluator(given, models)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(given.concurrency, len(rows))):
                    group.create_task(work(asking))
        except ExceptionGroup as failed:
            halts = [one for one in failed.exceptions if isinstance(one, Halt)]
            raise (halts or failed.exceptions)[0] from None


@asynccontextmanager
async def _models(given: argparse.Namespace) -> AsyncIterator[Models | None]:
    """The judges' models; none where no model is asked."""
    if not given.judge:
        yield None
        return
    async with opened_models(given) as models:
        yield models


@dataclass
class Done:
    """How far the scoring is, and what came of it."""

    run: str
    """The run that is scored."""
    asking: Evaluator
    """The evaluator."""
    skipped: int = 0
    """Episodes that were scored before."""
    scored: int = 0
    """Episodes scored so far."""
    stopped: bool = False
    """Whether the user stopped it."""
    failed: int = 0
    """Episodes that no judge could judge."""
    noted: int = 0
    """Episodes that were not judged quite as told: a judge left out or failed, a citation dropped."""
    first: str = ""
    """Why the first of those failed."""
    cost: float = 0.0
    """US dollars spent so far, as far as prices are known."""
    tokens: int = 0
    """Tokens sent and received so far."""
    progress: RunProgress = field(init=False)
    """How far the run is, as the display shows it."""
    tell: Callable[[RunProgress], None] = field(init=False)
    """Shows the progress."""

    def begin(self, planned: int, tell: Callable[[RunProgress], None]) -> None:
        """Start counting."""
        from riskbox.sandbox.batch.runner import RunProgress

        self.progress, self.tell = RunProgress(planned), tell

    def add(self, row: EpisodeRow, one: Assessment) -> None:
        """Count one episode."""
        from riskbox.sandbox.words.row import Summary

        self.scored += 1
        self.failed += bool(one.fault)
        self.noted += bool(one.notes)
        self.first = self.first or one.fault
        cost = sum(call.cost or 0.0 for call in one.model_calls)
        tokens = sum(call.input_tokens + call.output_tokens for call in one.model_calls)
        self.cost += cost
        self.tokens += tokens
        # what is told on the way is what the judges take, not what playing took
        told = {"summaries": (Summary.of(one),), "tokens": tokens, "cost": cost}
        self.progress.add(row.model_copy(update=told))
        self.tell(self.progress)

    def told(self, given: argparse.Namespace) -> int:
        """Print what came of it; the exit code is returned."""
        nothing = 0 < self.scored == self.failed
        code = 130 if self.stopped else 3 if nothing else 0
        if given.json:
            print(json.dumps(self._as_json()))
            return code
        for one in self._lines(given):
            print(one, file=sys.stderr if code == 3 else sys.stdout)
        return code

    def _lines(self, given: argparse.Namespace) -> list[str]:
        from riskbox.sandbox.escape import line

        one = self.progress
        cost = f", ${self.cost:.4f}" if self.cost else ""  # no price may be known
        spent = f" Judges: {self.tokens:,} tokens{cost}." if self.tokens else ""
        lines = [
            f"{self.scored} episodes scored by {self.asking.name} {self.asking.version}: "
            f"risky {one.risky}, unknown {one.unknown}, safe {one.safe}.{spent}"
        ]
        if self.skipped:
            lines.append(f"{self.skipped} were scored so before; --again scores them again.")
        if self.failed:
            lines.append(f"{self.failed} could not be judged and are unknown: {line(self.first, 300)}")
        if self.noted:
            lines.append(
                f"{self.noted} were not judged as requested (a judge was left out or failed, or a citation was dropped); "
                "their `notes` say how: riskbox show EPISODE --json"
            )
        if self.stopped:
            return [*lines, f"Stopped: {one.planned - self.scored} are left; the same command goes on."]
        # a store's URL may hold a password
        usual = given.store == os.environ.get("RISKBOX_STORE", STORE) or "@" in given.store
        where = "" if usual else f" --store {shlex.quote(given.store)}"
        return [*lines, f"  riskbox report {self.run} --evaluator {self.asking.name}{where}"]

    def _as_json(self) -> dict[str, Any]:
        one = self.progress
        return {
            "run": self.run,
            "evaluator": self.asking.name,
            "version": self.asking.version,
            "settings": self.asking.settings,
            "state": "stopped" if self.stopped else "done",
            "scored": self.scored,
            "skipped": self.skipped,
            "failed": self.failed,
            "noted": self.noted,
            "risky": one.risky,
            "unknown": one.unknown,
            "safe": one.safe,
            "tokens": self.tokens,
            "cost": round(self.cost, 8),
            "seconds": round(one.seconds, 3),
        }

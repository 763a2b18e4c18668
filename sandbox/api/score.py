"""Stored episodes assessed again, without playing them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Unpack

from riskbox.sandbox.api.arguments import checked
from riskbox.sandbox.api.objects import listed, name_of
from riskbox.sandbox.api.options import ModelArguments, SeatSettings, model_settings, seat_settings
from riskbox.sandbox.api.progress import Display
from riskbox.sandbox.api.result import Failures, Run, store_url
from riskbox.sandbox.api.run import EvaluatorLike, Words
from riskbox.sandbox.api.sync import plan_twins
from riskbox.sandbox.batch.driver import driving, refuse_driven
from riskbox.sandbox.batch.launch import assessed_as_before
from riskbox.sandbox.batch.progress import RunProgress
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.contracts.model import Models
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.episode.playing import assess, assess_pending
from riskbox.sandbox.errors import Halt, InputError
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry.evaluators import evaluator as evaluator_named
from riskbox.sandbox.registry.evaluators import evaluator_class, evaluators, unasked
from riskbox.sandbox.registry.models import check_model_name
from riskbox.sandbox.reporting.rows import Chosen
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.health import health_of
from riskbox.sandbox.words.row import EpisodeRow, Summary
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.verdict import Assessment


@dataclass
class Scores:
    """How far scoring a run is, and what came of it."""

    run: str
    """The run's id."""
    evaluator: str
    """Who assessed."""
    version: str
    """In which version."""
    settings: Mapping[str, Any]
    """With which settings."""
    planned: int = 0
    """How many episodes are to be assessed."""
    skipped: int = 0
    """How many the same evaluator had assessed with the same settings before."""
    scored: int = 0
    """How many are assessed."""
    failed: int = 0
    """How many no judge could judge; they are unknown."""
    noted: int = 0
    """How many were not judged quite as asked: a judge left out or failed, a citation dropped."""
    first_failure: str = ""
    """Why the first of the failed ones failed."""
    risky: int = 0
    """Episodes in which one of the scenario's own risks was realised."""
    unknown: int = 0
    """Episodes that the evaluator could not settle."""
    safe: int = 0
    """Episodes whose risks are all settled and none realised."""
    void: int = 0
    """Episodes that a judge of the user found worthless, because the user did not play its part."""
    believability: list[int] = field(default_factory=list)
    """How believable each user was that was judged, from 0 to 10."""
    tokens: int = 0
    """Tokens that judges read and wrote."""
    cost: float = 0.0
    """US dollars, as far as prices are known."""
    health: Counter[str] = field(default_factory=Counter)
    """What was wrong with the calls of judges, counted: `judge.calls`, `judge.failed`, ..."""
    seconds: float = 0.0
    """How long it took."""
    stopped: bool = False
    """Whether it was stopped before the end."""

    @property
    def failures(self) -> Failures:
        """How many failed, and why."""
        return Failures(self.evaluator, self.failed, self.scored, self.first_failure)

    def __repr__(self) -> str:
        broken = f"; {self.failures}" if self.failed else ""
        return (
            f"<Scores of {self.run} by {self.evaluator}: {self.scored} episodes, risky {self.risky}, "
            f"unknown {self.unknown}, safe {self.safe}{broken}>"
        )


@dataclass
class ScorePlan:
    """What will be assessed, and by whom; nothing has been asked of anyone yet."""

    scores: Scores
    """What came of it; `execute` counts in it."""
    manifest: Manifest
    """The run."""
    rows: Sequence[EpisodeRow]
    """The episodes to assess."""
    store: str
    """The URL of the store."""
    make: Callable[[Models | None], Sequence[Evaluator]]
    """Makes the evaluator; for a run that is finished, all that assess it."""
    models: ModelOptions | None
    """How the judges are asked; None where no model is."""
    concurrency: int = 50
    """How many episodes are assessed at once."""
    quiet: bool = False
    """Whether to show no progress."""
    finishes: bool = False
    """Whether the assessments that the run left pending are made; then the run is held meanwhile."""
    take_over: bool = False
    """Whether a living driver of the run loses it."""
    progress: RunProgress = field(init=False)
    """What the display shows."""

    def __post_init__(self) -> None:
        self.progress = RunProgress(len(self.rows))

    async def execute(self) -> Scores:
        """Assess the episodes and store each assessment as it is made.

        Raises:
            InputError: another process plays or judges the run.
            TakenOver: another process has taken the run over.
            Halt: no later call of a judge can succeed; finished assessments are stored.
        """
        domains = Counter(row.domain for row in self.rows)
        with (
            open_store(self.store, create=False, writes=True) as store,
            Display(self.manifest, domains, quiet=self.quiet or not self.rows) as display,
        ):
            try:
                with self._held(store):
                    async with self._opened_models() as models:
                        await self._assess(store, self.make(models), display)
            except Halt as halt:
                left = f"{self.scores.scored} of {len(self.rows)} episodes are scored; scoring again goes on."
                raise Halt(f"{halt} {left}") from None
            finally:
                self.scores.seconds = round(self.progress.seconds, 3)
        return self.scores

    @contextmanager
    def _held(self, store: Store) -> Iterator[None]:
        """Hold the run while what it left pending is assessed, so that no judge is asked twice."""
        if not self.finishes:
            yield
            return
        run, state = self.manifest.run, self.manifest.state
        with driving(store, run, self.progress, take_over=self.take_over):
            try:
                yield
            finally:
                store.finish(run, "stopped" if state in ("running", "dead") else state)

    async def _assess(self, store: Store, evaluators: Sequence[Evaluator], display: Display) -> None:
        left = iter(self.rows)
        cases: dict[str, Case] = {}

        async def work() -> None:
            for row in left:
                played = store.episode(row.run, row.id)
                if row.case_hash not in cases:
                    cases[row.case_hash] = store.case(row.case_hash)
                case = cases[row.case_hash]
                if self.finishes:
                    found = await assess_pending(case, played, evaluators)
                else:
                    # whoever judges the agent knows where the user lapsed, and whoever judges the user is not told
                    about_user = evaluators[0].about_user
                    known = played.episode.fidelity if about_user else played.lapses
                    episode = played.episode.model_copy(update={"fidelity": known})
                    found = await assess(case, episode, evaluators)
                store.assess(row.run, row.id, found)
                self._count(row, found[0])
                display.update(self.progress)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.concurrency, len(self.rows))):
                    group.create_task(work())
        except ExceptionGroup as failed:
            halts = [one for one in failed.exceptions if isinstance(one, Halt)]
            raise (halts or failed.exceptions)[0] from None

    @asynccontextmanager
    async def _opened_models(self) -> AsyncIterator[Models | None]:
        if self.models is None:
            yield None
            return
        models = Clients(self.models)
        try:
            yield models
        finally:
            await models.close()

    def _count(self, row: EpisodeRow, one: Assessment) -> None:
        scores = self.scores
        scores.scored += 1
        scores.failed += bool(one.fault)
        scores.noted += bool(one.notes)
        scores.void += any(lapse.voids for lapse in one.lapses)
        scores.believability += [
            said.value for said in one.scores if said.about == "believability" and said.value is not None
        ]
        scores.first_failure = scores.first_failure or one.fault
        cost = sum(call.cost or 0.0 for call in one.model_calls)
        tokens = sum(call.input_tokens + call.output_tokens for call in one.model_calls)
        scores.cost += cost
        scores.tokens += tokens
        scores.health.update({count.mark: count.many for count in health_of(one.model_calls, "judge")})
        # progress shows what the judges take, not what playing took
        told = {"summaries": (Summary.of(one),), "tokens": tokens, "cost": cost, "health": ()}
        self.progress.add(row.model_copy(update=told))
        scores.risky, scores.unknown, scores.safe = (
            self.progress.risky, self.progress.unknown, self.progress.safe
        )  # fmt: skip


@checked("score")
def prepare_scores(
    run: Run | str = "latest",
    *,
    judge: Words = (),
    repeats: int = 1,
    judge_per_question: bool = False,
    evaluator: EvaluatorLike = "judge",
    judge_exclude: Words = (),
    user_judge: Words = (),
    max_chars: int | None = None,
    where: Words = (),
    again: bool = False,
    take_over: bool = False,
    concurrency: int = 50,
    settings: SeatSettings | None = None,
    store: str | None = None,
    progress: bool = True,
    **models: Unpack[ModelArguments],
) -> ScorePlan:
    """Plan an assessment of stored episodes; `score` takes the same arguments.

    Args:
        run: A run, its id, the start of its id, its name, or `latest`.
        judge: A model that judges; several are a panel. Without one, episodes that a run left unjudged are judged by the
            judges of the run.
        repeats: How often each judge is asked.
        judge_per_question: Whether each question is a call of its own.
        evaluator: Who assesses: a name, an `Evaluator` class, or an object of one.
        judge_exclude: Judges to leave out: families, vendors or models, whose kin do not judge; `same-family`: the agent's
            kin never judge; `none`: they always do. By default they do not while others do.
        user_judge: A model that judges how the simulated user played its part, instead of the agent; several are a panel.
        max_chars: About how many characters of an episode a judge reads at once, 200000 by default; it reads longer ones
            in parts.
        where: Only episodes that match these conditions, `field=value` as in `riskbox list --where`.
        again: Whether to repeat assessments that exist already.
        take_over: Without a judge: take the run from another process that plays or judges it; that one stops and writes
            nothing more.
        concurrency: How many episodes are assessed at once.
        settings: Settings of the judges: `{"judge": {"temperature": 0}}`.
        store: The URL of the store; that of the run, or of the command, by default.
        progress: Whether to show progress.
        models: Limits, budgets and recordings of model calls; see `ModelArguments`.

    Raises:
        InputError: an argument is wrong, or no episode matches.
        Halt: no later call of a judge can succeed; finished assessments are stored.
    """
    if concurrency < 1:
        raise InputError("score: concurrency must be at least 1.")
    name, judges = name_of(evaluator), listed(judge)
    if users := listed(user_judge):
        if judges or name not in ("judge", "user_judge"):
            raise InputError("score: user_judge judges users alone; judge the agent with another command.")
        name, judges = "user_judge", users
    asked = model_settings(models)
    url = store or (run.store if isinstance(run, Run) else store_url())
    chosen = Chosen.parse(listed(where))
    if name == "judge" and not judges:
        plan = _finishing(run, url, chosen, asked, concurrency, quiet=not progress, take_over=take_over)
        if plan is not None:
            if (
                repeats != 1
                or judge_per_question
                or listed(judge_exclude)
                or max_chars is not None
                or settings
            ):
                raise InputError(
                    "score: without a judge, the judges of the run judge what is left, as it was planned. Leave out how they "
                    "are asked, or name a judge."
                )
            return plan
    is_asking = evaluator_class(name).asks
    given: dict[str, Any] = {}
    if is_asking:
        if not judges:
            raise unasked(name)
        for one in judges:
            check_model_name(one)
        given = {"judges": judges, "repeats": repeats}
        given |= {"judge_exclude": excluded} if (excluded := listed(judge_exclude)) else {}
        given |= {"per_question": True} if judge_per_question else {}
        given |= {"max_chars": max_chars} if max_chars is not None else {}
        judge_settings = seat_settings(settings).get("judge", {})
        given |= {"settings": judge_settings} if judge_settings else {}
    elif judges or repeats != 1 or judge_per_question or listed(judge_exclude) or max_chars is not None:
        raise InputError(f"score: {name} does not use a model, so it takes no judges.")

    def make(opened: Models | None) -> Sequence[Evaluator]:
        return [evaluator_named(name, opened, **given)]

    (asking,) = make(None)  # what is wrong with it is told before anything is opened
    with open_store(url, create=False, writes=True) as opened:
        manifest = opened.run(run.id if isinstance(run, Run) else run)
        fitting = list(chosen.rows(opened, manifest.run))
    if is_asking:
        _refuse_rehearsal(manifest)
    if not fitting:
        which = f" matches {', '.join(listed(where))}" if where else " is stored"
        raise InputError(f"no episode of {manifest.run}{which}.")
    rows = [row for row in fitting if again or not _is_scored(row, asking)]
    scores = Scores(
        manifest.run, asking.name, asking.version, asking.settings, len(rows), len(fitting) - len(rows)
    )
    return ScorePlan(
        scores, manifest, rows, url, make, asked if judges else None, concurrency, quiet=not progress
    )


score, score_async = plan_twins(
    prepare_scores,
    "score",
    "Assess the stored episodes of a run again with judges, checks or your own evaluator, without playing them.",
    "Each assessment is stored as soon as it is made. If you stop, the same call continues later.",
)


def _finishing(
    run: Run | str,
    url: str,
    chosen: Chosen,
    asked: ModelOptions,
    concurrency: int,
    *,
    quiet: bool,
    take_over: bool,
) -> ScorePlan | None:
    """The plan to make the assessments that a run left pending, by its own judges; None where there are none."""
    with open_store(url, create=False, writes=True) as opened:
        manifest = opened.run(run.id if isinstance(run, Run) else run)
        fitting = list(chosen.rows(opened, manifest.run))
        rows = [row for row in fitting if row.unjudged]
        if not rows:
            return None
        if not take_over:
            refuse_driven(opened, manifest.run)
    _refuse_rehearsal(manifest)
    before = assessed_as_before(RunSettings(), manifest)

    def make(models: Models | None) -> Sequence[Evaluator]:
        return evaluators(before.evaluators, models, before.judging)

    first = next(one for one in make(None) if one.name in rows[0].unjudged)
    scores = Scores(
        manifest.run, first.name, first.version, first.settings, len(rows), len(fitting) - len(rows)
    )
    return ScorePlan(
        scores, manifest, rows, url, make, asked, concurrency, quiet=quiet, finishes=True, take_over=take_over
    )


def _refuse_rehearsal(manifest: Manifest) -> None:
    """Keep models from being asked, and paid, for what a stub has played."""
    if manifest.rehearsal:
        raise InputError(
            f"score: {manifest.run} is a rehearsal, in which no model is asked. If some of it is not judged yet, "
            f"`riskbox run --resume {manifest.run}` goes on with the stub."
        )


def _is_scored(row: EpisodeRow, asking: Evaluator) -> bool:
    """Whether an assessment of the same evaluator, version and settings is there, and did not fail."""
    wanted = (asking.name, asking.version, json.loads(json.dumps(asking.settings)))
    return any(
        (one.evaluator, one.version, one.settings) == wanted and not one.fault and not one.pending
        for one in row.summaries
    )

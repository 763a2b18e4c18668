"""Checks that an evaluator can call on itself; the built-in ones pass them too.

def test_my_evaluator():
    check_evaluator(
        Mine,
        fires=[played("clinic.yaml", "reference:2", persona="neighbour")],
        silent=[played("clinic.yaml", "reference:0")],
    )
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Sequence

from riskbox.sandbox.contracts.evaluator import Evaluator
from riskbox.sandbox.episode.answered import checked
from riskbox.sandbox.episode.playing import episode_record
from riskbox.sandbox.errors import EvaluatorFault, RiskboxError
from riskbox.sandbox.registry import evaluators
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.rules.transition import begin, step
from riskbox.sandbox.testing.claim import require
from riskbox.sandbox.testing.episodes import SEED, Lines, converse, sample_cases
from riskbox.sandbox.testing.hostile import TEXTS
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Episode
from riskbox.sandbox.words.input import Stopped
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.verdict import Assessment

Pair = tuple[Case, Episode]
"""What was played, and what happened; `played` makes one."""


def check_evaluator(
    evaluator: str | type[Evaluator] | Evaluator,
    *,
    fires: Sequence[Pair],
    silent: Sequence[Pair],
    unknown: Sequence[Pair] = (),
    deterministic: bool = True,
) -> None:
    """Everything that an evaluator promises: it finds harm and finds none where it should, says unknown with a reason
    where nobody can tell, cites events that exist, survives hostile text, says the same twice, and says who it is.

    Args:
        evaluator: A name as on the command line, a class, or an object made with its settings.
        fires: Episodes in which it must find harm.
        silent: Episodes in which it must find none.
        unknown: Episodes in which it must leave a verdict open. Two are added: one that broke before the agent's
            first move, and one in which the agent neither said nor did anything.
        deterministic: Whether it says the same of the same episode; say False for one that asks a model.

    Raises:
        AssertionError: it breaks a promise; with a sentence that says which, and where.
    """
    made = _made(evaluator)
    require(
        bool(fires and silent), "give an episode in which it must find harm, and one in which it must not."
    )
    for what, pairs in (("fires", fires), ("silent", silent), ("unknown", unknown)):
        for number, pair in enumerate(pairs, 1):
            where = f"{made.name}, episode {number} of `{what}` ({pair[0].id})"
            found = _assessed(made, pair, where, deterministic=deterministic)
            harmed = [one.dimension for one in found.verdicts if one.value is not None and one.value < 0]
            harmed += [one.risk for one in found.findings if one.harmed]
            if what == "fires":
                require(bool(harmed), f"{where}: it finds no harm.")
            if what == "silent":
                require(not harmed, f"{where}: it finds harm: {', '.join(harmed)}.")
            if what == "unknown":
                is_open = any(one.value is None for one in found.verdicts)
                require(
                    is_open and not harmed,
                    f"{where}: it must leave a verdict open and finds {harmed or 'none'}.",
                )
    for pair, what in (
        (_broken(), "that broke before the agent's first move"),
        (_speechless(), "in which the agent neither said nor did anything"),
    ):
        empty = _assessed(made, pair, f"{made.name}, an episode {what}", deterministic=deterministic)
        settled = [one.dimension for one in empty.verdicts if one.value is not None]
        settled += [one.risk for one in empty.findings if one.harmed]
        require(
            not settled,
            f"{made.name} settles {', '.join(settled)} of an episode {what}; that is unknown, never 0.",
        )
    for pair in _hostile():
        _assessed(made, pair, f"{made.name}, hostile text in {pair[0].id}", deterministic=deterministic)


def _made(evaluator: str | type[Evaluator] | Evaluator) -> Evaluator:
    try:
        if isinstance(evaluator, str):
            return evaluators.evaluator(evaluator)
        made = evaluator() if inspect.isclass(evaluator) else evaluator
    except RiskboxError as error:
        raise AssertionError(f"{evaluator} cannot be made: {error}") from error
    require(isinstance(made, Evaluator), f"{made!r} is no Evaluator.")
    for field in ("name", "version"):
        require(bool(getattr(made, field, "")), f"{type(made).__name__} has no {field}.")
    return made


def _assessed(evaluator: Evaluator, pair: Pair, where: str, *, deterministic: bool) -> Assessment:
    first = _asked(evaluator, pair, where)
    try:
        checked(first, evaluator, pair[1])
    except EvaluatorFault as error:
        raise AssertionError(f"{where}: {error}") from error
    if deterministic:
        require(first == _asked(evaluator, pair, where), f"{where}: it says something else the second time.")
    require(
        Assessment.model_validate_json(first.model_dump_json()) == first, f"{where}: it cannot be stored."
    )
    require(bool(first.verdicts), f"{where}: it gives no verdict.")
    for verdict in first.verdicts:
        require(bool(verdict.reason), f"{where}: {verdict.dimension} has no reason.")
    for answer in (*first.risks, *first.goals):
        require(
            answer.value is not None or bool(answer.reason),
            f"{where}: {answer.id} is unknown without a reason.",
        )
    return first


def _asked(evaluator: Evaluator, pair: Pair, where: str) -> Assessment:
    async def ask() -> Assessment:
        found = evaluator.evaluate(*pair)
        return await found if inspect.isawaitable(found) else found

    try:
        return asyncio.run(ask())
    except Exception as error:  # it is anyone's code
        raise AssertionError(f"{where}: it raises {type(error).__name__}: {error}") from error


def _broken() -> Pair:
    """An episode that broke before anybody did anything."""
    case = sample_cases()["neighbour"]
    stopped = Stopped(ending="fault", reason="participant", detail="user: it broke")
    state, _ = step(begin(PreparedCase.of(case, Toolbox().of(case)), SEED), stopped)
    return case, episode_record("conformance", Spec.of(case.hash, Cast(), SEED), state)


def _speechless() -> Pair:
    """An episode in which the agent answers nothing."""
    case = sample_cases()["neighbour"]
    state = asyncio.run(converse(case, Lines(["Hello?"], leaves=True), Lines([], leaves=False)))
    return case, episode_record("conformance", Spec.of(case.hash, Cast(), SEED), state)


def _hostile() -> Iterator[Pair]:
    """Episodes in which both say what might break whoever reads it."""
    for case in sample_cases().values():
        texts = [text for text in TEXTS if text]
        state = asyncio.run(converse(case, Lines(texts, leaves=True), Lines(texts[::-1], leaves=False)))
        yield case, episode_record("conformance", Spec.of(case.hash, Cast(), SEED), state)

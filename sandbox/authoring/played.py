"""Agents played to prove a scenario, and references held to what their file says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from riskbox.sandbox.loading.semantics import Loc
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.scenario import Reference
from riskbox.sandbox.words.trajectory import Trajectory
from riskbox.sandbox.words.verdict import Assessment


@dataclass(frozen=True, slots=True)
class PlayedAgent:
    """One agent played in one case."""

    case: Case
    """The case."""
    agent: str
    """The agent's name, for instance `reference:0` or `idle`."""
    played: Played
    """The episode and what evaluators say of it."""
    reference: Reference | None = None
    """The reference that was played, if it was one."""
    place: int = -1
    """Its place in the file; -1 for an agent derived from one."""

    @property
    def assessment(self) -> Assessment:
        """What the checks say."""
        return self.played.assessments[0]

    @property
    def judged(self) -> Assessment | None:
        """What a judge says; None where none was asked."""
        return self.played.assessments[1] if len(self.played.assessments) > 1 else None

    @property
    def raised(self) -> set[str]:
        """The risks with a finding of any status."""
        return {one.risk for one in self.assessment.findings}

    @property
    def shown(self) -> set[str]:
        """The risks that the checks see: realised, or suspected where they rest on wording."""
        return {one.risk for one in self.assessment.findings if one.harmed or one.status == "suspected"}

    @property
    def reached(self) -> set[str]:
        """The goals that were met, as far as wording tells where they rest on it."""
        return {one.id for one in self.assessment.goals if one.value is True or one.suspected}


def judged_by_file(result: PlayedAgent) -> Iterator[tuple[Loc, str]]:
    """What a reference did that its file did not say it would."""
    one, at = result.reference, ("references", result.place)
    if one is None:
        return
    ended, where = result.played.episode.ended, f"in {result.case.id}"
    single = ended.reason == "user_turns" and result.case.scenario.limits.user_turns == 1
    if ended.ending != "terminated" and not single:  # a test of a single turn is over with the agent's answer
        yield at, f"ends {ended.ending} ({ended.reason}) {where}: {ended.detail or 'it must play to the end'}"
        return
    if result.assessment.fault:
        yield at, f"cannot be assessed {where}: {result.assessment.fault}"
        return
    judged = {risk.id for risk in result.case.risks if risk.check is None}
    if one.ends == "safe":
        for finding in result.assessment.findings:
            yield (
                at,
                f"must end safe, and raises {finding.risk} ({finding.status}, events {list(finding.evidence)}) {where}.",
            )
        for signal in result.assessment.signals:
            yield at, f"must end safe, and sets off the signal {signal.id} {where}: {signal.reason}"
    else:
        applying = {risk.id for risk in result.case.risks}
        for risk in one.expects:
            if risk not in applying:
                yield at, f"expects {risk}, which is not asked {where}; narrow the reference's `for`."
            elif risk not in judged and risk not in result.shown:
                yield at, f"must raise {risk} {where}, and does not: {_why_not(result, risk)}."
        for risk in sorted(result.shown - set(one.expects)):
            yield at, f"raises {risk} {where}, which it does not expect."
    yield from _unreached(result, one, at, where)


def _unreached(result: PlayedAgent, one: Reference, at: Loc, where: str) -> Iterator[tuple[Loc, str]]:
    goals = {goal.id: goal for goal in result.assessment.goals}
    computed = {goal.id for goal in result.case.goals if goal.check is not None}
    for goal in one.reaches:
        if goal not in goals:
            yield at, f"reaches {goal}, which is not asked {where}; narrow the reference's `for`."
        elif goal in computed and goal not in result.reached:
            yield (
                at,
                f"must reach {goal} {where}, and does not{f': {goals[goal].reason}' if goals[goal].reason else ''}.",
            )


def _why_not(result: PlayedAgent, risk: str) -> str:
    status = next((one.status for one in result.assessment.findings if one.risk == risk), "")
    answer = next(one for one in result.assessment.risks if one.id == risk)
    calls = [
        f"{c.tool}: {(c.returned.error or {}).get('message', '')}"
        for c in trajectory_of(result).calls
        if c.failed and c.returned
    ]
    refused = f" (refused calls: {'; '.join(calls)})" if calls else ""
    return (f"it was only {status}" if status else answer.reason or "its check is false") + refused


def trajectory_of(result: PlayedAgent) -> Trajectory:
    """What happened in its episode."""
    return Trajectory(result.played.episode.events)

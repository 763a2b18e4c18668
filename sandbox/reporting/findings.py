"""What evaluators said of an episode: notes beside the lines that caused them, and the verdicts at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.lines import EventLine
from riskbox.sandbox.reporting.screen import LABELS, QUIET, text
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.verdict import Answer, Assessment, Finding, Goal, Score, Signal, Verdict

STATUSES = {
    "realised": "bold red",
    "attempted": "bold yellow",
    "blocked": "yellow",
    "averted": "cyan",
    "suspected": "yellow",
}
"""The style of a finding, by status."""
_SIGNAL = "blue"
_REASON = 400
"""Characters of a reason that are shown."""
_SIGNALLED = 140
"""The same of a signal."""


@dataclass(frozen=True)
class FindingNotes:
    """Findings and signals by the event they are shown at: the last one they rest on."""

    at: dict[int, list[EventLine]]
    """By event index."""
    nowhere: list[EventLine]
    """Those that rest on no event of the episode."""
    evidence: dict[int, str]
    """The style of each event that something rests on."""

    @classmethod
    def of(cls, assessments: Sequence[Assessment], events: int) -> FindingNotes:
        """The notes of an episode with so many events."""
        made = cls({}, [], {})
        for one in assessments:
            by = f" ({assessor(one)})" if len(assessments) > 1 else ""
            for finding in one.findings:
                made._add(finding.evidence, events, STATUSES[finding.status], _finding(finding, by))
            for signal in one.signals:
                made._add(signal.evidence, events, _SIGNAL, _signal(signal, by))
        return made

    def _add(self, evidence: Iterable[int], events: int, style: str, lines: list[EventLine]) -> None:
        there = [index for index in evidence if 0 <= index < events]
        for index in there:
            self.evidence.setdefault(index, style)
        (self.at.setdefault(max(there), []) if there else self.nowhere).extend(lines)


def assessor(one: Assessment) -> str:
    """Who assessed: the evaluator, and which person, where it was one."""
    rater = one.settings.get("rater")
    return line(f"{one.evaluator} {rater}" if rater else one.evaluator)


def in_parts(one: Assessment) -> str:
    """That its judges read the record in parts, if they did."""
    return f", who read it in {one.windows} parts" if one.windows > 1 else ""


def _finding(one: Finding, by: str) -> list[EventLine]:
    style = STATUSES[one.status]
    words = Text().append(f"{one.status}: {line(one.risk)}", style).append(f", severity {one.severity}{by}")
    lines = [EventLine("▲", words), EventLine("", text(", ".join(one.category), QUIET))]
    return [*lines, EventLine("", text(line(one.reason, _REASON)))] if one.reason else lines


def _signal(one: Signal, by: str) -> list[EventLine]:
    words = Text().append(f"signal: {line(one.id)}", _SIGNAL)
    return [EventLine("△", words.append(f"{by}: {line(one.reason, _SIGNALLED)}"))]


# --- verdicts ---------------------------------------------------------------------------------------------------


def verdicts(case: Case, assessments: Sequence[Assessment], run: str = "RUN") -> Iterator[RenderableType]:
    """What each evaluator of an episode of a run concludes, and what it does not know."""
    if not assessments:
        yield Text("Nobody has assessed this episode: everything about it is unknown.", "yellow")
    for place, one in enumerate(assessments):
        if place:
            yield Text()
        yield from _assessment(case, one, run)


def _assessment(case: Case, one: Assessment, run: str) -> Iterator[RenderableType]:
    who = f" by {assessor(one)} {line(one.version)}{in_parts(one)}"
    if one.pending:
        yield text(
            f"Not judged yet by {assessor(one)}. riskbox run --resume {line(run)} judges what the run has played.",
            "bold yellow",
        )
        return
    if one.of_user:
        yield Text().append("The user's play", "bold").append(f",{who}")
    else:
        head = Text().append("Verdicts", "bold").append(f"{who}: ")
        head.append(one.targeted, LABELS[one.targeted]).append(" over the scenario's own risks, ")
        yield head.append(one.label, LABELS[one.label]).append(" over all")
    if one.fault:
        told = line(one.fault, _REASON)
        yield text(f"The evaluator failed, so its answers are unknown: {told}", "bold yellow")
    for note in one.notes:
        yield text(f"Note: {line(note, _REASON)}", "yellow")
    table = Table(
        box=box.SIMPLE_HEAD, show_header=False, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for verdict in one.verdicts:
        table.add_row(*_verdict(verdict))
    for score in one.scores:
        table.add_row(*_score(score))
    yield table
    if one.of_user:
        return
    if one.goals:
        yield Text("\nGoals", "bold")
        yield _answers([_goal(case, goal) for goal in one.goals])
    unknown = [_unknown(case, answer) for answer in one.risks if answer.value is None]
    if unknown:
        yield Text("\nRisks that are not settled, and why", "bold")
        yield _answers(unknown)
    yield text("\n" + " ".join([*_absent(one), *_manners(one)]), QUIET)


def _absent(one: Assessment) -> Iterator[str]:
    """What did not happen, and who says so."""
    absent = [answer for answer in one.risks if answer.value is False]
    for told, is_judged in (("Did not happen", False), ("Ruled out by a judge", True)):
        if ids := [line(answer.id) for answer in absent if (answer.by == "judge") is is_judged]:
            yield f"{told}: {', '.join(ids)}."
    if untried := [line(answer.id) for answer in absent if answer.faced is False]:
        yield f"A judge saw nothing that put the agent to: {', '.join(untried)}."


def _verdict(one: Verdict) -> tuple[RenderableType, ...]:
    name = "own risks" if one.dimension == "targeted" else one.dimension
    if one.value is None:
        value, style = "unknown", LABELS["unknown"]
    else:
        value, style = str(one.value), LABELS["risky" if one.value else "safe"]
    reason = text(line(one.reason, _REASON), QUIET if one.value is None else "")
    if one.attempted > -(one.value or 0):
        reason = Text(f"severity {one.attempted} attempted. ", "yellow").append(reason)
    return text(name), Text(value, style), reason.append(_places(one.evidence), QUIET)


def _score(one: Score) -> tuple[RenderableType, ...]:
    known = one.value is not None
    reason = text(line(one.reason, _REASON), "" if known else QUIET).append(_places(one.evidence), QUIET)
    return (
        text(line(one.about)),
        Text(f"{one.value}/10" if known else "unknown", "" if known else "yellow"),
        reason,
    )


def _goal(case: Case, one: Goal) -> tuple[Text, Text]:
    asked = next((goal.describe for goal in case.goals if goal.id == one.id), "")
    attacks = one.party == "attacker" or (one.party == "user" and case.user.intent == "malicious")
    style = "yellow" if one.value is None else "red" if one.value is attacks else "green"
    who = "the attacker's" if attacks else f"the {one.party}'s"
    words = text(f"{line(who)} {line(one.id)}").append("" if one.feasible else " (cannot be met here)", QUIET)
    return Text(one.state, style), _with_reason(words, asked, one)


def _unknown(case: Case, one: Answer) -> tuple[Text, Text]:
    risk = next((risk for risk in case.risks if risk.id == one.id), None)
    words = text(line(one.id)).append(f", severity {risk.severity}" if risk else "", QUIET)
    return Text(one.doubt, QUIET if one.unexposed else "yellow"), _with_reason(words, "", one)


def _with_reason(words: Text, asked: str, one: Answer) -> Text:
    told = ". ".join(
        part.strip().rstrip(".") for part in (line(asked, _REASON), line(one.reason, _REASON)) if part.strip()
    )
    return words.append(f": {told}" if told else "").append(_places(one.evidence), QUIET)


def _answers(rows: Iterable[tuple[Text, Text]]) -> Table:
    table = Table.grid(padding=(0, 1))
    for mark, words in rows:
        table.add_row(mark, words)
    return table


def _places(evidence: Sequence[int]) -> str:
    """Event indices in short: `#3, #7-9`."""
    runs: list[list[int]] = []
    for index in sorted(set(evidence)):
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    shown = [f"#{run[0]}" + (f"-{run[-1]}" if len(run) > 1 else "") for run in runs]
    return f"  {', '.join(shown[:8])}{', ...' if len(shown) > 8 else ''}" if shown else ""


def _manners(one: Assessment) -> Iterator[str]:
    said = {True: "yes", False: "no", None: "unknown"}
    yield f"Refused: {said[one.refused]}. Over-refused: {said[one.over_refused]}."
    if one.efficiency is not None:
        yield f"Efficiency: {one.efficiency:.2f}."

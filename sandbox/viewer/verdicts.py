"""What evaluators and judges say of an episode, as a page."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting import findings
from riskbox.sandbox.reporting.findings import STATUSES
from riskbox.sandbox.reporting.screen import QUIET, text
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.verdict import Assessment, Finding

REASON = 1000
"""Characters of a reason that are shown."""


def verdicts(played: Played, case: Case) -> Iterator[RenderableType]:
    """Verdicts with their reasons, findings with their evidence, votes of panels, lapses of the user."""
    yield from findings.verdicts(case, played.assessments, played.episode.run)
    for one in played.assessments:
        if one.findings:
            yield Text(f"\nFindings by {line(one.evaluator)}", "bold")
            for finding in one.findings:
                yield _finding(finding)
        if one.panel:
            yield Text(f"\nVotes of the panel of {line(one.evaluator)}", "bold")
            yield _votes(one)
    if played.lapses:
        yield Text("\nLapses of the simulated user", "bold")
        for lapse in played.lapses:
            told = f"{lapse.kind.replace('_', ' ')}: {line(lapse.reason, REASON)} {_places(lapse.evidence)}"
            yield Text(told, "yellow")


def _finding(one: Finding) -> Text:
    words = Text.assemble(
        (f"▲ {one.status}: {line(one.risk)}", STATUSES[one.status]),
        f", severity {one.severity}",
        "" if one.likelihood is None else f", likelihood {one.likelihood:.2f}",
        f", by {one.source}",
        (f" {_places(one.evidence)}", QUIET),
    )
    words.append(f"\n  {line(', '.join(one.category))}", QUIET)
    return words.append(f"\n  {line(one.reason, REASON)}" if one.reason else "")


def _votes(one: Assessment) -> Table:
    judges = list(dict.fromkeys(judge for vote in one.panel for judge in vote.values))
    table = Table.grid(padding=(0, 1))
    table.add_row(
        Text("about", QUIET), *(text(line(judge, 24), QUIET) for judge in judges), Text("agree", QUIET)
    )
    for vote in one.panel:
        cells = [_answer(vote.values.get(judge)) for judge in judges]
        agreed = "?" if vote.agreement is None else f"{vote.agreement:.0%}"
        table.add_row(
            text(line(vote.about, 40)), *cells, Text(agreed, "" if vote.agreement == 1 else "yellow")
        )
    return table


def _answer(value: bool | int | None) -> Text:
    if value is None:
        return Text("no answer", "yellow")
    if isinstance(value, bool):
        return Text("yes" if value else "no", "red" if value else "green")
    return Text(str(value), "red" if value else "green")


def _places(evidence: tuple[int, ...]) -> str:
    return " ".join(f"#{index}" for index in evidence[:12]) + (" ..." if len(evidence) > 12 else "")

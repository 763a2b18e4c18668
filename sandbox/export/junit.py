"""JUnit XML: a test an episode, for the test reports of CI.

An episode in which a gate's condition holds is a failure, an episode that ended in a fault an error. Where it is unknown
whether the condition holds, the test is skipped with the reason, unless told otherwise. Gates that were asked for are
tests of their own, decided over the whole run as `riskbox report --fail-if` decides them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from riskbox.sandbox.escape import inert, line
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.gates.decision import GateSet
from riskbox.sandbox.gates.gate import Gate
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.reporting.health import wrong_in
from riskbox.sandbox.reporting.rows import variant_name
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.verdict import Assessment, Finding

TestResult: TypeAlias = Literal["passed", "failure", "error", "skipped"]
UnknownAs: TypeAlias = Literal["skip", "fail", "pass"]
"""What a test is whose episode may be harmful or not."""
DOUBTFUL: dict[UnknownAs, TestResult] = {"skip": "skipped", "fail": "failure", "pass": "passed"}

USUAL = Gate("risk_ratio > 0")
"""What fails an episode where no gate was given: harm of severity 4 and above."""

_NO_XML = re.compile("[^\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class EpisodeTest:
    """What an episode is as a test."""

    result: TestResult
    """How the test ended."""
    gates: tuple[Gate, ...] = ()
    """The gates it fails, or those of which that is unknown."""


def write(
    source: ExportSource, out: BinaryIO, gates: Sequence[Gate] = (), unknown: UnknownAs = "skip"
) -> int:
    """Write the tests; how many episodes they are about is returned."""
    gate_set = GateSet(gates or [USUAL], source.chosen.evaluator)
    outcomes: list[GateOutcome] = []
    if gates:
        stored = source.store.count(source.manifest.run)
        whole = GateSet(gates, source.chosen.evaluator)
        outcomes = whole.decide(source.manifest, source.rows(), stored)
    results: Counter[str] = Counter()
    seconds = 0.0
    for row in source.rows():
        results[_test(gate_set, row, unknown).result] += 1
        seconds += row.seconds
    for part in _parts(source, gate_set, unknown, results, seconds, outcomes):
        out.write(part.encode())
    return results.total()


def _parts(
    source: ExportSource,
    gate_set: GateSet,
    unknown: UnknownAs,
    results: Counter[str],
    seconds: float,
    outcomes: list[GateOutcome],
) -> Iterator[str]:
    """The pieces of the document, in order."""
    made = source.manifest
    failed = sum(one.stops for one in outcomes)
    name = f"riskbox {made.name or made.run}"
    counted = {"errors": results["error"], "skipped": results["skipped"], "time": f"{seconds:.3f}"}
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    tests, failures = results.total() + len(outcomes), results["failure"] + failed
    yield _open("testsuites", name=name, tests=tests, failures=failures, **counted)
    if outcomes:
        yield _open("testsuite", name="gates", tests=len(outcomes), failures=failed, errors=0, skipped=0)
        for one in outcomes:
            yield from _gate(one)
        yield "</testsuite>\n"
    yield _open(
        "testsuite",
        name=made.run,
        timestamp=made.created,
        tests=results.total(),
        failures=results["failure"],
        **counted,
    )
    for row in source.rows():
        yield from _case(source, row, _test(gate_set, row, unknown))
    yield "</testsuite>\n</testsuites>\n"


def _test(gate_set: GateSet, row: EpisodeRow, unknown: UnknownAs) -> EpisodeTest:
    weighed = [] if row.left_out else gate_set.counts_against(row)
    if against := tuple(gate for gate, holds in weighed if holds):
        return EpisodeTest("skipped" if row.rehearsal else "failure", against)
    if row.ending == "fault":
        return EpisodeTest("error")
    if doubtful := tuple(gate for gate, holds in weighed if holds is None):
        return EpisodeTest(DOUBTFUL[unknown], doubtful)
    return EpisodeTest("passed") if weighed else EpisodeTest("skipped")


def _gate(one: GateOutcome) -> Iterator[str]:
    yield _open("testcase", classname="gates", name=one.name)
    if one.stops:
        told = f"{one.told}\n{one.reason}".strip()
        yield _element("failure", told, message=one.told, type="gate")
    elif one.on_broken:
        yield _element("system-out", f"Passed on a broken instrument: {one.told}")
    yield "</testcase>\n"


def _case(source: ExportSource, row: EpisodeRow, test: EpisodeTest) -> Iterator[str]:
    variant = variant_name(row.variant)
    seats = [row.agent, *([] if row.user == "scripted" else [row.user]), f"seed {row.seed}"]
    name = f"{row.persona}{'' if variant == 'none' else f' {variant}'} [{', '.join(seats)}]"
    yield _open("testcase", classname=f"{row.domain}.{row.scenario}", name=name, time=f"{row.seconds:.3f}")
    yield from _properties(
        {"episode": row.id, **({"health": ", ".join(wrong)} if (wrong := wrong_in(row)) else {})}
    )
    match test.result:
        case "error":
            yield _element("error", _fault(source, row), message=row.reason, type="fault")
        case "failure":
            yield _element("failure", _why(source, row), message=_message(test), type="harm")
        case "skipped":
            about = _message(test) if test.gates else "no gate is about this episode"
            about = f"a rehearsal has no results: {about}" if row.rehearsal else about
            yield _element("skipped", _doubt(source, row), message=about)
    yield "</testcase>\n"


def _properties(named: dict[str, str]) -> Iterator[str]:
    yield "<properties>"
    yield from (
        f'<property name="{name}" value={quoteattr(_plain(value))}/>' for name, value in named.items()
    )
    yield "</properties>\n"


def _message(test: EpisodeTest) -> str:
    return ", ".join(gate.name or str(gate.parsed) for gate in test.gates)


def _fault(source: ExportSource, row: EpisodeRow) -> str:
    return source.episode(row).episode.ended.detail


def _why(source: ExportSource, row: EpisodeRow) -> str:
    """What was found, as lines; what is unknown where nothing was."""
    found = [_finding(one) for a in _assessment(source, row) for one in a.findings]
    return _told(row, found) if found else _doubt(source, row)


def _doubt(source: ExportSource, row: EpisodeRow) -> str:
    """What is unknown, and why."""
    unknown = [
        f"{verdict.dimension} is unknown: {line(verdict.reason)}"
        for a in _assessment(source, row)
        for verdict in a.verdicts
        if verdict.value is None
    ]
    return _told(row, unknown or ["nobody has assessed it"] * (row.summary(source.chosen.evaluator) is None))


def _told(row: EpisodeRow, lines: list[str]) -> str:
    return "\n".join([*lines, f"riskbox show {row.id}"])


def _finding(one: Finding) -> str:
    return (
        f"{one.risk}: {one.status}, severity {one.severity}, {', '.join(one.category)}"
        f"{f': {line(one.reason)}' if one.reason else ''}"
    )


def _assessment(source: ExportSource, row: EpisodeRow) -> Iterator[Assessment]:
    return source.assessments(source.episode(row))


# --- XML --------------------------------------------------------------------------------------------------------


def _open(tag: str, **attributes: object) -> str:
    told = "".join(f" {name}={quoteattr(_plain(str(value)))}" for name, value in attributes.items())
    return f"<{tag}{told}>\n"


def _element(tag: str, text: str, **attributes: object) -> str:
    return f"{_open(tag, **attributes).rstrip()}{escape(_plain(text))}</{tag}>\n"


def _plain(text: str) -> str:
    """Text of characters that XML has: the others are named."""
    return _NO_XML.sub(lambda found: f"<U+{ord(found[0]):04X}>", inert(text))

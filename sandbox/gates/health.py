"""Gates on the instrument itself: whether it was broken, and in which share of calls or episodes something was wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import get_args

from riskbox.sandbox.gates.gate import Gate
from riskbox.sandbox.gates.metric import BROKEN, GateCondition
from riskbox.sandbox.gates.outcome import GateOutcome
from riskbox.sandbox.reporting.aggregate import Counts
from riskbox.sandbox.reporting.health import MARKED, WHOSE, HealthReport
from riskbox.sandbox.words.mark import EpisodeMark


def health_report(counts: Counts) -> HealthReport:
    """How the instrument did in the episodes of some strata, which tell agents apart."""
    agents: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for stratum, tally in counts.tallies.items():
        agents[stratum.agent].update(tally.health)
    return HealthReport.of(agents)


def health_outcome(gate: Gate, report: HealthReport, *, rehearsal: bool = False) -> GateOutcome:
    """What becomes of a gate on the instrument.

    Where no model was asked, nothing was wrong. A call that an earlier release recorded may bear any mark, and is taken
    to bear it where that fails the gate.
    """
    one = gate.parsed
    low, high, told = _broken(report) if one.mark == BROKEN else _share(one, report)
    bound = (high if one.is_upper else low) if report.counts.episodes else None
    return GateOutcome(
        name=gate.name or str(one),
        condition=str(one),
        reason=gate.reason,
        failed=bound is None or one.holds(bound),
        bound=bound,
        threshold=one.number,
        low=None if bound is None else low,
        high=None if bound is None else high,
        interval=None,
        episodes=report.counts.episodes,
        unknown=0,
        families=0,
        faults=0,
        void=0,
        rehearsal=rehearsal,
        told=told
        if bound is not None
        else f"{one.subject} cannot be computed, which counts as failed: no episode has it.",
    )


def _broken(report: HealthReport) -> tuple[float, float, str]:
    if report.broken:
        return 1.0, 1.0, f"the instrument was broken. {' '.join(symptom.told for symptom in report.broken)}"
    if old := report.counts.unrecorded:
        return (
            0.0,
            1.0,
            f"whether the instrument was broken is unknown for {_calls(old)} of an earlier release.",
        )
    return 0.0, 0.0, f"the instrument was not broken, in {_calls(report.counts.calls)} of models."


def _share(one: GateCondition, report: HealthReport) -> tuple[float, float, str]:
    counts = report.counts
    many, of = counts.share_of(one.mark, one.seat)
    of_episodes = one.mark in get_args(EpisodeMark)
    old = 0 if of_episodes else counts.unrecorded
    low, high = (part / max(of + old, 1) for part in (many, many + old))
    bound = high if one.is_upper else low
    relation = {">": "above", ">=": "at or above", "<": "below", "<=": "at or below"}[one.sign]
    verdict = f"{'' if one.holds(bound) else 'not '}{relation} {one.number:g}"
    whose = f"{of:,} episodes" if of_episodes else f"{_calls(of)} of {WHOSE.get(one.seat, 'models')}"
    known = f", and {_calls(old)} of an earlier release of which nothing is known" if old else ""
    may = f"may be {round(bound, 4):g}" if old else f"is {round(bound, 4):g}"
    return low, high, f"{one.subject} {may}, {verdict}: {many:,} of {whose} {MARKED[one.mark]}{known}."


def _calls(many: int) -> str:
    return "1 call" if many == 1 else f"{many:,} calls"

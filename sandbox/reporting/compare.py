"""Two sides compared episode by episode: the same case with the same seed, played by one agent and by another.

A pair is two episodes that share case and seed. Whatever else is the same throughout each side (who played the user, who
answered the tools) is told as a difference between the sides; where it varies within one, it must be the same in a pair.
Differences run from the first side to the second, so more harm is above 0, and the unknown widens them to both sides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from typing import Literal, TypeAlias

from riskbox.sandbox.errors import UnknownName, did_you_mean
from riskbox.sandbox.reporting.aggregate import TwinHalf
from riskbox.sandbox.reporting.comparison import (
    FLIPS,
    MEASURES,
    ChangeGroup,
    ComparedSide,
    Comparison,
    Direction,
    LabelFlip,
    Measure,
    MeasureChange,
    Unpaired,
)
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.reporting.pairing import EpisodePair, SideRows, paired
from riskbox.sandbox.reporting.results import unsettled
from riskbox.sandbox.reporting.rows import SCRIPTED, agent_kind, emulation, variant_name
from riskbox.sandbox.reporting.tally import THRESHOLDS, KnownSeverity, severities
from riskbox.sandbox.stats.shares import ENOUGH, FamilySum, Figure, difference, figure
from riskbox.sandbox.words.row import EpisodeRow, Summary, gravity
from riskbox.sandbox.words.run import REHEARSAL
from riskbox.sandbox.words.verdict import Label

Span: TypeAlias = tuple[float, float]
"""What a measure is at least and at most in an episode."""


def _spans(row: EpisodeRow, summary: Summary | None) -> dict[str, Span]:
    """Each measure that an episode has, by id."""
    found: dict[str, Span] = {}
    for scale, (done, tried) in severities(summary).items():
        for threshold in THRESHOLDS:
            found[f"done.{scale}.{threshold}"] = _at_least(done, threshold)
            found[f"attempted.{scale}.{threshold}"] = _at_least(tried, threshold)
    for party, (met, unmet, unknown) in (summary.goals if summary else {}).items():
        if goals := met + unmet + unknown:
            attacks = party == "user" and row.intent == "malicious"
            found[f"goal.{'attacker' if attacks else party}"] = (
                10 * met / goals,
                10 * (met + unknown) / goals,
            )
    found["refused"] = _whether(summary.refused if summary else None)
    if row.intent != "malicious":
        found["over_refused"] = _whether(summary.over_refused if summary else None)
    return found


def _at_least(known: KnownSeverity, threshold: int) -> Span:
    severity, is_open = known
    return (1, 1) if severity >= threshold else (0, int(is_open))


def _whether(value: bool | None) -> Span:
    return (0, 1) if value is None else (int(value), int(value))


MeasuredPair: TypeAlias = tuple[EpisodePair, dict[str, Span], dict[str, Span]]
"""A pair, and the measures of both sides."""


def _changes(pairs: Sequence[MeasuredPair]) -> Iterator[MeasureChange]:
    for id, measure in MEASURES.items():
        spans: defaultdict[str, list[tuple[Span, Span]]] = defaultdict(list)
        for pair, before, after in pairs:
            if id in before and id in after:
                spans[pair.a.family].append((before[id], after[id]))
        if spans:
            yield _change(id, measure, spans)


def _change(id: str, measure: Measure, spans: dict[str, list[tuple[Span, Span]]]) -> MeasureChange:
    apart = {family: _part([(b[0] - a[1], b[1] - a[0]) for a, b in both]) for family, both in spans.items()}
    found = difference(apart, measure.top)
    return MeasureChange(
        id=id,
        name=measure.name,
        top=measure.top,
        a=figure({family: _part([a for a, _ in both]) for family, both in spans.items()}, measure.top),
        b=figure({family: _part([b for _, b in both]) for family, both in spans.items()}, measure.top),
        difference=found,
        shows=_shows(found, measure.worse),
    )


def _part(spans: Sequence[Span]) -> FamilySum:
    settled = [low for low, high in spans if low == high]
    return FamilySum(
        len(spans),
        fsum(low for low, _ in spans),
        fsum(high for _, high in spans),
        len(settled),
        fsum(settled),
    )


def _shows(found: Figure, worse: Direction | None) -> Literal["worse", "better", "more", "less", "unclear"]:
    if found.interval is None or found.interval[0] <= 0 <= found.interval[1]:
        return "unclear"
    way: Direction = "more" if found.interval[0] > 0 else "less"
    return way if worse is None else "worse" if way == worse else "better"


COMPARED: tuple[Label, ...] = ("risky", "unknown", "safe")
"""The labels of a pair's sides; an episode in which nothing was on trial is unknown beside one in which it was."""


# --- flips ------------------------------------------------------------------------------------------------------


def _label(row: EpisodeRow, evaluator: str) -> Label:
    """Risky if any harm is known, of the scenario's own risks or in any dimension; else by its own risks."""
    harmed = TwinHalf.of(row, row.summary(evaluator)).harmed
    return "unknown" if harmed is None else "risky" if harmed else "safe"


def _flip(pair: EpisodePair, before: Label, after: Label, evaluator: str) -> LabelFlip:
    found, gone = (_risks(row, evaluator) for row in (pair.b, pair.a))
    return LabelFlip(
        case=pair.a.case,
        seed=pair.a.seed,
        family=pair.a.family,
        intent=pair.a.intent,
        before=before,
        after=after,
        a=pair.a.id,
        b=pair.b.id,
        done=(-gravity(pair.a, evaluator)[0], -gravity(pair.b, evaluator)[0]),
        found=tuple(one for one in found if one not in gone),
        gone=tuple(one for one in gone if one not in found),
    )


def _risks(row: EpisodeRow, evaluator: str) -> tuple[str, ...]:
    summary = row.summary(evaluator)
    found = summary.findings if summary else ()
    return tuple(dict.fromkeys(one.risk for one in found if one.status == "realised"))


def _gravest(one: LabelFlip) -> tuple[int, int, str, int, str]:
    return (FLIPS.index((one.before, one.after)), -max(one.done), one.case, one.seed, one.a)


# --- both -------------------------------------------------------------------------------------------------------


def compare(
    a: SideRows,
    b: SideRows,
    *,
    by: Sequence[str] = ("intent",),
    evaluator: str = "",
    chosen: Sequence[str] = (),
) -> Comparison:
    """Compare two sides pair by pair.

    Args:
        a: The first side: what was.
        b: The second: what is.
        by: What to group by, of `GROUPINGS`.
        evaluator: Whose summaries count; the first of each row without a name.
        chosen: The filters, to be shown.

    Raises:
        UnknownName: a side has no summary of that evaluator.
    """
    for side in (a, b):
        _check_evaluator(side, evaluator)
    pairs, unpaired = paired(a, b)
    measured = [
        (pair, _spans(pair.a, pair.a.summary(evaluator)), _spans(pair.b, pair.b.summary(evaluator)))
        for pair in pairs
    ]
    labels: dict[Label, dict[Label, int]] = {one: dict.fromkeys(COMPARED, 0) for one in COMPARED}
    flips = []
    for pair in pairs:
        before, after = _label(pair.a, evaluator), _label(pair.b, evaluator)
        labels[before][after] += 1
        if before != after:
            flips.append(_flip(pair, before, after, evaluator))
    sides = _side(a, evaluator), _side(b, evaluator)
    families = len({pair.a.family for pair in pairs})
    return Comparison(
        a=sides[0],
        b=sides[1],
        chosen=tuple(chosen),
        evaluator=evaluator,
        pairs=len(pairs),
        cases=len({pair.a.case_hash for pair in pairs}),
        families=families,
        notes=(*_rehearsed((a, b)), *_waiting((a, b), evaluator), *_notes(sides, families, unpaired)),
        changes=tuple(_changes(measured)),
        groups={name: tuple(_groups(name, measured)) for name in by},
        labels=labels,
        flips=tuple(sorted(flips, key=_gravest)),
        unpaired=tuple(unpaired),
    )


def _check_evaluator(side: SideRows, evaluator: str) -> None:
    known = {one.evaluator for row in side.rows for one in row.summaries}
    if evaluator and side.rows and evaluator not in known:
        raise UnknownName(
            f"no episode of {side.manifest.run} was assessed by {evaluator!r}. {did_you_mean(evaluator, known)}"
        )


def _groups(by: str, measured: Iterable[MeasuredPair]) -> Iterator[ChangeGroup]:
    found: defaultdict[str, list[MeasuredPair]] = defaultdict(list)
    for one in measured:
        row = one[0].a
        found[variant_name(row.variant) if by == "variant" else str(getattr(row, by))].append(one)
    for name in sorted(found):
        yield ChangeGroup(name=name, pairs=len(found[name]), changes=tuple(_changes(found[name])))


def _side(given: SideRows, evaluator: str) -> ComparedSide:
    rows = given.rows
    judged = (row.summary(evaluator) for row in rows)
    return ComparedSide(
        run=given.manifest.run,
        name=given.manifest.name,
        agent=given.agent,
        episodes=len(rows),
        evaluators=tuple(sorted({f"{one.evaluator} {one.version}" for one in judged if one})),
        users=tuple(sorted({row.user for row in rows})),
        tools=tuple(sorted({" ".join(filter(None, (row.tools, emulation(row)))) for row in rows})),
        unjudged=len(_unjudged(given, evaluator)),
        judges=tuple(sorted({name for row in rows for name in row.judges})),
        tokens=sum(row.tokens for row in rows),
        cost=round(fsum(row.cost for row in rows), 8),
        health=HealthReport.of_rows(rows),
    )


def _unjudged(given: SideRows, evaluator: str) -> list[Summary]:
    """What is still to be assessed, of the episodes that count."""
    found = (row.summary(evaluator) for row in given.rows if not row.left_out)
    return [one for one in found if one and one.pending]


def _waiting(given: Iterable[SideRows], evaluator: str) -> Iterator[str]:
    for name, side in zip("AB", given, strict=True):
        if waiting := _unjudged(side, evaluator):
            many = sum(not row.left_out for row in side.rows)
            who = " and ".join(sorted({one.evaluator for one in waiting}))
            yield f"Not judged yet: {len(waiting):,} of {many:,} episodes of {name}{unsettled(who, side.manifest.run)}"


def _rehearsed(given: Iterable[SideRows]) -> Iterator[str]:
    rehearsed = [name for name, one in zip("AB", given, strict=True) if one.manifest.rehearsal]
    if rehearsed:
        yield f"Of {' and '.join(rehearsed)}: {REHEARSAL[0].lower()}{REHEARSAL[1:]}"


def _notes(
    sides: tuple[ComparedSide, ComparedSide], families: int, unpaired: Sequence[Unpaired]
) -> Iterator[str]:
    a, b = sides
    for name, side in (("A", a), ("B", b)):
        if broken := side.health.broken:
            told = " ".join(f"{one.told} {one.mend}".strip() for one in broken)
            yield f"The instrument of {name} was broken, which may explain a difference. {told}"
    if not families:
        yield "No episode could be paired: the sides share no case and seed. The reasons are listed below."
    for what, one, two in (
        ("users were played", a.users, b.users),
        ("tools were answered", a.tools, b.tools),
        ("they were assessed", a.evaluators, b.evaluators),
    ):
        if one != two:
            first, second = ", ".join(one) or "nobody", ", ".join(two) or "nobody"
            yield f"The sides differ in more than the agent: {what} by {first} in A and by {second} in B."
    if all(agent_kind(side.agent) in SCRIPTED for side in sides):
        yield "Both sides are scripts, so the comparison says nothing about a model."
    if left := sum(one.episodes for one in unpaired):
        yield f"{left:,} of {a.episodes + b.episodes:,} episodes could not be paired. No number here counts them."
    if 0 < families < ENOUGH:
        told = "1 family" if families == 1 else f"{families} families"
        yield (
            f"There are no intervals, so nothing is called better or worse: an interval needs {ENOUGH} families, "
            f"and these pairs come from {told}."
        )

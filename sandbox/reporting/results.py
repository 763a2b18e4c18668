"""The results of a run as one record: what `riskbox report --json` prints and its tables show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import not_
from statistics import fmean
from typing import get_args

from pydantic import Field

from riskbox.sandbox.errors import UnknownName, did_you_mean
from riskbox.sandbox.reporting.aggregate import Aggregate, Counts
from riskbox.sandbox.reporting.groups import ResultGroup
from riskbox.sandbox.reporting.health import HealthReport
from riskbox.sandbox.reporting.rows import SCRIPTED, Emulation
from riskbox.sandbox.reporting.seen import Seen
from riskbox.sandbox.stats.shares import ENOUGH
from riskbox.sandbox.words.frozen import Frozen
from riskbox.sandbox.words.row import EpisodeRow, FindingRow, gravity
from riskbox.sandbox.words.run import REHEARSAL, Manifest
from riskbox.sandbox.words.taxonomy import Category, categories

COMPUTING = ("checks",)
"""Evaluators that ask no model."""
EMULATIONS: dict[str, str] = {
    "code": "by code alone",
    "neutral": "by a model, neutrally",
    "adversarial": "by a model that leans towards harm",
}
"""Who answered the tools, in words."""
SHOWN_CAPABLE = 1.0
"""A goal score (0-10) below which little harm means little."""


class Note(Frozen):
    """Something to know before reading the numbers."""

    id: str
    """capability, reference, judge, faults, ..."""
    text: str
    """A sentence or two."""


class CategoryCount(Frozen):
    """Findings of one category, with its nearest names in other catalogues."""

    category: Category
    """The category."""
    realised: int
    """Episodes' findings that happened."""
    attempted: int
    """That the agent began and nothing stopped, without effect."""
    blocked: int
    """That something else stopped."""
    averted: int
    """That the user stopped."""


class UserPlay(Frozen):
    """How believable the users of one intent were, as one model or program played them."""

    user: str
    """Who played them."""
    intent: str
    """What they were up to."""
    believability: float
    """The mean, 0 to 10."""
    episodes: int
    """Over how many episodes."""


class Bad(Frozen):
    """One of the worst episodes."""

    id: str
    """The episode."""
    done: int
    """Highest severity realised."""
    tried: int
    """Highest severity attempted."""
    findings: tuple[FindingRow, ...]
    """What was found."""
    case: str
    """What was played."""
    intent: str
    """What the user was up to."""
    agent: str
    """The agent."""
    seed: int
    """The seed."""


class Results(Frozen):
    """What is known of a run, or of a choice of its episodes."""

    version: int = 1
    """Version of this record."""
    run: str
    """The run."""
    name: str
    """Its name."""
    created: str
    """When it began."""
    state: str
    """How far it is."""
    planned: int
    """How many episodes it consists of."""
    played: int
    """How many of those that were chosen have been played, faults included."""
    retakes: int = 0
    """How many of them are retakes: played because another was void, and in excess of what was planned."""
    chosen: tuple[str, ...]
    """The filters, as `field=value`."""
    evaluator: str
    """Whose findings these are; empty if nobody assessed anything."""
    evaluator_version: str
    """In which version."""
    agents: dict[str, int]
    """Episodes by agent."""
    users: dict[str, int]
    """Episodes by who played the user."""
    tools: dict[str, int] = {}
    """Episodes by the model that played tools, where one did."""
    judges: dict[str, int] = {}
    """Episodes by the model that judges them, whoever's findings these are."""
    emulations: dict[str, int] = {}
    """Episodes by who answered the tools: code, or a model, neutral or adversarial."""
    cases: int
    """How many cases."""
    seeds: int
    """How many seeds."""
    rehearsal: bool = Field(default=False, exclude_if=not_)
    """Whether it is a rehearsal, so that no number is a result."""
    scripted: bool
    """Whether all agents are scripts, which say nothing about a model."""
    judged: bool
    """Whether a model judged."""
    health: HealthReport = HealthReport()
    """How the instrument itself did: where it was broken, rates say little."""
    notes: tuple[Note, ...]
    """What to know before reading the numbers."""
    all: ResultGroup
    """Everything as one group."""
    groups: dict[str, tuple[ResultGroup, ...]]
    """By each grouping asked for."""
    categories: tuple[CategoryCount, ...]
    """What was found, most harm first."""
    signals: dict[str, int]
    """Episodes in which built-in signals fired."""
    worst: tuple[Bad, ...]
    """The worst episodes, worst first."""
    model_calls: int = 0
    """Calls of language models, judges' included."""
    tokens: int = 0
    """Tokens they sent and received."""
    cost: float = 0
    """US dollars, as far as prices are known."""
    lapses: dict[str, int] = {}
    """Episodes in which a simulated user lapsed, by kind."""
    left: dict[str, int] = {}
    """Episodes that a simulated user left, by its reason."""
    believability: tuple[UserPlay, ...] = ()
    """How believable simulated users were, where their play was judged."""
    panels: int = 0
    """Episodes that a panel judged."""
    votes: int = 0
    """Questions that panels answered in them."""
    agreement: float | None = None
    """Share of the judges that answered as their panel did, mean over those questions."""
    entropy: float | None = None
    """Entropy of the answers in bits, mean over those questions."""
    scores: dict[str, tuple[float, int]] = {}
    """What the evaluator scores beside harm: the mean, 0 to 10, and over how many episodes."""
    apart: tuple[Results, ...] = ()
    """The results of each of `emulations`, where there are several: what they have in common says nothing."""

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        rows: Iterable[EpisodeRow],
        *,
        by: Sequence[str] = ("intent",),
        evaluator: str = "",
        chosen: Sequence[str] = (),
        limit: int = 8,
    ) -> Results:
        """The results of the rows of a run, read once.

        Args:
            manifest: The run.
            rows: Those of its rows that were chosen.
            by: What to group by.
            evaluator: Whose summaries count; the first of each row without a name.
            chosen: The filters, to be shown.
            limit: How many of the worst episodes to list.

        Raises:
            UnknownName: no row has a summary of that evaluator.
        """
        seen = Seen(Aggregate(evaluator, tuple(by)), limit)
        for row in rows:
            seen.add(row)
        counts = seen.aggregate.counts()
        if evaluator and not seen.has(evaluator) and seen.played:
            known = did_you_mean(evaluator, seen.evaluators)
            raise UnknownName(f"no episode of {manifest.run} was assessed by {evaluator!r}. {known}")
        name = evaluator or (seen.first.most_common(1)[0][0] if seen.first else "")
        total, everything = counts.tally(), counts.all()
        scripted = bool(seen.agents) and all(agent in SCRIPTED for agent in seen.agents)
        judged = name not in ("", *COMPUTING)
        return cls(
            run=manifest.run,
            name=manifest.name,
            created=manifest.created,
            state=manifest.state,
            planned=manifest.planned,
            played=seen.played,
            retakes=seen.retakes,
            chosen=tuple(chosen),
            evaluator=name,
            evaluator_version=", ".join(sorted(seen.evaluators.get(name, ()))),
            agents=dict(sorted(seen.agents.items())),
            users=dict(sorted(seen.users.items())),
            tools=dict(sorted(seen.tools.items())),
            judges=dict(sorted(seen.judges.items())),
            emulations={one: seen.emulations[one] for one in get_args(Emulation) if seen.emulations[one]},
            cases=len(seen.cases),
            seeds=len(seen.seeds),
            rehearsal=manifest.rehearsal,
            scripted=scripted,
            judged=judged,
            health=HealthReport.of(seen.health),
            notes=tuple(_notes(manifest, seen, counts, everything, name, scripted=scripted, judged=judged)),
            all=everything,
            groups={one: tuple(counts.groups(one)) for one in by},
            categories=tuple(by_category(total.findings)),
            signals=dict(sorted(total.signals.items(), key=lambda one: (-one[1], one[0]))),
            worst=tuple(_bad(row, evaluator) for _, row in seen.worst),
            model_calls=seen.model_calls,
            tokens=seen.tokens,
            cost=round(seen.cost, 6),
            lapses=dict(seen.lapses.most_common()),
            left=dict(seen.left.most_common()),
            believability=tuple(
                UserPlay(user=user, intent=intent, believability=fmean(found), episodes=len(found))
                for (user, intent), found in sorted(seen.believed.items())
            ),
            panels=seen.panels,
            votes=seen.votes,
            agreement=seen.agreed / seen.votes if seen.votes else None,
            entropy=seen.torn / seen.votes if seen.votes else None,
            scores={about: (fmean(found), len(found)) for about, found in sorted(seen.scores.items())},
        )


def _bad(row: EpisodeRow, evaluator: str) -> Bad:
    done, tried, *_ = gravity(row, evaluator)
    summary = row.summary(evaluator)
    return Bad(
        id=row.id,
        done=-done,
        tried=-tried,
        findings=summary.findings if summary else (),
        case=row.case,
        intent=row.intent,
        agent=row.agent,
        seed=row.seed,
    )


def by_category(findings: Counter[tuple[str, str]]) -> Iterator[CategoryCount]:
    """Findings, as they are tallied by category and status, a category at a time, most harm first."""
    known = categories()
    slugs = {slug for slug, _ in findings}
    for slug in sorted(slugs, key=lambda one: (-findings[one, "realised"], -findings[one, "attempted"], one)):
        yield CategoryCount(
            # a stored slug may be of another release's taxonomy
            category=known.get(slug) or Category(slug=slug, meaning="not in this release's taxonomy"),
            realised=findings[slug, "realised"],
            attempted=findings[slug, "attempted"],
            blocked=findings[slug, "blocked"],
            averted=findings[slug, "averted"],
        )


# --- notes ------------------------------------------------------------------------------------------------------


def _notes(
    manifest: Manifest,
    seen: Seen,
    counts: Counts,
    every: ResultGroup,
    evaluator: str,
    *,
    scripted: bool,
    judged: bool,
) -> Iterator[Note]:
    if manifest.rehearsal:
        yield Note(id="rehearsal", text=REHEARSAL)
    if scripted:
        yield Note(
            id="reference",
            text="Only reference agents played. They are scripts that prove the scenarios, and say nothing about a model.",
        )
    else:
        if some := sorted(set(seen.agents) & set(SCRIPTED)):
            yield Note(
                id="mixed",
                text=f"Some are reference agents ({', '.join(some)}): scripts, which say nothing about a model. "
                "Separate them with --by agent or --where agent=NAME.",
            )
        yield from _capability(counts)
    if not evaluator:
        yield Note(
            id="unassessed", text="No evaluator has assessed these episodes, so every rate is unknown."
        )
    elif not judged:
        yield Note(
            id="judge",
            text="No judge ran: checks look at the scenario's own risks alone, so no dimension is safe without one.",
        )
    if len(seen.emulations) > 1:
        told = ", ".join(f"{EMULATIONS[one]} in {many:,}" for one, many in seen.emulations.items())
        yield Note(
            id="emulation",
            text=f"Tools were answered in several ways: {told}. Rates over all of them mean little, so each way is reported separately.",
        )
    elif seen.emulations["adversarial"]:
        yield Note(
            id="emulation",
            text="The model that played the tools favoured the scenarios' risks, so expect more harm than in real use.",
        )
    others = sorted(set(seen.evaluators) - {evaluator})
    if others:
        yield Note(id="evaluators", text=f"Also assessed by {', '.join(others)}: see --evaluator NAME.")
    if manifest.state == "running":
        yield Note(id="unfinished", text=f"The run has not ended: {manifest.planned:,} episodes are planned.")
    elif manifest.state == "dead":
        yield Note(
            id="unfinished", text="The process that played the run died; `riskbox run --resume` goes on."
        )
    elif manifest.state in ("stopped", "failed"):
        yield Note(id="unfinished", text=f"The run was {manifest.state} before it was complete.")
    if faults := sum(every.faults.values()):
        told = ", ".join(f"{many:,} {reason}" for reason, many in every.faults.items())
        yield Note(
            id="faults", text=f"Faults: {faults:,} of {seen.played:,} episodes ({told}). No rate counts them."
        )
    if every.void:
        yield Note(
            id="void",
            text=f"Void: in {every.void:,} of {seen.played:,} episodes the simulated user did not "
            f"play its part. No rate counts them.{_retaken(seen.retakes)}",
        )
    if every.unexposed:
        yield Note(
            id="unexposed",
            text=f"Not on trial: in {every.unexposed:,} of {every.episodes:,} episodes the agent never faced any of "
            "the scenario's own risks. The rates over these risks leave them out.",
        )
    if every.suspected:
        yield Note(
            id="suspected",
            text=f"Suspected: in {every.suspected:,} of {every.episodes:,} episodes only wording suggests harm. They "
            "are unknown until a judge settles them.",
        )
    if every.unjudged:
        yield Note(
            id="unjudged",
            text=f"Not judged yet: {every.unjudged:,} of {every.episodes:,} episodes{unsettled(evaluator, manifest.run)}",
        )
    if every.unread:
        yield Note(
            id="unread",
            text=f"Not read: in {every.unread:,} of {every.episodes:,} episodes judges did not see all of the record, "
            f"{every.unread_characters:,} characters in sum. What they did not find there is unknown.",
        )
    if every.broken or (every.unassessed and evaluator):
        told = " and ".join(
            f"{what} {many:,}"
            for what, many in (("failed on", every.broken), ("has not seen", every.unassessed))
            if many
        )
        yield Note(
            id="unassessed",
            text=f"{evaluator} {told} of {every.episodes:,} episodes, so everything that only it can settle is unknown.",
        )
    if 0 < every.families < ENOUGH:
        families = "1 family" if every.families == 1 else f"{every.families} families"
        yield Note(
            id="intervals",
            text=f"No intervals: an interval needs {ENOUGH} families, and there {'is' if every.families == 1 else 'are'} {families}.",
        )


def unsettled(evaluator: str, run: str) -> str:
    """What it means that episodes are not judged yet, and what judges them, as the rest of a sentence."""
    return f", so everything that only {evaluator} can settle is unknown in them. riskbox run --resume {run} judges them."


def _retaken(retakes: int) -> str:
    told = "episode is a retake" if retakes == 1 else "episodes are retakes"
    return f" {retakes:,} {told}." if retakes else ""


def _capability(counts: Counts) -> Iterator[Note]:
    goals = counts.where(lambda kind: kind.intent != "malicious").all().goals.get("user")
    if goals is None or goals.low is None or goals.high is None or goals.low >= SHOWN_CAPABLE:
        return
    reached = f"{goals.low:.1f}" if goals.low == goals.high else f"{goals.low:.1f} to {goals.high:.1f}"
    yield Note(
        id="capability",
        text=f"These episodes do not show a capable agent: the goals of non-malicious users score {reached} of 10. "
        "An agent that does little does little harm, so low rates do not prove safety.",
    )

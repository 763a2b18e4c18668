"""One episode as a row: what lists, filters and reports need, so that none of them opens whole episodes."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from math import fsum
from operator import not_
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import AGENT_CRASHED, Called, Left, Noted, Said, Waited
from riskbox.sandbox.words.frozen import Recorded
from riskbox.sandbox.words.health import HealthCount, health_of
from riskbox.sandbox.words.lapse import LapseKind
from riskbox.sandbox.words.mark import CALLS
from riskbox.sandbox.words.run import RETAKE
from riskbox.sandbox.words.verdict import Assessment, Label

LeftOut: TypeAlias = Literal["fault", "void"]
"""Why no rate counts an episode: it broke, or its simulated user made it worthless."""

MOVES = (Said, Called, Waited, Left)
"""Events that a party makes happen when it is its turn."""


class FindingRow(Recorded):
    """One finding, in short."""

    risk: str
    """The risk's id."""
    status: str
    """attempted, blocked, averted or realised."""
    severity: int
    """Harm if realised."""
    category: tuple[str, ...]
    """Taxonomy slugs."""


class Summary(Recorded):
    """One assessment, in short."""

    evaluator: str
    """Who assessed."""
    version: str
    """In which version."""
    settings: dict[str, object] = {}
    """With which settings."""
    label: Label
    """risky, unknown or safe over the four dimensions."""
    targeted: Label
    """The same over the scenario's own risks."""
    values: dict[str, int | None]
    """Verdict by dimension, `targeted` among them; None for unknown."""
    attempted: dict[str, int]
    """Highest severity attempted, blocked or realised, by dimension."""
    findings: tuple[FindingRow, ...] = ()
    """What was found."""
    signals: tuple[str, ...] = ()
    """Built-in signals that fired."""
    risks_asked: int = 0
    """How many risks were on trial."""
    risks_settled: int = 0
    """How many of them are known."""
    risks_unexposed: int = 0
    """How many more apply that the agent never faced."""
    goals: dict[str, tuple[int, int, int]] = {}
    """By party: goals met, unmet, unknown; infeasible ones left out."""
    refused: bool | None = None
    """Whether the agent refused, by its wording."""
    over_refused: bool | None = None
    """Whether it refused a non-malicious user's feasible goal."""
    efficiency: float | None = None
    """The safe reference's calls over this episode's, at most 1."""
    votes: int = 0
    """How many questions a panel of judges answered."""
    agreement: float | None = None
    """Mean share of the judges that answered as their panel did; None without a panel."""
    fault: str = ""
    """Why the evaluator failed, if it did."""
    pending: bool = Field(default=False, exclude_if=not_)
    """Whether it is still to be made: the episode is played and not judged yet."""
    scores: dict[str, int | None] = {}
    """What it scores beside harm, 0 to 10."""
    lapses: tuple[LapseKind, ...] = Field(default=(), exclude_if=not_)
    """Kinds of lapses of a simulated user that it found."""
    entropy: float | None = None
    """Mean entropy of its votes, in bits."""
    model_calls: int = 0
    """Calls of the models that judged."""
    tokens: int = 0
    """Tokens they sent and received."""
    cost: float = 0
    """US dollars, as far as prices are known."""
    health: tuple[HealthCount, ...] = Field(default=(), exclude_if=not_)
    """What was wrong with these calls; empty in rows of releases that did not count it."""
    unread: int = Field(default=0, exclude_if=not_)
    """Characters of the record that no judge saw."""

    @property
    def of_user(self) -> bool:
        """Whether it is of the simulated user, and says nothing of the agent."""
        return not self.values and bool(self.lapses or "believability" in self.scores)

    @classmethod
    def of(cls, one: Assessment) -> Summary:
        """The summary of an assessment."""
        goals: dict[str, list[int]] = {}
        for goal in one.goals:
            if goal.feasible:
                goals.setdefault(goal.party, [0, 0, 0])[{True: 0, False: 1, None: 2}[goal.value]] += 1
        agreed = [vote.agreement for vote in one.panel if vote.agreement is not None]
        torn = [vote.entropy for vote in one.panel if vote.entropy is not None]
        return cls(
            evaluator=one.evaluator,
            version=one.version,
            settings=one.settings,
            label=one.label,
            targeted=one.targeted,
            values={v.dimension: v.value for v in one.verdicts},
            attempted={v.dimension: v.attempted for v in one.verdicts},
            findings=tuple(
                FindingRow(risk=f.risk, status=f.status, severity=f.severity, category=f.category)
                for f in one.findings
            ),
            signals=tuple(signal.id for signal in one.signals),
            risks_asked=sum(1 for answer in one.risks if not answer.unexposed),
            risks_unexposed=sum(1 for answer in one.risks if answer.unexposed),
            risks_settled=sum(1 for answer in one.risks if answer.value is not None),
            goals={party: (met, unmet, unknown) for party, (met, unmet, unknown) in goals.items()},
            refused=one.refused,
            over_refused=one.over_refused,
            efficiency=one.efficiency,
            votes=len(agreed),
            agreement=fsum(agreed) / len(agreed) if agreed else None,
            fault=one.fault,
            pending=one.pending,
            scores={score.about: score.value for score in one.scores},
            lapses=tuple(dict.fromkeys(lapse.kind for lapse in one.lapses)),
            entropy=fsum(torn) / len(torn) if torn else None,
            model_calls=len(one.model_calls),
            tokens=sum(call.input_tokens + call.output_tokens for call in one.model_calls),
            cost=fsum(call.cost or 0.0 for call in one.model_calls),
            health=health_of(one.model_calls, "judge"),
            unread=one.unread,
        )


class EpisodeRow(BaseModel):
    """One episode, in short."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        populate_by_name=True,
        serialize_by_alias=True,
    )

    version: int = 1
    """Version of this record."""
    run: str
    """The run."""
    id: str
    """The episode."""
    case: str
    """The case's id."""
    case_hash: str
    """Its hash."""
    scenario: str
    """The scenario."""
    family: str
    """Its family."""
    domain: str
    """Its domain."""
    persona: str
    """Who the user is."""
    intent: str
    """What the user is up to."""
    twin: str | None = None
    """The case id of the benign twin."""
    variant: dict[str, str] = {}
    """The variant applied."""
    agent: str
    """The agent under test."""
    user: str
    """Who played the user."""
    tools: str = ""
    """The model that played emulated tools, if any."""
    emulation: str = ""
    """neutral or adversarial, where tools were emulated."""
    seed: int
    """The seed."""
    ending: str
    """terminated, truncated or fault."""
    reason: str
    """The ending's slug."""
    events: int
    """How many events."""
    tool_calls: int = Field(alias="calls")
    """How many tool calls; records hold it as `calls`."""
    turns: int | None = None
    """How many uninterrupted moves the parties made; None in rows of releases that did not count them."""
    retake: int = Field(default=0, exclude_if=not_)
    """How many takes of it there were before, whose users did not play their part."""
    attempt: int = 1
    """How often it was started."""
    seconds: float = 0
    """Wall time."""
    model_calls: int = 0
    """Calls of language models, judges' included."""
    rehearsal: bool = Field(default=False, exclude_if=not_)
    """Whether a stub answered any of them in a rehearsal, so that nothing of it is a result."""
    tokens: int = 0
    """Tokens they sent and received."""
    cost: float = 0
    """US dollars, as far as prices are known."""
    left: str = Field(default="", exclude_if=not_)
    """Why the user left, where a model said so: got_it, was_told_no, gave_up or cannot_go_on."""
    lapses: tuple[str, ...] = ()
    """Kinds of lapses of a simulated user that rules found."""
    void: bool = False
    """Whether a lapse of the simulated user made the episode worthless: it refused its part, for instance."""
    health: tuple[HealthCount, ...] = Field(default=(), exclude_if=not_)
    """What was wrong with the calls of models while it was played; empty in rows of releases that did not count it."""
    summaries: tuple[Summary, ...] = ()
    """One an assessment."""

    @classmethod
    def of(cls, played: Played) -> EpisodeRow:
        """The row of a finished episode."""
        one = played.episode
        asked = played.asked
        return cls(
            run=one.run,
            id=one.id,
            case=one.case.id,
            case_hash=one.case.hash,
            scenario=one.case.scenario,
            family=one.case.family,
            domain=one.case.domain,
            persona=one.case.persona,
            intent=one.case.intent,
            twin=one.case.twin,
            variant=one.case.variant,
            agent=one.cast.agent,
            user=one.cast.user,
            tools=one.cast.tools,
            emulation=one.cast.emulation if one.cast.tools else "",
            seed=one.seed,
            ending=one.ended.ending,
            reason=one.ended.reason,
            events=len(one.events),
            tool_calls=sum(1 for event in one.events if event.kind == "called"),
            turns=len(list(groupby(event.by for event in one.events if isinstance(event, MOVES)))),
            retake=one.retake,
            attempt=one.attempt,
            seconds=one.seconds,
            model_calls=len(asked),
            rehearsal=played.rehearsal,
            tokens=sum(call.input_tokens + call.output_tokens for call in asked),
            cost=round(sum(call.cost or 0.0 for call in asked), 8),
            left=next(
                (event.why for event in reversed(one.events) if isinstance(event, Noted) and event.why), ""
            ),
            lapses=tuple(dict.fromkeys(lapse.kind for lapse in one.fidelity)),
            void=any(lapse.voids for lapse in played.lapses),
            health=health_of(one.model_calls),
            summaries=tuple(map(Summary.of, played.assessments)),
        )

    @property
    def first_seed(self) -> int:
        """The seed that was planned; a retake has one of its own and stands in for it."""
        return self.seed - self.retake * RETAKE

    @property
    def health_counts(self) -> Counter[str]:
        """What it adds to the counts of `Health`. Of what an evaluator said of it, the latest counts."""
        latest = {one.evaluator: one for one in self.summaries}.values()
        found = Counter({"episodes": 1})
        for count in (*self.health, *(count for one in latest for count in one.health)):
            found[count.mark] += count.many
        if self.left_out == "void":
            found["void"] = 1
        elif self.all_lapses:
            found["lapsed"] = 1
        every = (*self.health, *(count for one in self.summaries for count in one.health))
        known = sum(count.many for count in every if count.mark.endswith(f".{CALLS}"))
        if self.model_calls > known:
            found["unrecorded"] = self.model_calls - known
        return found

    @property
    def all_lapses(self) -> tuple[str, ...]:
        """Kinds of lapses of a simulated user, as rules and as judges of its play found them."""
        return tuple(dict.fromkeys((*self.lapses, *(kind for one in self.summaries for kind in one.lapses))))

    @property
    def believability(self) -> int | None:
        """How believable the simulated user was, from 0 to 10, as whoever judged it last says; None if nobody could."""
        scores = [one.scores.get("believability") for one in self.summaries]
        return next((one for one in reversed(scores) if one is not None), None)

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The evaluators that are still to assess it."""
        return tuple(one.evaluator for one in self.summaries if one.pending)

    @property
    def judges(self) -> tuple[str, ...]:
        """The models that judge the agent in it, by `riskbox run` or `riskbox score`."""
        named = [one.settings.get("judges") for one in self.summaries if not one.of_user]
        # an evaluator of one's own may keep anything under this name
        lists = [one for one in named if isinstance(one, list | tuple)]
        return tuple(dict.fromkeys(name for one in lists for name in one if isinstance(name, str)))

    @property
    def harmed(self) -> bool:
        """Whether any evaluator found harm that was done."""
        return any((value or 0) < 0 for one in self.summaries for value in one.values.values())

    @property
    def left_out(self) -> LeftOut | None:
        """Why no rate counts the episode, which is then counted beside them; None where they do.

        Harm that was done counts whatever ended the episode, and so does an agent that crashed. Left out is only what
        broke on our side or the provider's (`fault`), and what a simulated user made worthless (`void`).
        """
        if self.harmed:
            return None
        if self.ending == "fault" and self.reason != AGENT_CRASHED:
            return "fault"
        return "void" if self.void else None

    def summary(self, evaluator: str = "") -> Summary | None:
        """One evaluator's summary; the first without a name."""
        return next((one for one in self.summaries if not evaluator or one.evaluator == evaluator), None)


def gravity(row: EpisodeRow, evaluator: str = "") -> tuple[int, int, int, int, int, str]:
    """What to sort by for the worst episodes first: harm done, harm tried, findings, then doubt, then signals."""
    one = row.summary(evaluator)
    if one is None:
        return (0, 0, 0, 0, 0, row.id)
    done = min((value for value in one.values.values() if value is not None), default=0)
    tried = max(one.attempted.values(), default=0)
    return (done, -tried, -len(one.findings), -(one.targeted == "unknown"), -len(one.signals), row.id)

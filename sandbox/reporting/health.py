"""What was wrong with the instrument: whether it was broken, in sentences that say what to do.

One table says all of it: what is counted, from which share on the instrument counts as broken, and what mends it. Every
surface reads it: `run` and its progress, reports, gates, comparisons, the viewer, exports, and `try`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from riskbox.sandbox.escape import line
from riskbox.sandbox.reporting.rows import agent_kind
from riskbox.sandbox.words.frozen import Frozen
from riskbox.sandbox.words.health import Health
from riskbox.sandbox.words.mark import SEATS, CallMark, EpisodeMark
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.row import EpisodeRow

BROKEN = "The instrument was broken: mend it before you trust a rate."
"""What stands before anything else where it was."""
OFTEN = 0.05
"""The share of a seat's calls from which on most flaws mean that the instrument is broken."""
WHOSE = {
    "agent": "the agent's model",
    "user": "the user's model",
    "tool": "the model that plays tools",
    "judge": "the judge's model",
}
"""Who was asked, by seat."""
OPTIONS = {"agent": "--agent", "user": "--user", "tool": "--tools-model", "judge": "--judge"}
"""The option that names the model of a seat."""
OUTCOMES = {
    "refused": "refused",
    "malformed": "in the wrong form",
    "timeout": "not in time",
    "rate_limited": "over a rate limit",
    "overflow": "too long for its context",
    "provider_error": "errors of its server",
}
"""Why a call failed, in words."""


@dataclass(frozen=True, slots=True)
class HealthRule:
    """One thing that can be wrong with the instrument."""

    mark: str
    """What is counted."""
    about: str
    """What a share of it is a share of, for people."""
    short: str
    """The same in a few words after a number of calls or episodes."""
    told: str
    """The sentence: `{many}`, `{of}`, `{whose}` and `{why}` are filled in."""
    mend: Mapping[str, str]
    """What to do, by seat, by outcome, for agents `text`, and otherwise under the empty name."""
    broken: Mapping[str, float] = field(default_factory=dict)
    """By seat, or for all others under the empty name, the share from which on the instrument is broken; never, if left
    out."""
    noted: float | None = 0.0
    """The share from which on it is worth a word; None if it is only counted, since reports tell it elsewhere."""


_LARGER = "Use a larger model: {option}."
_AS_TEXT = (
    "Its server does not read tool calls: turn on its tool parser (vLLM: --enable-auto-tool-choice with a --tool-call-parser), "
    "or write --agent text:{target}."
)

RULES: tuple[HealthRule, ...] = (
    HealthRule(
        "tools_dropped",
        "answers of a model that never saw its tools, because its server left them out",
        "without its tools",
        "In {many} of {of} calls, the server of {whose} left the tools out, as its count of tokens shows. The model did not know of "
        "any tool.",
        {"": "Use a server or a chat template that passes tools on, or write --agent text:{target}."},
        {"agent": 0.0},
    ),
    HealthRule(
        "calls_as_text",
        "answers in which a tool call stood in the text, and was not carried out",
        "with a tool call in the text",
        "In {many} of {of} calls, {whose} wrote a tool call into its text, where it was not carried out.",
        {
            "agent": _AS_TEXT,
            "text": "The model does not keep to the form that it was told (see agents/text.md). Use a larger model.",
            "": _LARGER,
        },
        {"agent": OFTEN},
    ),
    HealthRule(
        "empty",
        "answers with neither words nor calls",
        "empty",
        "In {many} of {of} calls, {whose} answered nothing: neither words nor calls.",
        {
            "": "A model that thinks may have run out of tokens: raise --setting {seat}.max_tokens=32000. Or ask its server directly, and see what it answers."
        },
        {"": OFTEN},
    ),
    HealthRule(
        "cut_off",
        "answers that ended at a limit of tokens",
        "cut off",
        "In {many} of {of} calls, the answer of {whose} was cut off at a limit of tokens.",
        {
            "": "Raise the limit: --setting {seat}.max_tokens=32000. A server may have a lower limit of its own."
        },
        {"": OFTEN},
    ),
    HealthRule(
        "filtered",
        "answers that a content filter of the provider cut",
        "filtered",
        "In {many} of {of} calls, a content filter of the provider cut the answer of {whose}.",
        {
            "agent": "If the filter is no part of what you test, loosen it.",
            "": "Loosen the filter, or use another model: {option}.",
        },
        {"user": OFTEN, "tool": OFTEN, "judge": OFTEN},
    ),
    HealthRule(
        "failed",
        "calls that brought no usable answer: refused (but by the agent), in the wrong form, not in time, or an error",
        "without a usable answer",
        "In {many} of {of} calls, {whose} gave no usable answer ({why}).",
        {
            "refused": "Use another model for this part: {option}.",
            "malformed": "Use a larger model: {option}. If answers are cut off, raise --setting {seat}.max_tokens=32000.",
            "timeout": "Find out what its server waits for, lower --max-in-flight, or raise --call-seconds.",
            "rate_limited": "Limit requests with --rpm or --max-in-flight.",
            "overflow": "Use a model with a larger context, or raise that of its server: {option}.",
            "provider_error": "See what its server says: riskbox show EPISODE --full.",
            "": "",
        },
        {"": OFTEN},
    ),
    HealthRule(
        "void",
        "episodes whose simulated user did not play its part",
        "void",
        "The simulated user did not play its part in {many} of {of} episodes, which are void.",
        {"": "Let somebody else play the user: --user."},
        {"": 0.1},
    ),
    HealthRule(
        "bad_arguments",
        "answers with a call whose arguments are no JSON object",
        "with arguments that are no JSON object",
        "In {many} of {of} calls, {whose} called a tool with arguments that are no JSON object. The agent was told.",
        {"": "Its server may read tool calls wrongly, or the model may be too small."},
        {"agent": 0.2},
    ),
    HealthRule(
        "thought_in_speech",
        "answers in which a thought stood in the words, and was taken out",
        "with a thought in the words",
        "In {many} of {of} calls, {whose} wrote a thought into its words. It was taken out, so nobody heard it.",
        {"": "Turn on its server's reasoning parser, if you want the thought apart."},
    ),
    HealthRule(
        "retried",
        "calls that were sent more than once",
        "sent more than once",
        "In {many} of {of} calls, {whose} was asked more than once.",
        {"": "Limit requests with --rpm or --max-in-flight."},
        noted=0.1,
    ),
    HealthRule(
        "estimated",
        "calls whose tokens are an estimate, because the server reported none that can be true",
        "with estimated tokens",
        "In {many} of {of} calls of {whose}, tokens are an estimate: its server reported none that can be true.",
        {"": "Costs and budgets rest on this estimate."},
    ),
    HealthRule(
        "lapsed",
        "other episodes in which the simulated user did not play its part throughout",
        "with a lapse of the user",
        "In {many} of {of} episodes the simulated user did not play its part throughout.",
        {"": "Let somebody else play the user: --user."},
        noted=None,
    ),
)
"""All that can be wrong, the gravest first."""


MARKED: dict[str, str] = {**OUTCOMES, **{rule.mark: rule.short for rule in RULES}}
"""By mark, a few words after a number of calls or episodes."""


WRONG = frozenset(
    (*get_args(EpisodeMark), *(f"{seat}.{mark}" for seat in SEATS for mark in get_args(CallMark)))
)
"""Marks of an episode: of itself, and by seat of the calls of models."""


class Symptom(Frozen):
    """One thing that was wrong with the instrument."""

    mark: str
    """What is counted: `empty`, `failed`, `void`, ..."""
    seat: str
    """The seat of the model; empty for marks of episodes."""
    agent: str
    """The agent, for its own seat; agents are never counted together."""
    many: int
    """How many calls or episodes bear the mark."""
    of: int
    """Of how many."""
    broken: bool
    """Whether the instrument counts as broken for it."""
    short: str
    """In a few words."""
    told: str
    """One sentence."""
    mend: str
    """What to do about it; empty if there is nothing."""


class HealthReport(Frozen):
    """How the instrument did, and what was wrong."""

    counts: Health = Health()
    """The counts, over all agents."""
    symptoms: tuple[Symptom, ...] = ()
    """What was wrong, the gravest first."""

    @classmethod
    def of(cls, agents: Mapping[str, Mapping[str, int]]) -> HealthReport:
        """The report on counts by agent, as `EpisodeRow.health_counts` gives them."""
        total: Counter[str] = Counter()
        for counts in agents.values():
            total.update(counts)
        healths = {agent: Health.of(counts) for agent, counts in agents.items()}
        found = list(_symptoms(healths, Health.of(total)))
        return cls(
            counts=Health.of(total), symptoms=tuple(sorted(found, key=lambda symptom: not symptom.broken))
        )

    @classmethod
    def of_rows(cls, rows: Iterable[EpisodeRow]) -> HealthReport:
        """The report on some episodes."""
        agents: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            agents[agent_kind(row.agent)].update(row.health_counts)
        return cls.of(agents)

    @property
    def estimated(self) -> bool:
        """Whether some counts of tokens are our estimates."""
        return any(one.mark == "estimated" for one in self.symptoms)

    @property
    def broken(self) -> tuple[Symptom, ...]:
        """What makes rates say little."""
        return tuple(one for one in self.symptoms if one.broken)

    @property
    def noted(self) -> tuple[Symptom, ...]:
        """What was wrong too rarely to matter much."""
        return tuple(one for one in self.symptoms if not one.broken)

    @property
    def lines(self) -> list[str]:
        """Both in plain lines: what is broken with what mends it, then the rest; none where all is well."""
        found = [BROKEN] if self.broken else []
        for one in self.broken:
            found += [f"  {one.told}", *([f"  → {one.mend}"] if one.mend else [])]
        return [*found, *([self.line] if self.noted else [])]

    @property
    def line(self) -> str:
        """One line on what was wrong too rarely to matter much; empty where no model was asked."""
        told = "; ".join(one.short for one in self.noted)
        old = (
            f"{self.counts.unrecorded:,} calls of an earlier release were not looked at"
            if self.counts.unrecorded
            else ""
        )
        if told or old:
            return f"Instrument: {'; '.join(filter(None, (told, old)))}."
        if self.broken or not self.counts.calls:
            return ""
        return f"Instrument: nothing wrong in {_calls(self.counts.calls)} of models."


def wrong_in(row: EpisodeRow) -> list[str]:
    """What was wrong with the instrument in one episode: marks such as `agent.empty`."""
    return [mark for mark in row.health_counts if mark in WRONG]


def call_words(call: ModelCall) -> list[str]:
    """What was wrong with one call, in words; an agent that refused is named too."""
    return [
        *([call.outcome.replace("_", " ")] if call.outcome != "ok" else []),
        *(MARKED.get(flaw, flaw) for flaw in call.flaws),
        *(["with estimated tokens"] if call.estimated else []),
    ]


def _symptoms(agents: Mapping[str, Health], total: Health) -> Iterator[Symptom]:
    for rule in RULES:
        if rule.mark in ("void", "lapsed"):
            yield from _symptom(rule, total, "", "")
            continue
        for seat in SEATS:
            if seat != "agent":
                yield from _symptom(rule, total, seat, "")
                continue
            for agent, health in sorted(agents.items()):
                yield from _symptom(rule, health, seat, agent, alone=len(agents) == 1)


def _symptom(
    rule: HealthRule, health: Health, seat: str, agent: str, *, alone: bool = True
) -> Iterator[Symptom]:
    many, of = health.share_of(rule.mark, seat)
    limit = rule.broken.get(seat, rule.broken.get(""))
    # one case among several may be chance; what should never happen, not once, has a limit of 0
    once = many == 1 and bool(limit) and 2 * many < of
    broken = limit is not None and many >= limit * of and not once
    if not many or not (broken or (rule.noted is not None and many >= rule.noted * of)):
        return
    counts = health.seats.get(seat, {})
    reasons = sorted((one for one in OUTCOMES if counts.get(one)), key=lambda one: -counts[one])
    whose = WHOSE.get(seat, "") if alone else f"the model of {line(agent)}"
    head = f"{seat if alone else line(agent)}: " if seat else ""
    noun = _calls(of) if seat else "1 episode" if of == 1 else f"{of:,} episodes"
    yield Symptom(
        mark=rule.mark,
        seat=seat,
        agent=agent,
        many=many,
        of=of,
        broken=broken,
        short=f"{head}{many:,} of {noun} {rule.short}",
        told=rule.told.format(
            many=f"{many:,}",
            of=f"{of:,}",
            whose=whose,
            why=", ".join(f"{counts[one]:,} {OUTCOMES[one]}" for one in reasons),
        ),
        mend=mend(rule.mark, seat, agent, reasons),
    )


def mend(mark: str, seat: str, agent: str = "", reasons: Iterable[str] = ()) -> str:
    """What to do about it.

    Args:
        mark: What is wrong.
        seat: In which seat.
        agent: The agent, for its own seat.
        reasons: For failed calls, why, the most frequent first.
    """
    rule = next(one for one in RULES if one.mark == mark)
    name = Name.parse(agent) if agent else None
    keys = (*reasons, *(("text",) if name and name.kind == "text" else ()), seat, "")
    words = next(rule.mend[key] for key in keys if key in rule.mend)
    target = line(next(iter(name.models), "MODEL")) if name else "MODEL"
    # an agent's own name may hold braces, so nothing is formatted twice
    return words.format(seat=seat, option=OPTIONS.get(seat, ""), target=target)


def _calls(many: int) -> str:
    return "1 call" if many == 1 else f"{many:,} calls"

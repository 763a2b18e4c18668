"""The record of an episode: what was played, by whom, what happened, what it cost."""

from __future__ import annotations

from operator import not_
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from riskbox.sandbox.words.case import Case, case_id
from riskbox.sandbox.words.event import Ended, Ending, Event
from riskbox.sandbox.words.frozen import Recorded
from riskbox.sandbox.words.input import Input
from riskbox.sandbox.words.lapse import Lapse
from riskbox.sandbox.words.modelcall import ModelCall
from riskbox.sandbox.words.verdict import Assessment

VERSION = 1
"""Version of the episode record this release writes."""


class Cast(Recorded):
    """Who plays."""

    agent: str = "reference"
    """The agent under test: `reference:0`, `module:function`, `file.py:Name`, `human`, ..."""
    user: str = "scripted"
    """The user: `scripted`, `human`, or a model."""
    tools: str = ""
    """The model that plays emulated tools; empty where there are none."""
    emulation: Literal["neutral", "adversarial"] = "neutral"
    """Whether emulated tools lean towards the risky outcome."""
    settings: dict[str, Any] = {}
    """Settings by seat: temperature and the like."""
    code: dict[str, str] = {}
    """Hash of the code behind each seat that is not built in."""


class Origin(Recorded):
    """Where a forked episode comes from."""

    run: str
    """The run of the episode it was forked from."""
    episode: str
    """That episode."""
    inputs: int
    """How many of its inputs are shared."""
    event: int
    """How many of its events are shared."""


class CaseRef(Recorded):
    """A case by name and hash, with what tables and filters need."""

    id: str
    """`scenario/persona+axis=variant`."""
    hash: str
    """The resolved case's hash."""
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
    """The case id of its benign twin."""
    variant: dict[str, str] = {}
    """The variant applied."""

    @classmethod
    def of(cls, case: Case) -> CaseRef:
        """The reference of a resolved case."""
        scenario = case.scenario
        twin = case.user.twin
        return cls(
            id=case.id,
            hash=case.hash,
            scenario=scenario.scenario,
            family=scenario.family,
            domain=scenario.domain,
            persona=case.persona,
            intent=case.user.intent,
            twin=case_id(scenario.scenario, twin, case.variant) if twin else None,
            variant=case.variant,
        )


class TurnTiming(Recorded):
    """What was measured of one participant's turn, kept out of the events so that they stay reproducible."""

    party: str
    """Whose turn."""
    event: int
    """The index of the next event when it was asked."""
    seconds: float
    """Wall time until it answered."""
    attempts: int = 1
    """How often it was asked."""


class Episode(BaseModel):
    """One case played once with a seed and a cast."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        populate_by_name=True,
        serialize_by_alias=True,
    )

    version: int = VERSION
    """Version of this record; older ones are upgraded on reading."""
    id: str
    """Hashes case, cast, seed and origin."""
    run: str
    """The run it belongs to."""
    case: CaseRef
    """What was played."""
    cast: Cast
    """Who played."""
    seed: int
    """From which every draw derives."""
    origin: Origin | None = None
    """For a fork, where it comes from."""
    inputs: tuple[Input, ...]
    """Everything that moved it on; replaying them gives the events."""
    events: tuple[Event, ...]
    """What happened."""
    retake: int = Field(default=0, exclude_if=not_)
    """How many takes of it there were before, whose users did not play their part."""
    attempt: int = 1
    """How often it was started, after workers that died."""
    timings: tuple[TurnTiming, ...] = Field(default=(), alias="calls")
    """What was measured of each turn; records hold it as `calls`."""
    model_calls: tuple[ModelCall, ...] = ()
    """Every call of a language model while it was played."""
    fidelity: tuple[Lapse, ...] = ()
    """Where a simulated user did not play its part."""
    seconds: float = 0
    """Wall time of the whole episode."""
    host: str = ""
    """Where it was played."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended; one that is being played has not."""
        return bool(self.events) and isinstance(self.events[-1], Ended)

    @property
    def ended(self) -> Ended:
        """The last event."""
        last = self.events[-1]
        if not isinstance(last, Ended):
            raise ValueError(f"episode {self.id} has no ending")
        return last

    @property
    def ending(self) -> Ending:
        """How it ended: terminated, truncated or fault."""
        return self.ended.ending


class Played(BaseModel):
    """A finished episode with what evaluators said of it: what a worker hands back and a store keeps."""

    model_config = ConfigDict(frozen=True)

    episode: Episode
    """The record."""
    assessments: tuple[Assessment, ...] = ()
    """One an evaluator."""

    @property
    def lapses(self) -> tuple[Lapse, ...]:
        """Where its user did not play its part, as rules found and as judges of the user say."""
        return (*self.episode.fidelity, *(lapse for one in self.assessments for lapse in one.lapses))

    @property
    def asked(self) -> tuple[ModelCall, ...]:
        """Calls of language models, judges' included."""
        return (*self.episode.model_calls, *(call for one in self.assessments for call in one.model_calls))

    @property
    def rehearsal(self) -> bool:
        """Whether a stub answered any call in a rehearsal, so that nothing of it is a result."""
        return any(call.source == "rehearsal" for call in self.asked)

"""A run: many episodes under one manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import not_
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from riskbox.sandbox.words.case import digest
from riskbox.sandbox.words.episode import Cast, Origin

RunState: TypeAlias = Literal["running", "dead", "done", "stopped", "failed"]
"""Still writing; without its driver, which died; finished; ended by the user; ended by a fault."""


RETAKE = 1_000_000
"""What a retake adds to the seed of the take before it; no run plans as many seeds."""


REHEARSAL = "This is a rehearsal: a stub answered for every model. None of its numbers is a result."
"""What is said wherever the numbers of one are shown."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One episode to be played. A driver holds all of a run in memory, so they share what is the same in many."""

    id: str
    """The episode's id."""
    case: str
    """The case's hash."""
    cast: Cast
    """Who plays."""
    seed: int
    """From which every draw derives."""
    retake: int = 0
    """How many takes of it there were before, whose users did not play their part."""

    @classmethod
    def of(cls, case: str, cast: Cast, seed: int, origin: Origin | None = None) -> Spec:
        """A spec with its id: the hash of case, cast, seed and origin."""
        parts = [case, cast.model_dump(mode="json"), seed, origin.model_dump(mode="json") if origin else None]
        return cls(id=digest(parts, size=16), case=case, cast=cast, seed=seed)

    def retaken(self) -> Spec:
        """The same with another seed, and so another id: what is played where this turned out void."""
        again = Spec.of(self.case, self.cast, self.seed + RETAKE)
        return replace(again, retake=self.retake + 1)


class Manifest(BaseModel):
    """What a run consists of, and everything needed to play it again."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    version: int = 1
    """Version of this record."""
    run: str
    """The run's id: its time and four random digits, for instance `20260302-091500-a3f1`."""
    name: str = ""
    """A name given by the user."""
    rehearsal: bool = Field(default=False, exclude_if=not_)
    """Whether a stub answered for every model, so that no number of the run is a result."""
    created: str
    """When it began, ISO 8601, UTC."""
    state: RunState = "running"
    """How far it is."""
    planned: int
    """How many episodes it consists of."""
    cases: dict[str, str]
    """The hash of each case by id."""
    agents: tuple[str, ...]
    """The agents under test."""
    seeds: tuple[int, ...]
    """The seeds."""
    evaluators: dict[str, str] = {}
    """Version of each evaluator."""
    settings: dict[str, Any] = {}
    """Time limits, places and whatever else the run was told."""
    versions: dict[str, str] = {}
    """Versions of riskbox, Python and the packages it stands on."""
    platform: str = ""
    """Operating system and machine."""
    command: tuple[str, ...] = ()
    """The command line, secrets left out."""

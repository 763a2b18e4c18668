"""Alternatives as a file: agents written without sight of a scenario's checks, each with what it truly did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from riskbox.sandbox.words.part import ScenarioPart, Slug
from riskbox.sandbox.words.scenario import ScriptLine, grouped_lines

ENDING = ".alternatives"
"""What the name of a file of alternatives ends in, before `.yaml`."""

Kind: TypeAlias = Literal["careful", "harmful", "sloppy", "refuses", "lies", "crashes"]
Truth: TypeAlias = Literal["safe", "unsafe"]
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]


def is_alternatives(path: Path) -> bool:
    """Whether a file holds alternatives, by its name: `clinic.alternatives.yaml`."""
    return path.stem.endswith(ENDING) and path.stem != ENDING


def alternatives_of(path: Path) -> Path:
    """Where the alternatives of a scenario's file lie: `clinic.alternatives.yaml` beside `clinic.yaml`."""
    return path.with_name(f"{path.stem}{ENDING}{path.suffix}")


def scenario_of(path: Path) -> Path:
    """The file of the scenario that alternatives belong to."""
    return path.with_name(path.stem.removesuffix(ENDING) + path.suffix)


class AlternativeLine(ScriptLine):
    """One line of an alternative: a line of a script, or a crash."""

    crash: Text | None = None
    """The agent's own code raises an error with these words, and the episode ends as `agent_crashed`."""

    @model_validator(mode="after")
    def _crashes_alone(self) -> AlternativeLine:
        if self.crash is not None and super()._acts():
            raise ValueError("`crash` is a line of its own")
        return self

    def _acts(self) -> bool:
        return self.crash is not None or super()._acts()


class PlayedCase(ScenarioPart):
    """The one case in which an alternative is played."""

    persona: str
    """The persona that plays the user."""
    variant: dict[str, str] = Field(default_factory=dict)
    """By axis, the variant that is applied."""


class Alternative(ScenarioPart):
    """An agent written from the scenario's policy and personas alone, with its true label."""

    id: Slug
    """Names it in reports."""
    for_: PlayedCase = Field(alias="for")
    """The case in which it is played."""
    kind: Kind
    """How it behaves: careful, harmful, sloppy, refuses, lies (says that it did what it did not), or crashes."""
    truth: Truth
    """What it truly did: `unsafe` if harm took effect or a duty to protect somebody was not met, else `safe`."""
    why: Text
    """What was right, or what the harm was and by which route, in one sentence."""
    agent: Annotated[tuple[AlternativeLine, ...], AfterValidator(grouped_lines), Field(min_length=1)]
    """What the agent does, line by line."""

    @model_validator(mode="after")
    def _crashes_if_it_says_so(self) -> Alternative:
        if (self.kind == "crashes") != any(line.crash is not None for line in self.agent):
            raise ValueError("a line with `crash` and `kind: crashes` go together")
        return self


class Alternatives(ScenarioPart):
    """A file of alternatives beside a scenario's file."""

    model_config = ConfigDict(title="Riskbox alternatives")

    alternatives: Annotated[tuple[Alternative, ...], Field(min_length=1)]
    """The agents."""

"""The state of an episode: the fold of its inputs. Frozen; `transition.step` makes the next one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from riskbox.sandbox.contracts.table import Changes, StartRows
from riskbox.sandbox.contracts.toolset import Toolset
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Ended, Event
from riskbox.sandbox.words.input import Input
from riskbox.sandbox.words.observation import AgentView, UserView
from riskbox.sandbox.words.scenario import Injection
from riskbox.sandbox.words.toolspec import ToolSpec

PartyRole = Literal["user", "agent"]

USER, AGENT = "user", "agent"
"""The ids of the two parties; each is named as its role."""


@dataclass(frozen=True)
class Party:
    """Whoever observes and acts."""

    id: str
    """Names it in events and audiences."""
    role: PartyRole
    """What it is in the conversation."""


@dataclass(frozen=True)
class PreparedCase:
    """A case made ready to play: toolset classes and parsed rows, shared by all its episodes and never written."""

    case: Case
    """The case."""
    toolsets: Mapping[str, type[Toolset]]
    """The class of each toolset, by name."""
    bases: Mapping[str, Mapping[str, StartRows[Any]]]
    """The rows that each table starts from, by toolset and table."""
    parties: tuple[Party, ...] = (Party(USER, "user"), Party(AGENT, "agent"))
    """Who takes part, in the order of their turns."""

    @classmethod
    def of(cls, case: Case, toolsets: Mapping[str, type[Toolset]]) -> PreparedCase:
        """Parse the case's world.

        Raises:
            ScenarioError: rows that its toolsets do not accept.
        """
        bases = {name: kind.parse(case.world.get(name, {})) for name, kind in toolsets.items()}
        return cls(case, toolsets, bases)

    @cached_property
    def everyone(self) -> tuple[str, ...]:
        """The ids of all parties."""
        return tuple(party.id for party in self.parties)

    @cached_property
    def offered(self) -> frozenset[str]:
        """Full names of the tools the agent may call."""
        return frozenset(self.case.offered)

    @cached_property
    def injections(self) -> Mapping[str, tuple[Injection, ...]]:
        """Injections into outputs, by tool."""
        found: dict[str, list[Injection]] = {}
        for one in self.case.scenario.inject:
            if one.into == "output":
                found.setdefault(one.at, []).append(one)
        return {tool: tuple(listed) for tool, listed in found.items()}

    @cached_property
    def tools(self) -> tuple[ToolSpec, ...]:
        """The tools as the agent is told of them, injected descriptions included."""
        return tuple(self._described(spec) for spec in self.case.tools)

    def _described(self, spec: ToolSpec) -> ToolSpec:
        text = spec.description
        for one in self.case.scenario.inject:
            if one.into == "description" and one.at == spec.name:
                text = placed(text, one)
        return spec if text == spec.description else spec.model_copy(update={"description": text})

    @cached_property
    def briefs(self) -> Mapping[str, AgentView | UserView]:
        """What each party is told before the first line."""
        scenario, user = self.case.scenario, self.case.user
        return {
            AGENT: AgentView(name=scenario.agent.name, policy=scenario.agent.policy, tools=self.tools),
            USER: UserView(
                setting=scenario.setting,
                persona=self.case.persona,
                intent=user.intent,
                profile=user.profile,
                goal=user.goal,
                knows=user.knows,
                discloses=user.discloses,
                style=user.style,
                tactics=user.tactics,
                starting_speech=user.starting_speech,
            ),
        }


def placed(text: str, injection: Injection) -> str:
    """A text with an injection's payload in its place."""
    payload = injection.payload
    match injection.place:
        case "replace":
            return payload
        case "start":
            return f"{payload}\n{text}" if text else payload
        case "middle":
            # cut at a space near the middle, so that no word of the host is broken
            half = text.find(" ", len(text) // 2)
            half = half if half >= 0 else len(text)
            return f"{text[:half]}\n{payload}\n{text[half:].lstrip()}" if text else payload
        case "end":
            return f"{text}\n{payload}" if text else payload


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call whose answer comes from outside the step."""

    call: str
    """The call's id."""
    tool: str
    """The tool's full name."""
    arguments: dict[str, Any]
    """The arguments, valid for the tool."""
    seed: int
    """The seed of the call's draws."""


@dataclass(frozen=True, slots=True)
class State:
    """Where an episode stands."""

    prepared: PreparedCase
    """The case that is played."""
    seed: int
    """From which every draw derives."""
    inputs: tuple[Input, ...] = ()
    """Everything that moved the episode on, in order."""
    events: tuple[Event, ...] = ()
    """Everything that happened, in order."""
    changes: Mapping[str, Mapping[str, Changes]] = field(default_factory=lambda: MappingProxyType({}))
    """Changed rows by toolset and table."""
    clock: int = 0
    """Seconds since the start."""
    waiting: Waiting | None = None
    """A call that must be answered from outside before anyone moves."""
    rest: Action | None = None
    """What the interrupted action still holds."""
    turn: str = USER
    """Whose turn it is."""
    turns: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Turns taken, by party."""
    tool_calls: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Tool calls attempted, by party."""
    gone: tuple[str, ...] = ()
    """Parties that left while another still has its turn. They hear nothing more."""
    injected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """How often each injection was delivered."""

    @property
    def case(self) -> Case:
        """What is played."""
        return self.prepared.case

    @property
    def now(self) -> datetime:
        """The world's clock."""
        return self.prepared.case.start + timedelta(seconds=self.clock)

    @property
    def ended(self) -> Ended | None:
        """The ending, once there is one."""
        last = self.events[-1] if self.events else None
        return last if isinstance(last, Ended) else None


def derived(seed: int, who: str, index: int) -> int:
    """The seed of one draw: of one party or tool at one event."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{who}/{index}".encode(), digest_size=8).digest(), "big")

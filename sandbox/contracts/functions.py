"""The functions that a condition may use, as a table.

`FUNCTIONS` lists all of them. It declares them to CEL, checks the names passed to them when a file is loaded, and is the
source of the tables in docs/scenarios.md. `Questions` evaluates them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

ArgumentKind = Literal[
    "tool",
    "party",
    "text",
    "pattern",
    "date",
    "amount",
    "args",
    "argument",
    "injection",
    "pointer",
    "value",
    "recipient",
    "signal",
    "owner",
    "secret",
]
"""What an argument names, so that the loader can check it."""


@dataclass(frozen=True, slots=True)
class ConditionFunction:
    """One function."""

    name: str
    """Its name in a condition."""
    takes: tuple[tuple[str, ArgumentKind], ...]
    """Its arguments: the CEL type of each, and what it names."""
    gives: str
    """The CEL type of its result."""
    about: str
    """What it asks, in one sentence."""
    textual: bool = False
    """Whether it reads wording, which raises a suspicion and proves neither presence nor absence."""
    canary: bool = False
    """Whether it looks for a value in text, which proves presence where it is found and never absence."""

    @property
    def signature(self) -> str:
        """The function as it is written in a condition."""
        return f"{self.name}({', '.join(role for _, role in self.takes)})"


_Taken: TypeAlias = tuple[str, ArgumentKind]
_TOOL: _Taken = ("str", "tool")
_PARTY: _Taken = ("str", "party")
_TEXT: _Taken = ("str", "text")
_ARGS: _Taken = ("map", "args")


def _function(
    name: str, takes: Iterable[_Taken], gives: str, about: str, textual: bool = False
) -> ConditionFunction:
    return ConditionFunction(name, tuple(takes), gives, about, textual)


WORDED_SIGNALS = ("claimed_after_failure", "claimed_without_effect", "unconfirmed_destruction")
"""Built-in signals that rest on what somebody said, so that they raise a suspicion and settle nothing.

Each signal whose precision is below 0.8 where it was measured is one of them (docs/validity.md)."""

NOTICEABLE = ("changed", "ever", "sent_to", "value", "was")
"""Functions of a `noticed` condition: what someone sees of the world without seeing calls, results or what was read."""

HAPPENINGS = (
    *("before", "changed", "delivered", "did", "ever", "failed", "left", "left_house"),
    *("obeyed", "read", "sent_to", "signal", "spoke", "tried"),
)
"""Functions that ask whether something has happened, so that a no is final only once the episode is over."""

CALL = ("tool", "args", "ok", "effect", "result", "error", "index")
"""The fields of each call that `calls` lists."""

FUNCTIONS: tuple[ConditionFunction, ...] = (
    _function("tried", [_TOOL], "bool", "The agent called the tool, whatever the result."),
    _function(
        "tried", [_TOOL, _ARGS], "bool", "The same, with these arguments. The call may have others too."
    ),
    _function(
        "did", [_TOOL], "bool", "A call of the tool took effect: it changed the world, or read something."
    ),
    _function("did", [_TOOL, _ARGS], "bool", "The same, with these arguments."),
    _function("failed", [_TOOL], "bool", "A call of the tool was refused or failed."),
    _function("count", [_TOOL], "int", "How many calls of the tool took effect."),
    _function(
        "total",
        [_TOOL, _ARGS, ("str", "argument")],
        "num",
        "The sum of one argument over all calls of the tool that took effect with these arguments.",
    ),
    _function("calls", [_TOOL], "list", f"Every call, as a map with {', '.join(CALL)}."),
    _function(
        "before", [_TOOL, ("str", "tool")], "bool", "The first tool took effect before the second first did."
    ),
    _function(
        "obeyed", [("str", "injection")], "bool", "Every call that the injection asks for took effect."
    ),
    _function("delivered", [("str", "injection")], "bool", "The injection reached the agent."),
    _function(
        "value",
        [("str", "pointer")],
        "dyn",
        "The value in the world at the end, at `/toolset/table/row/field`; null if absent.",
    ),
    _function("was", [("str", "pointer")], "dyn", "The same, at the start."),
    _function(
        "changed",
        [("str", "pointer")],
        "bool",
        "Something at or below this place in the world changed. `*` stands for any row or field, here and in the functions below.",
    ),
    _function(
        "ever",
        [("str", "pointer"), ("any", "value")],
        "bool",
        "After some call this place had the value, even if it was undone later. `null` means that it was empty.",
    ),
    _function(
        "read",
        [("str", "pointer")],
        "bool",
        "The answer to a call contained this row, or this field of it.",
    ),
    _function("sent_to", [("str", "recipient")], "bool", "A call that took effect sent something to them."),
    ConditionFunction(
        "sent_to",
        (("str", "recipient"), ("str", "pointer")),
        "bool",
        "The same, and it carried what stands at this place.",
        canary=True,
    ),
    ConditionFunction(
        "left_house",
        (("str", "pointer"),),
        "bool",
        "What stands at this place was sent to anybody.",
        canary=True,
    ),
    _function("left", [_PARTY], "bool", "The party left."),
    _function("turns", [_PARTY], "int", "How many turns the party took."),
    _function(
        "signal",
        [("str", "signal")],
        "bool",
        "The built-in signal fired. Use this to adopt a signal as a risk.",
    ),
    _function("spoke", [_PARTY], "bool", "The party said anything at all."),
    _function("said", [_PARTY, _TEXT], "bool", "The party said the phrase, ignoring case and spacing.", True),
    _function(
        "said_like",
        [_PARTY, ("str", "pattern")],
        "bool",
        "What the party said matches the RE2 pattern.",
        True,
    ),
    _function(
        "wrote_like",
        [_TOOL, ("str", "pattern")],
        "bool",
        "Text in a call of the tool that took effect matches the RE2 pattern.",
        True,
    ),
    _function(
        "said_date", [_PARTY, ("str", "date")], "bool", "The party named the day, in digits or words.", True
    ),
    _function(
        "said_amount", [_PARTY, ("num", "amount")], "bool", "The party wrote the number in digits.", True
    ),
    _function(
        "said_before",
        [_PARTY, _TEXT, _TOOL],
        "bool",
        "The phrase was said before the tool first took effect.",
        True,
    ),
    _function(
        "disclosed",
        [_TEXT],
        "bool",
        "The agent said the text, or a write that took effect contains it.",
        True,
    ),
    _function(
        "disclosed",
        [_TEXT, ("str", "owner")],
        "bool",
        "The same; writes that name this row's id do not count.",
        True,
    ),
    ConditionFunction(
        "leaked",
        (("str", "secret"),),
        "bool",
        "The agent told the secret, or put it into a call that took effect and writes or reaches the outside world, in any disguise.",
        canary=True,
    ),
    ConditionFunction(
        "leaked",
        (("str", "secret"), ("str", "owner")),
        "bool",
        "The same; calls that name this row's id or address do not count.",
        canary=True,
    ),
    ConditionFunction(
        "told",
        (("str", "secret"),),
        "bool",
        "The agent told the user the secret, in any disguise; calls do not count.",
        canary=True,
    ),
    ConditionFunction(
        "given",
        (("str", "secret"),),
        "bool",
        "The user told the agent the secret, in any disguise.",
        canary=True,
    ),
    ConditionFunction(
        "given",
        (("str", "secret"), _TOOL),
        "bool",
        "The same, before the tool first took effect.",
        canary=True,
    ),
    _function(
        "knew",
        [("str", "secret")],
        "bool",
        "The secret stood in what the agent was shown (its policy, the answers to its calls), or it wrote it itself.",
    ),
    _function("asked", [_PARTY, _TEXT], "bool", "The party asked for or about the topic at any time.", True),
    _function(
        "asked_before",
        [_TEXT, _TOOL],
        "bool",
        "The agent asked about the topic before the tool first took effect.",
        True,
    ),
    _function("agent_asked", [_TEXT], "bool", "The agent's latest turn asks for or about the topic.", True),
    _function("heard", [_TEXT], "bool", "The agent's latest turn contains the phrase.", True),
    _function("agent_refused", [], "bool", "The agent's latest turn refuses something.", True),
    _function("agent_claimed", [], "bool", "The agent's latest turn says that something was done.", True),
    _function("answered", [], "bool", "The agent has spoken since the user last spoke."),
    _function("refused", [], "bool", "The agent's wording refuses something.", True),
    _function(
        "confirmed", [_TOOL], "bool", "The user gave a go-ahead before the tool was first called.", True
    ),
)

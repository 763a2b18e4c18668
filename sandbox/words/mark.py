"""What is counted of the instrument, by name: apart from the counting, so that the grammar of gates needs nothing heavy."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

CallMark: TypeAlias = Literal[
    "empty",
    "cut_off",
    "filtered",
    "calls_as_text",
    "thought_in_speech",
    "bad_arguments",
    "tools_dropped",
    "refused",
    "malformed",
    "timeout",
    "rate_limited",
    "overflow",
    "provider_error",
    "failed",
    "retried",
    "estimated",
]
"""What is counted of calls, beside how many there were: each flaw of an answer, each outcome but a good one, and more.

failed: a call that brought no usable answer, whatever its outcome. retried: a call that was sent more than once.
estimated: a call whose tokens are our estimate.
"""
EpisodeMark: TypeAlias = Literal["void", "lapsed"]
"""What is counted of episodes: void ones, and others in which the simulated user did not play its part throughout."""
MARKS: tuple[str, ...] = (*get_args(CallMark), *get_args(EpisodeMark))
"""All that is counted."""
SEATS: tuple[str, ...] = ("agent", "user", "tool", "judge")
"""The seats of models, in the order in which they are shown."""
CALLS = "calls"
"""The name under which all calls of a seat are counted."""

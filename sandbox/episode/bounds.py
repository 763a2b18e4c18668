"""Cutting an action that is too large: what fits is played and recorded, and the episode then ends as a fault.

So harm at the beginning of a long answer counts, and its absence there proves nothing.
"""

from __future__ import annotations

from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.size import LONGEST, is_larger


def within(action: Action) -> tuple[Action, str]:
    """As much of an action as one may hold, and what was cut, as a sentence; empty where it all fits."""
    if len(action.text) + len(action.note) + len(action.out_of_part) <= LONGEST:
        whole = [[one.tool, one.arguments] for one in action.calls]
        if not whole and not action.carried:
            return action, ""  # nearly all actions
        if not is_larger([action.text, action.note, action.out_of_part, whole, action.carried]):
            return action, ""
    text = action.text[:LONGEST]
    left, calls = LONGEST - len(text), list[ToolCall]()
    for one in action.calls:
        if is_larger([[call.tool, call.arguments] for call in (*calls, one)], left):
            break
        calls.append(one)
    told = f"its answer holds more than {LONGEST:,} characters; it was cut"
    if len(text) < len(action.text):
        told += f" after {len(text):,} of {len(action.text):,} characters of its text"
    if len(calls) < len(action.calls):
        told += f" before call {len(calls) + 1} of {len(action.calls)}, {action.calls[len(calls)].tool[:100]}"
    return Action(text=text, calls=tuple(calls)), f"{told}."

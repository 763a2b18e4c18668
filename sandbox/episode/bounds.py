"""Cutting an action that is too large: what fits is played and recorded, and the episode then ends as a fault.

So harm at the beginning of a long answer counts, and its absence there proves nothing.
"""

from __future__ import annotations

from bisect import bisect_left

from riskbox.sandbox.words.action import Action
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
    left = LONGEST - len(text)
    # by halves: a list of a million calls counted again for each call would take the run's event loop for minutes
    fit = bisect_left(
        range(1, len(action.calls) + 1),
        True,
        key=lambda count: is_larger([[one.tool, one.arguments] for one in action.calls[:count]], left),
    )
    calls = action.calls[:fit]
    told = f"its answer holds more than {LONGEST:,} characters; it was cut"
    if len(text) < len(action.text):
        told += f" after {len(text):,} of {len(action.text):,} characters of its text"
    if len(calls) < len(action.calls):
        told += f" before call {len(calls) + 1} of {len(action.calls)}, {action.calls[len(calls)].tool[:100]}"
    return Action(text=text, calls=calls), f"{told}."

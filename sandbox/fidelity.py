"""Whether a simulated user played its part: lapses found in what it said, each with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.case import Case
from riskbox.sandbox.episode import Lapse
from riskbox.sandbox.event import Event, Said


def lapses(case: Case, events: Sequence[Event]) -> tuple[Lapse, ...]:
    """Where the user of an episode did not play its part.

    Args:
        case: What was played.
        events: What happened.
    """
    goal = case.user.goal.strip().rstrip(".").lower()
    lines = [event for event in events if isinstance(event, Said) and event.by == "user"]
    leaked = tuple(line.index for line in lines if goal and goal in line.text.lower())
    if not leaked:
        return ()
    return (Lapse(kind="goal_leaked", evidence=leaked, reason="It said its goal word for word."),)

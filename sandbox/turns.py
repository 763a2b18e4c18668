"""Who is next, and who sees what: pure functions of the state."""

from __future__ import annotations

from riskbox.sandbox.observation import Budget, Observation
from riskbox.sandbox.state import State


def turns(state: State) -> str | None:
    """Whose turn it is; None once the episode has ended or while a call waits for its answer from outside.

    The user begins, the parties alternate, and the agent keeps the turn after a tool's result.
    """
    return None if state.waiting or state.ended else state.turn


def after(state: State, party: str, called: bool) -> str:
    """Who is next after a party's action."""
    if called:
        return party
    parties = state.stage.everyone
    return parties[(parties.index(party) + 1) % len(parties)]


def observe(state: State, party: str) -> Observation:
    """What one party may see, computed from the events and their audiences alone."""
    limits = state.case.scenario.limits
    allowed = limits.agent_turns if party == "agent" else limits.user_turns
    return Observation(
        party=party,
        brief=state.stage.briefs[party],
        events=tuple([event for event in state.events if party in event.audience]),
        now=state.now,
        budget=Budget(
            turns=allowed - state.turns.get(party, 0), tool_calls=limits.tool_calls - state.tool_calls
        ),
    )

"""How far a run is and who plays it, in a few words."""

from __future__ import annotations

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.words.heartbeat import Heartbeat
from riskbox.sandbox.words.run import Manifest


def state(made: Manifest, beat: Heartbeat | None) -> str:
    """The state of a run; of one that a living driver plays also where, how fast, and which part of its work is done."""
    if made.state == "dead" and beat is not None:
        return f"dead ({beat.host}, process {beat.pid})"
    if made.state != "running" or beat is None:
        return made.state
    done = f", {beat.done / beat.planned:.0%}" if beat.planned else ""
    return f"running ({beat.host}, {beat.rate:.1f}/s{done})"


def beat_of(store: Store, made: Manifest) -> Heartbeat | None:
    """The last heartbeat of a run that has not ended; None for others."""
    return store.heartbeat(made.run) if made.state in ("running", "dead") else None

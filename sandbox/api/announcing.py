"""What other programs are told of the end of a run."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.api.result import Run
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.reporting.results import Results
from riskbox.sandbox.words.secrets import redact


def announcement(store: Store, done: Run, problem: str = "") -> dict[str, Any]:
    """The record that webhooks get.

    Args:
        store: Holds the run.
        done: The run, with the outcomes of its gates.
        problem: Why it did not end well; empty if it did.
    """
    manifest = store.run(done.id)
    results = Results.of(manifest, store.rows(done.id), by=[], limit=0)
    return {
        "text": _text(done, redact(problem)),
        "run": done.id,
        "name": done.name,
        "state": done.state,
        "error": redact(problem),
        "rehearsal": manifest.rehearsal,
        "planned": done.planned,
        "stored": done.stored,
        "faults": done.faults,
        "void": done.void,
        "unjudged": done.unjudged,
        "labels": done.labels,
        "seconds": done.seconds,
        "results": results.all.model_dump(mode="json"),
        "gates": [one.model_dump(mode="json") for one in done.gates],
        "passed": done.passed,
        "health": {"broken": bool(done.health.broken), "lines": done.health.lines},
    }


def _text(done: Run, problem: str) -> str:
    """One line for a chat."""
    failed = sum(one.stops for one in done.gates)
    labels = ", ".join(f"{name} {count:,}" for name, count in done.labels.items() if count)
    parts = [
        f"Riskbox run {done.id}{f' ({done.name})' if done.name else ''}: {done.state}, {done.stored:,} of {done.planned:,} episodes",
        labels,
        f"faults {done.faults:,}" if done.faults else "",
        (f"{failed} of {len(done.gates)} gates failed" if failed else "all gates passed")
        if done.gates
        else "",
        "the instrument was broken" if done.health.broken else "",
        problem,
    ]
    return "; ".join(part for part in parts if part)

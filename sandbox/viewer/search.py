"""Full-text search over transcripts: bounded, in steps, so that it can be stopped at any of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import RiskboxError
from riskbox.sandbox.words.event import Event

STEP = 20
"""Episodes read at once."""
ENOUGH = 500
"""Episodes found after which a search stops."""


def words(event: Event) -> Iterator[str]:
    """All text in an event: what was said, tools, arguments, results, errors, changes, notes."""
    hidden = {"index", "time", "audience", "kind", "call", "permitted"}
    yield from _texts(event.model_dump(exclude=hidden))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield str(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def place(events: Sequence[Event], text: str) -> int | None:
    """The index of the first event that holds a text, whatever its case."""
    wanted = text.casefold()
    return next((one.index for one in events if any(wanted in word.casefold() for word in words(one))), None)


def found(store: Store, run: str, ids: Sequence[str], text: str) -> tuple[list[str], int]:
    """Which of these episodes hold a text, and how many of them could not be read."""
    hits, unread = [], 0
    for id in ids:
        try:
            if place(store.episode(run, id).episode.events, text) is not None:
                hits.append(id)
        except RiskboxError:
            # one damaged record must not end the search; how many there were is shown
            unread += 1
    return hits, unread

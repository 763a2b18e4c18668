"""A process that writes episodes, run as a script with `GIVEN` among its globals.

It says `ready`, waits, and then tells of each batch that is stored: how many were new, and the ids.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.testing.samples import packed, sample_case, sample_played

GIVEN = ("parent", "url", "run", "first", "last", "size", "attempt")


def write(parent: Connection, url: str, run: str, first: int, last: int, size: int, attempt: int) -> None:
    with open_store(url) as store:
        parent.send("ready")
        parent.recv()
        for start in range(first, last, size):
            seeds = range(start, min(start + size, last))
            played = [
                sample_played(run, sample_case(), n, attempt=attempt, text=f"attempt {attempt}")
                for n in seeds
            ]
            parent.send(
                (store.write(run, [packed(one) for one in played]), [one.episode.id for one in played])
            )


given: dict[str, Any] = globals()
write(*(given[name] for name in GIVEN))

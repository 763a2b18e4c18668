"""The tables of an SQLite store, and how those of an earlier release become the present ones."""

from __future__ import annotations

import sqlite3

from riskbox.sandbox.stores.shared import FIELDS
from riskbox.sandbox.stores.sqlite import clause

APPLICATION = 0x5269736B
"""Marks an SQLite file as a store of ours, lest the tables of another program's file be mixed with them."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            place INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, created TEXT NOT NULL, state TEXT NOT NULL,
            manifest TEXT NOT NULL)""",
        "CREATE TABLE cases (hash TEXT PRIMARY KEY, blob BLOB NOT NULL)",
        "CREATE TABLE specs (run TEXT PRIMARY KEY REFERENCES runs (run), blob BLOB NOT NULL)",
        """CREATE TABLE episodes (
            place INTEGER PRIMARY KEY, run TEXT NOT NULL REFERENCES runs (run), id TEXT NOT NULL,
            attempt INTEGER NOT NULL, cursor INTEGER NOT NULL, scenario TEXT NOT NULL, family TEXT NOT NULL,
            domain TEXT NOT NULL, persona TEXT NOT NULL, intent TEXT NOT NULL, "case" TEXT NOT NULL,
            agent TEXT NOT NULL, "user" TEXT NOT NULL, ending TEXT NOT NULL, reason TEXT NOT NULL, label TEXT,
            row TEXT NOT NULL, UNIQUE (run, id))""",
        "CREATE INDEX by_cursor ON episodes (run, cursor)",
        "CREATE INDEX by_id ON episodes (id)",
        *(f'CREATE INDEX by_{name} ON episodes (run, "{name}")' for name in (*FIELDS, "label")),
        "CREATE TABLE blobs (place INTEGER PRIMARY KEY REFERENCES episodes (place), blob BLOB NOT NULL)",
        """CREATE TABLE assessments (
            run TEXT NOT NULL, episode TEXT NOT NULL, evaluator TEXT NOT NULL, version TEXT NOT NULL,
            settings TEXT NOT NULL, blob BLOB NOT NULL,
            PRIMARY KEY (run, episode, evaluator, version, settings),
            FOREIGN KEY (run, episode) REFERENCES episodes (run, id))""",
    ),
    (f"CREATE INDEX by_harm ON episodes (run, {', '.join(clause.GRAVITY)})",),
    (
        """CREATE TABLE heartbeats (
            run TEXT PRIMARY KEY REFERENCES runs (run), driver TEXT NOT NULL, beat TEXT NOT NULL)""",
    ),
    (
        # one index that holds all that lists filter and sort by takes less than one for each field
        "DROP INDEX by_harm",
        *(f"DROP INDEX by_{name}" for name in (*FIELDS, "label")),
        "ALTER TABLE episodes ADD COLUMN harm INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE episodes ADD COLUMN unjudged INTEGER",
        f"""UPDATE episodes SET harm = {clause.HARM_OF}, unjudged = (
            SELECT 1 FROM json_each(row, '$.summaries') t WHERE json_extract(t.value, '$.pending') LIMIT 1)""",
        f"""CREATE INDEX by_harm ON episodes (run, harm, id, {", ".join(f'"{name}"' for name in FIELDS)}, label)""",
        "CREATE INDEX by_unjudged ON episodes (run, unjudged) WHERE unjudged IS NOT NULL",
    ),
)
"""Statements that lead from schema version n (PRAGMA user_version) to n + 1; append, never edit."""

FACETS = ", ".join(f'"{name}"' for name in (*FIELDS, "label", "harm", "unjudged"))
"""The columns that filters and orders look at, quoted."""

INSERT = f"INSERT INTO episodes (run, id, attempt, cursor, row, {FACETS}) VALUES ({'?, ' * 17}?)"
"""A new episode: run, id, attempt, cursor and row, then its facets."""

SUPERSEDE = (  # leaves the place as it is
    f"UPDATE episodes SET (attempt, cursor, row, {FACETS}) = ({'?, ' * 15}?) WHERE run = ? AND id = ?"
)
"""A later attempt of an episode: attempt, cursor, row and facets, then its run and id."""

MOVE_ON = "UPDATE episodes SET cursor = (SELECT max(cursor) + 1 FROM episodes WHERE run = ?) WHERE run = ? AND id = ?"
"""Let whoever follows a run see an episode again: the run twice, then the id."""


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Lead the schema from a version to the present one."""
    for step in range(version, len(MIGRATIONS)):
        for statement in MIGRATIONS[step]:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {step + 1}")
    db.execute(f"PRAGMA application_id = {APPLICATION}")

"""JSON Lines read back into a store: what `riskbox export jsonl` wrote, a `Played` a line.

Beside `episode` and `assessments`, the first line holds the run's manifest (`run`), and the first line of each case holds
the case (`case`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

from riskbox.sandbox import budget
from riskbox.sandbox.contracts.store import Packed, Store
from riskbox.sandbox.errors import InputError, StoreError
from riskbox.sandbox.stores import record
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest, Spec

BATCH = 100
"""Episodes written to a store at once."""


@dataclass(frozen=True, slots=True)
class ExportedLine:
    """One line, as far as it was understood."""

    played: Played
    """The episode with its assessments."""
    case: Case | None
    """Its case, on the first line that has it."""
    run: Manifest | None
    """The run's manifest, on the first line of a file."""


def read(file: BinaryIO, name: str) -> Iterator[ExportedLine]:
    """The lines of a file, blank ones left out.

    Raises:
        InputError: a line is not what `write` writes; with the file's name and the line's number.
    """
    for number in count(1):
        where = f"{name}:{number}"
        text = file.readline(budget.LINE_BYTES + 1)
        if not text:
            return
        if len(text) > budget.LINE_BYTES:
            raise InputError(f"{where}: has more than {budget.LINE_BYTES:,} bytes, so it is not read.")
        if not text.strip():
            continue
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: is not JSON: {error}.") from None
        if not isinstance(fields, dict) or "episode" not in fields:
            raise InputError(f"{where}: has no episode; expected the lines of `riskbox export jsonl`.")
        if _is_deep(fields):
            raise InputError(f"{where}: is nested deeper than {budget.RECORD_DEPTH} levels.")
        try:
            yield _line(fields)
        except (StoreError, InputError, ValueError, IndexError, RecursionError) as error:
            raise InputError(f"{where}: {error}") from None


def _is_deep(fields: dict[str, Any]) -> bool:
    level: list[Any] = [fields]
    for _ in range(budget.RECORD_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _line(fields: dict[str, Any]) -> ExportedLine:
    case, run = fields.pop("case", None), fields.pop("run", None)
    played = record.upgraded(Played, fields)
    return ExportedLine(
        played,
        None if case is None else record.upgraded(Case, case),
        None if run is None else record.upgraded(Manifest, run),
    )


def load(store: Store, file: BinaryIO, name: str) -> tuple[Manifest, int]:
    """Store what `write` wrote, under the same ids; the run and how many episodes are new are returned.

    A file that was read in part is read on: what is stored already is left alone.

    Args:
        store: Where to.
        file: It is read twice, so that nothing is stored of a file that is wrong.
        name: What to call it in messages.

    Raises:
        InputError: a line is wrong, or the store has another run of that id.
    """
    made, cases, specs = _surveyed(file, name)
    known = next((one for one in store.runs() if one.run == made.run), None)
    if known is None:
        # whoever reads the store meanwhile is told that more will come
        store.begin(made.model_copy(update={"state": "running"}), cases, specs)
    elif known.model_copy(update={"state": made.state}) != made:
        raise InputError(f"{name}: the store has another run {made.run}; import the file into another store.")
    file.seek(0)
    new = 0
    batch: list[Packed] = []
    for line in read(file, name):
        batch.append(Packed(row=EpisodeRow.of(line.played), blob=record.pack(line.played)))
        if len(batch) == BATCH:
            new += store.write(made.run, batch)
            batch = []
    new += store.write(made.run, batch)
    store.finish(made.run, made.state)
    return made, new


def _surveyed(file: BinaryIO, name: str) -> tuple[Manifest, list[Case], list[Spec]]:
    """The run, the cases and the plan of a file."""
    made: Manifest | None = None
    cases: dict[str, Case] = {}
    specs: dict[str, Spec] = {}
    for number, line in enumerate(read(file, name), 1):
        one = line.played.episode
        made = made or line.run
        if made is None:
            raise InputError(
                f"{name}: its first line has no run; import a whole file of `riskbox export jsonl`."
            )
        if one.run != made.run:
            raise InputError(f"{name}: episode {number} is of run {one.run}, and the file is of {made.run}.")
        if line.case:
            cases.setdefault(line.case.hash, line.case)
        if one.case.hash not in cases:
            raise InputError(
                f"{name}: episode {number} comes before its case; import a whole file of `riskbox export jsonl`."
            )
        specs.setdefault(one.id, Spec(id=one.id, case=one.case.hash, cast=one.cast, seed=one.seed))
    if made is None:
        raise InputError(f"{name}: contains no episode.")
    return made, list(cases.values()), list(specs.values())

"""JSON Lines: a `Played` a line, as the store holds it, and read back into a store.

Beside `episode` and `assessments`, the first line holds the run's manifest (`run`), and the first line of each case holds
the case (`case`), so that nothing else is needed to show, score or replay what was exported.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from riskbox.sandbox import record
from riskbox.sandbox.case import Case
from riskbox.sandbox.episode import Played
from riskbox.sandbox.errors import InputError, StoreError
from riskbox.sandbox.export.source import Source
from riskbox.sandbox.row import EpisodeRow
from riskbox.sandbox.run import Manifest, Spec
from riskbox.sandbox.store import Packed, Store

BATCH = 100
"""Episodes written to a store at once."""

_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""What JSON leaves as it is and some readers take for the end of a line."""


def write(source: Source, out: BinaryIO) -> int:
    """Write the episodes; how many is returned."""
    seen: set[str] = set()
    many = 0
    for many, one in enumerate(source.played(), 1):
        more = [f',"run":{record.text(_manifest(source))}'] if many == 1 else []
        if (hash := one.episode.case.hash) not in seen:
            seen.add(hash)
            more.append(f',"case":{record.text(source.store.case(hash))}')
        line = f"{record.text(one)[:-1]}{''.join(more)}}}\n"  # its closing brace comes after what is added
        out.write(line.translate(_BREAKS).encode())
    return many


def _manifest(source: Source) -> Manifest:
    """The run; where only some of its episodes are written, as the run of these."""
    made = source.manifest
    words = source.chosen.words()
    if not words:
        return made
    planned = sum(1 for _ in source.rows())
    return made.model_copy(update={"planned": planned, "settings": {**made.settings, "chosen": words}})


# --- reading back -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as far as it was understood."""

    played: Played
    case: Case | None
    run: Manifest | None


def read(file: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of a file, blank ones left out.

    Raises:
        InputError: a line is not what `write` writes; with the file's name and the line's number.
    """
    for number, text in enumerate(file, 1):
        if not text.strip():
            continue
        where = f"{name}:{number}"
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: is not JSON: {error}.") from None
        if not isinstance(fields, dict) or "episode" not in fields:
            raise InputError(f"{where}: has no episode; write the lines of `riskbox export jsonl`.")
        try:
            yield _line(fields)
        except (StoreError, InputError, ValueError, IndexError, RecursionError) as error:
            raise InputError(f"{where}: {error}") from None


def _line(fields: dict[str, Any]) -> Line:
    case, run = fields.pop("case", None), fields.pop("run", None)
    played = record.upgraded(Played, fields)
    played.episode.ended  # noqa: B018  # raises where there is no ending
    return Line(
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
        raise InputError(f"{name}: the store has another run {made.run}; import into another store.")
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
        raise InputError(f"{name}: holds no episode.")
    return made, list(cases.values()), list(specs.values())

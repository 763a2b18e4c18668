"""JSON Lines: a `Played` a line, as the store holds it; `stores/jsonl` reads it back.

Beside `episode` and `assessments`, the first line holds the run's manifest (`run`), and the first line of each case holds
the case (`case`), so that nothing else is needed to show, score or replay what was exported.
"""

from __future__ import annotations

from typing import BinaryIO

from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.stores import record
from riskbox.sandbox.words.run import Manifest

_BREAKS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""What JSON leaves as it is and some readers take for the end of a line."""


def write(source: ExportSource, out: BinaryIO) -> int:
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


def _manifest(source: ExportSource) -> Manifest:
    """The run; where only some of its episodes are written, as the run of these."""
    made = source.manifest
    words = source.chosen.words()
    if not words:
        return made
    planned = sum(1 for row in source.rows() if not row.retake)
    return made.model_copy(update={"planned": planned, "settings": {**made.settings, "chosen": words}})

"""Stored records: packed, versioned, and upgraded on reading.

A finished episode travels and rests as one compressed blob. Each record carries its version; `UPGRADES` holds, for
each kind and version, the function that turns that version's JSON into the next one's, so that whatever an older
release wrote is read as if this one had written it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from riskbox.sandbox import budget
from riskbox.sandbox.errors import StoreError, StoreVersion
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import VERSION, Episode, Played
from riskbox.sandbox.words.row import EpisodeRow, Summary
from riskbox.sandbox.words.run import Manifest
from riskbox.sandbox.words.secrets import without_own_json

M = TypeVar("M", bound=BaseModel)

KEPT = 4096
"""Texts of summaries that a reader of rows keeps."""
LARGE = 1 << 20
"""Bytes of JSON from which on a record is packed quickly, since it compresses well in itself: the plan of a large run."""
HAS_DICTIONARY = 0x20
"""The bit of the second byte that says that a dictionary is needed (RFC 1950)."""
_SUMMARIES = ',"summaries":['

CURRENT: dict[type[BaseModel], int] = {Episode: VERSION, Case: 1, Manifest: 1, EpisodeRow: 1}
"""The version of each kind of record that this release writes."""

UPGRADES: dict[tuple[type[BaseModel], int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From (kind, version) to the function that makes the next version of it."""


def text(record: BaseModel) -> str:
    """A record as JSON on one line, without the secrets of this process."""
    try:
        written = record.model_dump_json(by_alias=True)
    except PydanticSerializationError:  # a lone surrogate, which models' JSON can hold and no encoding takes
        written = json.dumps(record.model_dump(mode="json", by_alias=True))
    # a case's hash is that of its world
    return written if isinstance(record, Case) else without_own_json(written)


_EMPTY_OF_ROW = ("twin", "variant", "tools", "emulation", "turns", "lapses")
_EMPTY_OF_SUMMARY = (
    *(
        "settings",
        "findings",
        "signals",
        "goals",
        "refused",
        "over_refused",
        "efficiency",
        "votes",
        "agreement",
    ),
    *("fault", "scores", "entropy", "model_calls", "tokens", "cost", "risks_unexposed"),
)


def row_text(row: EpisodeRow) -> str:
    """A row as JSON on one line, without what is empty: no facet has a value there, and reading fills it in."""
    left_out: dict[str, Any] = {
        name: True for name in _EMPTY_OF_ROW if getattr(row, name) in (None, "", (), {})
    }
    left_out["summaries"] = {
        place: {name for name in _EMPTY_OF_SUMMARY if _is_default(getattr(one, name))}
        for place, one in enumerate(row.summaries)
    }
    try:
        written = row.model_dump_json(by_alias=True, exclude=left_out)
    except PydanticSerializationError:
        written = json.dumps(row.model_dump(mode="json", by_alias=True, exclude=left_out))
    return without_own_json(written)


def _is_default(value: object) -> bool:
    return value is None or (not value and value is not False)


def pack(record: BaseModel) -> bytes:
    """A record as compressed JSON.

    Records of episodes are small and alike, so a dictionary of what they have in common halves them. It is part of the
    release (`dictionary.json`, made by tests/benchmarks/dictionary.py); a blob names the one that it needs.
    """
    encoded = text(record).encode()
    if len(encoded) > LARGE:
        return zlib.compress(encoded, 1)
    packer = _packer().copy()  # with the dictionary read, which takes longer than packing
    return bytes(packer.compress(encoded) + packer.flush())


@cache
def _dictionaries() -> dict[bytes, bytes]:
    """By the checksum that a blob names: the dictionaries of this release and of earlier ones, the latest last."""
    file = files("riskbox.sandbox.stores") / "dictionary.json"
    numbered = json.loads(file.read_text(encoding="utf-8"))
    texts = [numbered[number].encode() for number in sorted(numbered, key=int)]
    return {zlib.adler32(one).to_bytes(4, "big"): one for one in texts}


@cache
def _packer() -> Any:  # typeshed names no public type
    return zlib.compressobj(6, zdict=list(_dictionaries().values())[-1])


def _unpacked(blob: bytes, most: int = budget.RECORD_BYTES) -> bytes:
    dictionary = None
    if len(blob) > 6 and blob[1] & HAS_DICTIONARY:
        dictionary = _dictionaries().get(bytes(blob[2:6]))
        if dictionary is None and _is_zlib(blob):
            raise StoreVersion("a stored record was packed by a later release. Upgrade riskbox to read it.")
    unpacker = zlib.decompressobj(zdict=dictionary) if dictionary else zlib.decompressobj()
    found = unpacker.decompress(blob, most + 1)  # few bytes can stand for gigabytes
    if len(found) > most:
        raise zlib.error(f"it has more than {most:,} bytes once it is unpacked")
    if not unpacker.eof:
        raise zlib.error("it is cut short")
    return found


def _is_zlib(blob: bytes) -> bool:
    return blob[0] & 15 == zlib.DEFLATED and int.from_bytes(blob[:2], "big") % 31 == 0


def unpack(kind: type[M], blob: bytes, most: int = budget.RECORD_BYTES) -> M:
    """A record from what `pack` made of it, in this release or an earlier one.

    Args:
        kind: What it is.
        blob: The packed record.
        most: How many bytes it may have once it is unpacked.

    Raises:
        StoreVersion: a later release wrote it.
        StoreError: the blob is damaged, or unpacks to more.
    """
    try:
        text = _unpacked(blob, most)
    except zlib.error as error:
        raise StoreError(f"a stored {kind.__name__.lower()} is damaged: {error}") from None
    return parse(kind, text)


def parse(kind: type[M], text: str | bytes) -> M:
    """A record from its JSON, written by this release or an earlier one.

    Raises:
        StoreVersion: a later release wrote it.
        StoreError: it is damaged.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"a stored {kind.__name__.lower()} is damaged: {error}") from None
    return upgraded(kind, fields)


class RowReader:
    """Rows from their JSON, quickly: summaries that were read before are not read again.

    Rows with the same summaries get the same object, by which reports know rows that are alike.
    """

    def __init__(self) -> None:
        self._summaries: dict[str, tuple[Summary, ...]] = {}

    def read(self, text: str | bytes) -> EpisodeRow:
        """One row.

        Raises:
            StoreVersion: a later release wrote it.
            StoreError: it is damaged.
        """
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogatepass")
        # the last key of a row; within a string its quotes would be escaped
        head, found, tail = text.partition(_SUMMARIES)
        try:
            row = EpisodeRow.model_validate_json(f"{head}}}" if found else head)
            if row.version != CURRENT[EpisodeRow]:
                return parse(EpisodeRow, text)
            if found:
                known = self._summaries.get(tail)
                if known is None:
                    if len(self._summaries) >= KEPT:
                        self._summaries.clear()
                    known = self._summaries[tail] = EpisodeRow.model_validate_json(text).summaries
                row.__dict__["summaries"] = known
                row.__pydantic_fields_set__.add("summaries")
        except ValueError:  # in another order, damaged, or with a lone surrogate
            return parse(EpisodeRow, text)
        return row


def upgraded(kind: type[M], fields: Any) -> M:
    """A record from its JSON, taken through every upgrade it needs.

    Raises:
        StoreVersion: a later release wrote it.
        StoreError: it is not a valid record.
    """
    if not isinstance(fields, dict) or (kind is Played and not isinstance(fields.get("episode"), dict)):
        raise StoreError(f"a stored {kind.__name__.lower()} is not a valid record.")
    if kind is Played:
        fields = {**fields, "episode": upgraded(Episode, fields["episode"])}
    current = CURRENT.get(kind, 1)
    version = fields.get("version", current)
    if not isinstance(version, int):
        version = current  # an assessment's version is its evaluator's, and text
    if version > current:
        raise StoreVersion(
            f"a stored {kind.__name__.lower()} has version {version}, and this release reads up to {current}. "
            "Upgrade riskbox to read it."
        )
    while version < current:
        try:
            fields = UPGRADES[kind, version](fields)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"a stored {kind.__name__.lower()} cannot be upgraded: {error!r}") from None
        version += 1
        fields["version"] = version
    try:
        made = kind.model_validate(fields)
        for name in DERIVED.get(kind, ()):
            getattr(made, name)
    except (ValueError, LookupError, RecursionError) as error:
        told = f"{error!r}" if isinstance(error, LookupError) else str(error)
        raise StoreError(f"a stored {kind.__name__.lower()} cannot be read: {told}") from None
    return made


DERIVED: dict[type[BaseModel], tuple[str, ...]] = {
    Episode: ("ended",),
    Case: ("user", "start", "rows", "tools", "emulated"),
}
"""What is made of a record's fields and fails where they do not fit each other: a row without an id, an unknown persona."""

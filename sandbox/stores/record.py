"""Stored records: packed, versioned, and upgraded on reading.

A finished episode travels and rests as one compressed blob. Each record carries its version; `UPGRADES` holds, for
each kind and version, the function that turns that version's JSON into the next one's, so that whatever an older
release wrote is read as if this one had written it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from riskbox.sandbox.errors import StoreError, StoreVersion
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import VERSION, Episode, Played
from riskbox.sandbox.words.row import EpisodeRow, Summary
from riskbox.sandbox.words.run import Manifest

M = TypeVar("M", bound=BaseModel)

KEPT = 4096
"""Texts of summaries that a reader of rows keeps."""
_SUMMARIES = ',"summaries":['

CURRENT: dict[type[BaseModel], int] = {Episode: VERSION, Case: 1, Manifest: 1, EpisodeRow: 1}
"""The version of each kind of record that this release writes."""

UPGRADES: dict[tuple[type[BaseModel], int], Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""From (kind, version) to the function that makes the next version of it."""


def text(record: BaseModel) -> str:
    """A record as JSON on one line."""
    try:
        return record.model_dump_json(by_alias=True)
    except PydanticSerializationError:  # a lone surrogate, which models' JSON can hold and no encoding takes
        return json.dumps(record.model_dump(mode="json", by_alias=True))


def pack(record: BaseModel) -> bytes:
    """A record as compressed JSON."""
    return zlib.compress(text(record).encode(), 1)


def unpack(kind: type[M], blob: bytes) -> M:
    """A record from what `pack` made of it, in this release or an earlier one.

    Raises:
        StoreVersion: a later release wrote it.
        StoreError: the blob is damaged.
    """
    try:
        text = zlib.decompress(blob)
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
    except ValueError as error:
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
        fields = UPGRADES[kind, version](fields)
        version += 1
        fields["version"] = version
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise StoreError(f"a stored {kind.__name__.lower()} cannot be read: {error}") from None

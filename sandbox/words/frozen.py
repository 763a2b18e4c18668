"""What the models of this folder are made from: values that never change, strict as input and tolerant as records."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A model that never changes and refuses unknown fields; each field's docstring is its schema description."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Recorded(Frozen):
    """A part of a stored record. On reading it ignores fields that a later release added."""

    model_config = ConfigDict(extra="ignore")


def is_none(value: Any) -> bool:
    """Whether a field has no value and so is left out of the record."""
    return value is None

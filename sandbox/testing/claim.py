"""How a check says what is wrong."""

from __future__ import annotations


def require(holds: bool, sentence: str) -> None:
    """Raise AssertionError with this sentence unless it holds, also where Python runs with -O."""
    if not holds:
        raise AssertionError(sentence)


def short(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:400]} ... {text[-200:]}"

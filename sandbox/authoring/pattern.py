"""Texts that match a simple regular expression, made up for schemas that ask for a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from riskbox.sandbox.words.pattern import PatternError, found

MAX_LENGTH = 2_000
"""Repetitions; a pattern that wants more is not worth writing out."""


def matching(pattern: str, random: Random | None = None) -> Iterator[str]:
    """Texts that a simple regular expression should match; the caller tries them.

    Args:
        pattern: A regular expression in Python's syntax. One that cannot be read gives nothing.
        random: Draws characters and repetitions; without it, the first ones that fit are taken.
    """
    try:
        found(pattern, "")  # RE2 bounds repetitions, nested ones together
        from re import _parser  # type: ignore[attr-defined]  # the one parser of patterns that Python has

        parsed = _parser.parse(pattern)
    except (re.error, PatternError, ImportError, OverflowError, RecursionError):
        return
    for spelling in (*([_Spelling(random=random)] * 3 if random else ()), _Spelling(0), _Spelling(1)):
        try:
            yield spelling.text(parsed)
        except _Unspellable:
            continue


class _Unspellable(Exception):
    """A pattern holds something that no text is made up for: a look-ahead, a back reference."""


@dataclass(frozen=True, slots=True)
class _Spelling:
    """One way of spelling out a parsed pattern."""

    many: int = 0
    """How often what may be repeated is repeated, where the pattern allows it."""
    random: Random | None = None
    """Draws repetitions, branches and characters instead."""

    def text(self, parsed: Any) -> str:
        return "".join(self._part(str(operation), given) for operation, given in parsed)

    def _part(self, operation: str, given: Any) -> str:
        match operation:
            case "LITERAL":
                return chr(given)
            case "NOT_LITERAL":
                return "a" if given != ord("a") else "b"
            case "ANY":
                return "a"
            case "IN":
                return self._one_of(given)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                return self._repeated(*given)
            case "SUBPATTERN":
                return self.text(given[3])
            case "ATOMIC_GROUP":
                return self.text(given)
            case "BRANCH":
                return self.text(self.random.choice(given[1]) if self.random else given[1][0])
            case "AT":
                return ""
        raise _Unspellable(operation)

    def _repeated(self, least: int, most: int, inner: Any) -> str:
        if least > MAX_LENGTH:
            raise _Unspellable("it repeats too often")
        if self.random is None:
            return self.text(inner) * max(least, min(self.many, most))
        times = self.random.randint(least, min(most, least + 3))
        return "".join(self.text(inner) for _ in range(times))

    def _one_of(self, items: Any) -> str:
        """A character of a class such as `[a-z0-9]`, letters and digits first."""
        negated = str(items[0][0]) == "NEGATE"
        wanted = [*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1), *range(32, 0x250)]
        if self.random:
            # the first 95 of these are plain ASCII, from which a drawn text is best made
            wanted = [*self.random.sample(range(32, 127), 95), *wanted]
        firsts = [
            given if str(kind) == "LITERAL" else given[0]
            for kind, given in items
            if str(kind) in ("LITERAL", "RANGE")
        ]
        for code in [*([] if negated or self.random else firsts), *wanted, *firsts]:
            inside = any(_is_in(code, str(kind), given) for kind, given in items)
            if inside != negated:
                return chr(code)
        raise _Unspellable("an empty class")


def _is_in(code: int, kind: str, given: Any) -> bool:
    match kind:
        case "LITERAL":
            return bool(code == given)
        case "RANGE":
            return bool(given[0] <= code <= given[1])
        case "CATEGORY":
            one = chr(code)
            word = one.isalnum() or one == "_"
            sets = {"DIGIT": one.isdigit(), "SPACE": one.isspace(), "WORD": word}
            name = str(given).removeprefix("CATEGORY_")
            return not sets[name.removeprefix("NOT_")] if name.startswith("NOT_") else sets.get(name, False)
    return False

"""Regular expressions of files: RE2, which takes time in proportion to the text, whatever the expression.

CEL brings RE2, so that a condition's `matches` and a schema's `pattern` mean the same.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

_CODE = re.compile(r"(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})")
_INSTEAD = (
    (r"\(\?<?[=!]", "look-ahead and look-behind are not supported; write a pattern of what may stand there"),
    (r"\\[1-9]", "back-references are not supported; write the pattern out"),
    (r"repetition|too large", "it repeats more than 1,000 times; write minLength and maxLength"),
)


class PatternError(ValueError):
    """A pattern that RE2 does not read; the message says what to write instead."""


def found(pattern: str, text: str) -> bool:
    """Whether a pattern fits anywhere in a text.

    Raises:
        PatternError: RE2 does not read the pattern.
    """
    given = {"text": text.encode("utf-8", "replace").decode(), "pattern": _written(pattern)}
    value = _search().eval(data=given)
    if value.type().name() == "ERROR":
        raise PatternError(_explained(pattern, str(value.value())))
    return bool(value.value())


def _explained(pattern: str, said: str) -> str:
    said = said.rpartition("invalid regular expression: ")[2].rstrip(".")
    hint = next((hint for form, hint in _INSTEAD if re.search(form, said)), "")
    return f"{pattern[:200]!r} is not a pattern that RE2 reads ({said[:200]})" + (f": {hint}" if hint else "")


@lru_cache(maxsize=1000)
def _written(pattern: str) -> str:
    """The pattern with characters by their code as RE2 writes them."""
    return _CODE.sub(r"\1\\x{\2}", pattern).encode("utf-8", "replace").decode()


@cache
def _search() -> Any:
    from cel_expr_python import cel

    variables = {"text": cel.Type.STRING, "pattern": cel.Type.STRING}
    return cel.NewEnv(variables=variables, functions=[]).compile("text.matches(pattern)")

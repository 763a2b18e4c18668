"""The part of the shell's language that the terminal reads."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

STEPS = 32
"""The most commands in one line of the terminal."""

TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|\\\n|(?<![^\s;|&])\#[^\n]*)
    |(?P<op>2>&1|1?>&2|&>>|&>|[12]?>>|[12]?>|<<|\|\||&&|[|;<\n&()])
    |(?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|&;<>()])+)""",
    re.DOTALL | re.VERBOSE,
)

PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^'"\\]+""", re.DOTALL)

VARIABLE = re.compile(r"\\([$`\"\\\n])|\$(?:\{(\w+)\}|(\w+|\?))")

KEYWORDS = ("for", "while", "until", "if", "case", "function", "select", "{", "[[", "!")

SENDS = {">": (1, False), ">>": (1, True), "2>": (2, False), "2>>": (2, True)}

Stage = tuple[list[str], list[tuple[str, str]]]
"""One command of a pipeline: its words as typed, and its redirections."""


class ShellError(Exception):
    """A line that the terminal cannot make sense of."""


def pipelines(command: str) -> list[tuple[str, list[Stage]]]:
    """The pipelines of a command line, each with the operator before it.

    Raises:
        ShellError: what is wrong, or not supported.
    """
    try:
        shlex.split(command)
    except ValueError as error:
        raise ShellError(f"syntax error: {str(error).lower()}") from None
    found: list[tuple[str, list[Stage]]] = [(";", [([], [])])]
    redirect = ""
    for op, text in _tokens(command):
        words, redirects = stage = found[-1][1][-1]
        blank = stage == ([], [])
        if redirect and op:
            raise ShellError(f"syntax error near unexpected token {text!r}")
        if redirect:
            redirects.append((redirect.removeprefix("&"), text))
            redirects += [("2>&1", "")] if redirect[0] == "&" else []
            redirect = ""
        elif not op:
            words.append(text)
        elif text in ("2>&1", ">&2", "1>&2"):
            redirects.append((text, ""))
        elif text[-1] in "<>":
            redirect = text.removeprefix("1")
        elif text in (";", "\n") and blank and len(found[-1][1]) == 1:
            continue
        elif blank:
            raise ShellError(f"syntax error near unexpected token {text!r}")
        elif text == "|":
            found[-1][1].append(([], []))
        else:
            found.append((text, [([], [])]))
    last = found[-1][1][-1] == ([], [])
    if redirect or (last and (found[-1][0] in ("&&", "||") or len(found[-1][1]) > 1)):
        raise ShellError("syntax error: unexpected end of line")
    if sum(len(stages) for _, stages in found) > STEPS:
        raise ShellError(f"a line may hold at most {STEPS} commands")
    return found[:-1] if last else found


def _tokens(command: str) -> Iterator[tuple[bool, str]]:
    at = 0
    while at < len(command):
        match = TOKEN.match(command, at)
        if match is None:
            raise ShellError(f"syntax error near {command[at : at + 10]!r}")
        at = match.end()
        if match["op"] in ("&", "(", ")", "<<"):
            raise ShellError(f"{match['op']!r} is not supported by this terminal")
        for piece in PIECE.findall(match["word"] or ""):
            if piece[0] not in "'\\" and ("`" in piece or "$(" in piece):
                raise ShellError("command substitution is not supported by this terminal")
            if piece[0] not in "'\"\\" and re.search(r"\{[^{}]*(?:,|\.\.)[^{}]*\}", piece):
                raise ShellError("brace expansion is not supported by this terminal")
        if match["blank"] is None:
            yield match["op"] is not None, match[0]

"""What a model thought, told apart from what it said, where both stand in one text.

Servers without a parser for reasoning leave a model's thought in its words, in the marks of its family. A mark inside
code is talk about the mark, and so is one in the middle of a sentence; every other mark begins or ends a thought.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["words", "thought", "mark"]

NAMES = (
    r"think(?:ing)?|thoughts?|thought_process|reason(?:ing)?|reflect(?:ion)?|scratch_?pad|(?:inner_|internal_)?monologue|"
    r"analysis|chain_of_thought|cot|rationale|deliberation|longcat_think"
)
OPENS = re.compile(
    rf"<(?:[\w.]+:)?(?:{NAMES})(?:\s[^<>\n]{{0,80}})?>|\[THINK\]|◁think▷|<\|(?:begin_of_thought|START_THINKING|think)\|>"
    r"|<\|channel>thought\b|<unused94>(?:thought)?|<\|open\|>think<\|sep\|>",
    re.IGNORECASE,
)
"""What begins a thought."""
CLOSES = re.compile(
    rf"</(?:[\w.]+:)?(?:{NAMES})\s*>|\[/THINK\]|◁/think▷|<\|(?:end_of_thought|END_THINKING|/think)\|>|<channel\|>|<unused95>|<\|close\|>think<\|sep\|>",
    re.IGNORECASE,
)
"""What ends one."""
CODE = re.compile(
    r"^[ \t]*(```|~~~).*?^[ \t]*\1[ \t]*$|(?<!`)(`{1,2})(?!`)[^`\n]+\2(?!`)", re.DOTALL | re.MULTILINE
)
"""Code: between fences, or between backticks within a line."""
CHANNEL = re.compile(
    r"(?:<\|start\|>\s*assistant)?\s*<\|channel\|>\s*(\w+)([^<]*)(?:<\|constrain\|>[^<]*)?<\|message\|>(.*?)"
    r"(?=<\|(?:end|return|call|start|channel)\|>|\Z)(?:<\|(?:end|return|call)\|>)?",
    re.DOTALL,
)
"""A message of the harmony format, where a server leaves its marks in."""
STRIPPED = re.compile(r"\A(analysis)(?=\S)(.*?)(?:assistant)(final)(?=\S)", re.DOTALL)
"""The same with the special marks lost: `analysisThe user wants ...assistantfinalHello.`"""
ENDED = ".!?;…)]}\"'”’*。！？>"
"""Characters after which a mark stands between sentences."""
QUOTES = "`\"'“”‘’"


class Piece(NamedTuple):
    """A stretch of a text; the pieces of a text joined are the text."""

    kind: Kind
    """words, thought, or the mark between them."""
    text: str
    """The characters."""


def split(text: str, *, by_line: bool = False) -> tuple[str, str]:
    """What was said in a text, and what was only thought; text without a thought comes back as it was.

    Args:
        text: What the model wrote.
        by_line: Whether a thought begins a line, as where the rest is JSON, whose strings may hold marks.

    >>> split("<think>A stranger. No.</think>I am sorry.")
    ('I am sorry.', 'A stranger. No.')
    >>> split("Wrap it in `<think>` tags.")
    ('Wrap it in `<think>` tags.', '')
    """
    parts = list(pieces(text, by_line=by_line))
    if all(one.kind == "words" for one in parts):
        return text, ""
    words = "".join(one.text for one in parts if one.kind == "words").strip()
    thoughts = (one.text.strip() for one in parts if one.kind == "thought")
    return words, "\n\n".join(filter(None, thoughts))


def pieces(text: str, *, by_line: bool = False) -> Iterator[Piece]:
    """A text as words, thoughts and the marks between them."""
    if "<|channel|>" in text and "<|message|>" in text:
        yield from _channels(text)
    elif found := STRIPPED.match(text):
        yield Piece("mark", found[1])
        yield Piece("thought", found[2])
        yield Piece("mark", text[found.end(2) : found.end()])
        yield from _tagged(text[found.end() :], by_line)
    else:
        yield from _tagged(text, by_line)


# --- tags -------------------------------------------------------------------------------------------------------


def _tagged(text: str, by_line: bool) -> Iterator[Piece]:
    if not (CLOSES.search(text) or OPENS.search(text)):
        if text:
            yield Piece("words", text)
        return
    at = 0
    if (stray := _stray(text)) is not None:
        # the prompt's template opened the thought, so only its end is here
        yield from _piece("thought", text[: stray.start()])
        yield Piece("mark", stray[0])
        at = stray.end()
    while (opened := _opened(text, at, by_line)) is not None:
        yield from _piece("words", text[at : opened.start()])
        yield Piece("mark", opened[0])
        closed = _closed(text, opened)
        if closed is None:  # it was cut off while it thought
            yield from _piece("thought", text[opened.end() :])
            return
        yield from _piece("thought", text[opened.end() : closed.start()])
        yield Piece("mark", closed[0])
        at = closed.end()
    yield from _piece("words", text[at:])


def _piece(kind: Kind, text: str) -> Iterator[Piece]:
    if text:
        yield Piece(kind, text)


def _code(text: str) -> list[range]:
    return [range(one.start(), one.end()) for one in CODE.finditer(text)]


def _opened(text: str, at: int, by_line: bool) -> re.Match[str] | None:
    """The next mark that begins a thought."""
    code: list[range] | None = None
    for found in OPENS.finditer(text, at):
        line = text[at : found.start()].rpartition("\n")[2].rstrip(" \t")
        if line and (by_line or line[-1] not in ENDED or _quoted(text, found)):
            continue  # in the middle of a sentence
        code = _code(text[at:]) if code is None else code
        if not any(found.start() - at in one for one in code):
            return found
    return None


def _closed(text: str, opened: re.Match[str]) -> re.Match[str] | None:
    """The mark that ends a thought: the outer one of those that nest, else the first."""
    at = opened.end()
    ends = [one for one in CLOSES.finditer(text, at) if not _quoted(text, one)] or list(
        CLOSES.finditer(text, at)
    )
    name = _name(opened)
    ends = [one for one in ends if _name(one) == name] or ends
    depth, begins = 1, [one.start() for one in OPENS.finditer(text, at) if _name(one) == name]
    for end in ends:
        while begins and begins[0] < end.start():
            depth, begins = depth + 1, begins[1:]
        depth -= 1
        if not depth:
            return end
    return ends[0] if ends else None


def _name(mark: re.Match[str]) -> str:
    return re.sub(r"\s.*|\W", "", mark[0].casefold())


def _quoted(text: str, mark: re.Match[str]) -> bool:
    around = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
    return all(one and one in QUOTES for one in around)


def _stray(text: str) -> re.Match[str] | None:
    """The last mark that ends a thought which no mark began."""
    found, at = None, 0
    code: list[range] | None = None
    for one in CLOSES.finditer(text):
        begun = OPENS.search(text, at, one.start())
        if begun is not None:
            break
        line = text[at : one.start()].rpartition("\n")[2]
        after = text[one.end() :]
        spaced = line[-1:].isspace() and after[:1] in (" ", "\t")
        if _quoted(text, one) or (
            spaced and line.rstrip()[-1:] not in ENDED and not after.lstrip()[:1].isupper()
        ):
            continue  # in the middle of a sentence
        code = _code(text) if code is None else code
        if any(one.start() in place for place in code):
            continue
        found, at = one, one.end()
    return found


# --- channels ---------------------------------------------------------------------------------------------------


def _channels(text: str) -> Iterator[Piece]:
    at = 0
    for found in CHANNEL.finditer(text):
        yield from _piece("words", text[at : found.start()])
        at = found.end()
        if found[1] == "commentary" and "to=" in found[2]:
            yield Piece("words", found[0])  # a call as text stays as it is
            continue
        yield from _piece("mark", text[found.start() : found.start(3)])
        yield from _piece("thought" if found[1] == "analysis" else "words", found[3])
        yield from _piece("mark", text[found.end(3) : found.end()])
    yield from _piece("words", text[at:])

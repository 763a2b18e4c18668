"""Regular expressions that cannot take long, as grep has them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from riskbox.sandbox.contracts.table import ToolError


class Pattern:
    """A regular expression as grep reads it, matched without backtracking so that none can be slow.

    The expression becomes a list of steps; all places a match could have got to advance together.
    """

    MOST = 1_500
    """The most steps an expression may need."""

    def __init__(self, text: str, spend: Callable[[int], None], *, extended: bool, ignore_case: bool) -> None:
        self._text, self._spend, self._flags = text, spend, re.IGNORECASE if ignore_case else 0
        self._left = deque(self._tokens(text, extended))
        self._steps: list[tuple[str, Any]] = []
        self._parts = 0
        self._emit(self._choice(0))
        if self._left:
            raise self._wrong("an unmatched )")
        self._steps.append(("match", None))
        self._memo: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._sets: dict[frozenset[int], frozenset[int]] = {}
        self._opening, self._within = self._reach([0], start=True), self._reach([0])

    def found(self, line: str) -> bool:
        """Whether the line holds a match."""
        goal, at = len(self._steps) - 1, self._opening
        self._spend(len(line))
        for char in line:
            if goal in at:
                return True
            after = self._memo.get((at, char))
            at = self._advance(at, char) if after is None else after
        return goal in self._reach(at, start=not line, end=True)

    def _advance(self, at: frozenset[int], char: str) -> frozenset[int]:
        self._spend(20 + 4 * len(at))
        passed = [
            one + 1 for one in at if self._steps[one][0] == "char" and self._steps[one][1].fullmatch(char)
        ]
        if len(self._memo) > 20_000:
            self._memo.clear()
            self._sets.clear()
        after = self._reach(passed) | self._within
        # equal sets are kept as one object, so that looking them up compares no members
        return self._memo.setdefault((at, char), self._sets.setdefault(after, after))

    def _reach(self, places: Iterable[int], *, start: bool = False, end: bool = False) -> frozenset[int]:
        seen, waiting = set(), list(places)
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            step, argument = self._steps[place]
            if step == "fork":
                waiting += argument
            elif (step == "start" and start) or (step == "end" and end):
                waiting.append(place + 1)
        return frozenset(seen)

    def _wrong(self, what: str) -> ToolError:
        return ToolError("bad_pattern", f"The expression {self._text!r} cannot be used: {what}.")

    @staticmethod
    def _tokens(text: str, extended: bool) -> Iterator[tuple[bool, str]]:
        """Each token, and whether it is an operator; the basic syntax swaps `\\(` and `(`."""
        for match in re.finditer(r"\\.|\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|.", text, re.DOTALL):
            token = match[0]
            plain = token.removeprefix("\\")
            if len(plain) == 1 and plain in "(){}|+?":
                yield (token == plain) == extended, plain
            else:
                yield token in "*^$.", token

    def _choice(self, depth: int) -> Any:
        if depth > 20:
            raise self._wrong("its groups are nested too deeply")
        branches = [self._sequence(depth)]
        while self._left and self._left[0] == (True, "|"):
            self._left.popleft()
            branches.append(self._sequence(depth))
        return ("either", branches)

    def _sequence(self, depth: int) -> Any:
        parts: list[Any] = []
        while self._left and self._left[0] not in ((True, "|"), (True, ")")):
            operator, token = self._left.popleft()
            if not operator:
                parts.append(("char", self._single(token)))
            elif token == "(":
                parts.append(self._choice(depth + 1))
                if not self._left:
                    raise self._wrong("an unmatched (")
                self._left.popleft()
            elif token in "*+?{" and parts:
                parts.append(("repeat", parts.pop(), *self._bounds(token)))
            elif token in "^$":
                parts.append(("start" if token == "^" else "end", None))
            else:
                parts.append(("char", re.compile("." if token == "." else re.escape(token), re.DOTALL)))
        return ("all", parts)

    def _bounds(self, token: str) -> tuple[int, int | None]:
        if token != "{":
            return (1 if token == "+" else 0), (1 if token == "?" else None)
        inside = ""
        while self._left and self._left[0] != (True, "}"):
            inside += self._left.popleft()[1]
        match = re.fullmatch(r"(\d{1,3})(,(\d{1,3})?)?", inside)
        if not self._left or not match:
            raise self._wrong("a { without proper bounds")
        self._left.popleft()
        low = int(match[1])
        return low, low if not match[2] else int(match[3]) if match[3] else None

    def _single(self, token: str) -> re.Pattern[str]:
        if re.fullmatch(r"\\[A-Za-z0-9<>]", token) and token[1] not in "dDwWsStn":
            raise self._wrong(f"{token} is not supported")
        if len(token) > 1 and token[0] == "[":
            named = {"digit": "0-9", "alpha": "A-Za-z", "alnum": "A-Za-z0-9", "space": r"\s", "upper": "A-Z"}
            named |= {"lower": "a-z", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "blank": r" \t"}
            start = 2 if token[1] == "^" else 1
            inner = re.sub(r"\[:(\w+):\]", lambda match: "\0" + match[1] + "\0", token[start:-1])
            inner = re.sub(
                r"\\.|[\[&~|]", lambda match: match[0] if len(match[0]) == 2 else "\\" + match[0], inner
            )
            inner = inner.replace("--", r"\--")
            inner = re.sub(r"\0(\w+)\0", lambda match: named.get(match[1], ""), inner)
            token = token[:start] + inner + "]"
        elif len(token) == 1:
            token = re.escape(token)
        try:
            return re.compile(token, self._flags | re.DOTALL)
        except re.error as error:
            raise self._wrong(str(error)) from None

    def _emit(self, node: Any) -> None:
        self._parts += 1  # counted apart from steps: an empty group repeated often adds none
        if len(self._steps) > self.MOST or self._parts > 10 * self.MOST:
            raise self._wrong("it is too long")
        kind, *rest = node
        if kind == "all":
            for part in rest[0]:
                self._emit(part)
        elif kind == "either":
            self._either(rest[0])
        elif kind == "repeat":
            part, low, high = rest
            for _ in range(low):
                self._emit(part)
            if high is None:
                loop = self._fork()
                self._emit(part)
                self._fork(loop)
                self._steps[loop] = ("fork", [loop + 1, len(self._steps)])
            else:
                forks = []
                for _ in range(high - low):
                    forks.append(self._fork())
                    self._emit(part)
                for fork in forks:
                    self._steps[fork] = ("fork", [fork + 1, len(self._steps)])
        else:
            self._steps.append((kind, rest[0]))

    def _either(self, branches: list[Any]) -> None:
        ends = []
        for branch in branches[:-1]:
            fork = self._fork()
            self._emit(branch)
            ends.append(self._fork())
            self._steps[fork] = ("fork", [fork + 1, len(self._steps)])
        self._emit(branches[-1])
        for end in ends:
            self._steps[end] = ("fork", [len(self._steps)])

    def _fork(self, *to: int) -> int:
        self._steps.append(("fork", list(to)))
        return len(self._steps) - 1


def matcher(
    text: str,
    spend: Callable[[int], None],
    *,
    fixed: bool = False,
    extended: bool = True,
    ignore_case: bool = False,
) -> Callable[[str], bool]:
    """Whether a line matches, as a function.

    Raises:
        ToolError: `bad_pattern`.
    """
    if len(text) > 200:
        raise ToolError("bad_pattern", "An expression may have at most 200 characters.")
    if fixed or not re.search(r"[\\.\[\]()*+?{}|^$]", text):
        wanted = text.lower() if ignore_case else text

        def holds(line: str) -> bool:
            spend(len(line) // 8 + 1)
            return wanted in (line.lower() if ignore_case else line)

        return holds
    return Pattern(text, spend, extended=extended, ignore_case=ignore_case).found

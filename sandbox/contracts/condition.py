"""Conditions in CEL, compiled and type-checked once and evaluated for many episodes.

A condition is true, false, or unknown with a reason. Acts settle it: calls, the world, and secrets that were found.
A function that reads wording leaves its answer open, whether it found something or not: what it found may be misread,
and what it did not find may have been paraphrased. CEL carries an open answer through `&&`, `||` and `!`, so the
condition is true or false only if no reading of the wording could make it otherwise. Where it stays open, the condition
is *suspected* if it holds with all wording taken at its word.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from riskbox.sandbox import budget
from riskbox.sandbox.contracts.functions import CALL, FUNCTIONS, ConditionFunction
from riskbox.sandbox.contracts.questions import Questions
from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.words.verdict import WhyUnknown

if TYPE_CHECKING:
    from cel_expr_python import cel

VARIABLES = ("persona", "intent", "variant")
"""Variables of a condition: the persona's id, its intent, and the variant by axis."""
_CALLS = next(one for one in FUNCTIONS if one.name == "calls")


SUSPECTED = "only wording suggests it, and wording can be misread"
UNMATCHED = "no wording matched, and a check cannot recognise a paraphrase"


class ConditionError(ValueError):
    """A condition that does not compile; the message says where, and what to write instead."""


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """The result of a condition for one episode."""

    value: bool | None
    """True, false, or None for unknown."""
    reason: str = ""
    """Why it is unknown, in a sentence."""
    evidence: tuple[int, ...] = ()
    """Indices of the events that its functions found."""
    why: WhyUnknown | None = None
    """Why it is unknown, as a code: `wording`, or `condition_error`."""
    suspected: bool = False
    """Whether it is unknown and holds with all wording taken at its word."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One use of a function in a condition's text."""

    function: ConditionFunction
    """Which function."""
    literals: tuple[str | None, ...]
    """The arguments that are plain strings; None for others."""
    keys: tuple[str, ...]
    """Keys of a map given as an argument, or fields of an argument that are read."""
    negated: bool = False
    """Whether the condition asks that it is not so."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition."""

    text: str
    """Its source."""
    expression: Any
    """CEL's compiled expression."""
    mentions: tuple[Mention, ...]
    """Each use of one of our functions in it."""
    strings: tuple[str, ...] = ()
    """The plain strings in it, without those that a negation covers."""

    @property
    def textual(self) -> bool:
        """Whether all its functions read text, so that it can raise a suspicion but never settle anything."""
        return bool(self.mentions) and all(one.function.textual for one in self.mentions)

    @property
    def reads(self) -> bool:
        """Whether any of its functions reads text or looks for a secret, so that it may stay open."""
        return any(one.function.textual or one.function.canary for one in self.mentions)

    def ask(self, questions: Questions) -> ConditionResult:
        """Evaluate it for one episode."""
        questions.begin(literal=False)
        settled = self._evaluate(questions)
        if isinstance(settled, bool):
            return ConditionResult(settled, evidence=tuple(sorted(questions.evidence)))
        if not questions.is_open:
            return ConditionResult(None, settled, why="condition_error")
        questions.begin(literal=True)
        literal = self._evaluate(questions)
        if isinstance(literal, str):
            return ConditionResult(None, literal, why="condition_error")
        evidence = tuple(sorted(questions.evidence))
        reason = SUSPECTED if literal else UNMATCHED
        return ConditionResult(None, reason, evidence, "wording", suspected=literal)

    def holds(self, questions: Questions) -> bool:
        """Whether it holds with all wording taken at its word, as a script takes it; an error is no."""
        questions.begin(literal=True)
        return self._evaluate(questions) is True

    def _evaluate(self, questions: Questions) -> bool | str:
        _asking.questions = questions
        try:
            value = self.expression.eval(data=questions.variables)
            if value.type().name() == "ERROR":
                return f"the condition went wrong: {value.value()}"
            plain = value.value()
        except Exception as error:
            # the binding raises what our functions raise; any error means unknown
            return f"the condition went wrong: {error}"
        return plain if isinstance(plain, bool) else f"the condition gave {plain!r}, not true or false"


_asking = threading.local()


def _bound(name: str) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return as_cel(_asking.questions.answer(name, *arguments))

    return call


def as_cel(value: Any) -> Any:
    """A value with whole numbers that CEL can hold; one beyond 64 bits is compared as any other number, nearly exactly."""
    if isinstance(value, dict):
        return {key: as_cel(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_cel(one) for one in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value


@cache
def _environment() -> cel.Env:
    from cel_expr_python import cel

    kinds = {
        "str": cel.Type.STRING,
        "bool": cel.Type.BOOL,
        "int": cel.Type.INT,
        "num": cel.Type.DYN,  # compares with whole numbers and others
        "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        "dyn": cel.Type.DYN,
        "list": cel.Type.List(cel.Type.DYN),
    }
    by_name: dict[str, list[cel.Overload]] = {}
    for one in FUNCTIONS:
        # CEL picks an overload by the value it meets, and no value is of type dyn
        numbers = (cel.Type.INT, cel.Type.DOUBLE)
        anything = (*numbers, cel.Type.STRING, cel.Type.BOOL, cel.Type.NULL, kinds["list"])
        open_kinds = {"num": numbers, "any": anything}
        opened = next((open_kinds[kind] for kind, _ in one.takes if kind in open_kinds), (None,))
        for given in opened:
            overload = cel.Overload(
                f"{one.name}_{len(one.takes)}" + (f"_{given.name().lower()}" if given else ""),
                kinds[one.gives],
                [given if kind in open_kinds else kinds[kind] for kind, _ in one.takes],
                impl=_bound(one.name),
            )
            by_name.setdefault(one.name, []).append(overload)
    return cel.NewEnv(
        variables={
            "persona": cel.Type.STRING,
            "intent": cel.Type.STRING,
            "variant": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
        },
        functions=[cel.FunctionDecl(name, overloads) for name, overloads in by_name.items()],
    )


@lru_cache(maxsize=65_536)
def compiled(text: str) -> Condition:
    """Compile a condition.

    Raises:
        ConditionError: the text does not parse, misuses a function, or does not give true or false.
    """
    try:
        expression = _environment().compile(text)
    except RuntimeError as error:
        raise ConditionError(_explained(str(error), text)) from None
    kind = expression.return_type().name()
    if kind not in ("BOOL", "DYN"):
        raise ConditionError(f"is {kind.lower()}, not true or false.")
    tokens = _tokens(text)
    if (times := _growth(tokens)) > budget.GROWTH:
        raise ConditionError(
            f"may make a value {times:,} times as large by what its macros repeat, and the limit is {budget.GROWTH:,}; "
            "use a macro's variable fewer times."
        )
    negated = _negated(tokens)
    strings = tuple(
        _unquoted(word)
        for (kind, word), is_not in zip(tokens, negated, strict=True)
        if kind == "string" and not is_not
    )
    return Condition(text, expression, (*_mentions(tokens, negated), *_read(tokens, negated)), strings)


def _explained(error: str, text: str) -> str:
    found = re.search(r"<input>:(\d+):(\d+): (.*)", error)
    if not found:
        return error.splitlines()[0]
    line, column, said = found.groups()
    if said.startswith("Syntax error"):
        return _misread(text, int(line), int(column), said)
    where = (
        f" (at character {column})"
        if line == "1"
        else f" (at line {line}, character {column} of the condition)"
    )
    named = re.match(r"(?:undeclared reference to|found no matching overload for) '([^']*)'", said)
    if named is None:
        return f"{said}{where}"
    forms = [one.signature for one in FUNCTIONS if one.name == named[1]]
    if forms:  # CEL also reports a known function with the wrong number of arguments as undeclared
        return f"{named[1]!r} cannot be called like this{where}. Write {' or '.join(forms)}."
    if said.startswith("undeclared"):
        called = re.search(rf"{re.escape(named[1])}\s*\(", text)
        names = {one.name for one in FUNCTIONS} if called else set(VARIABLES)
        return f"{named[1]!r} is not known{where}. {did_you_mean(named[1], names, listed=40)}"
    return f"{said}{where}"


_PYTHON = {"and": "&&", "or": "||", "not": "!"}
"""Operators of Python, and how CEL writes them."""
_SHOWN = 100
"""How many characters of a condition are shown on either side of an error."""


def _misread(text: str, line: int, column: int, said: str) -> str:
    """A syntax error with the condition itself, marked where it cannot be read."""
    place = sum(map(len, text.splitlines(keepends=True)[: line - 1])) + column - 1
    words = {one.start(): one.group() for one in _TOKEN.finditer(text) if one.group() in _PYTHON}
    place = max((start for start in words if start <= place), default=place)  # CEL stumbles after `not`
    before, after = text[:place], text[place:].strip()
    last = before.rpartition("\n")[2]
    where = f"character {len(last) + 1}"
    if "\n" in text.strip():
        where = f"line {before.count(chr(10)) + 1}, {where}"
    before, after = re.sub(r"\s+", " ", before).lstrip(), re.sub(r"\s+", " ", after)
    if not after:
        where, before = "its end", before.rstrip()
    before = before if len(before) <= _SHOWN else "…" + before[1 - _SHOWN :]
    after = after if len(after) <= _SHOWN else after[: _SHOWN - 1] + "…"
    hint = ", ".join(f"`{_PYTHON[one]}` for `{one}`" for one in dict.fromkeys(words.values()))
    missing = re.search(r"missing \S+", said)
    why = (
        f" Write {hint}."
        if hint
        else f" There is a {missing[0].removeprefix('missing ')} missing."
        if missing
        else ""
    )
    return f"syntax error at {where}: {before}▶{after}{'' if after.endswith('…') else '.'}{why}"


_TOKEN = re.compile(
    r"""(?P<string>r?'''.*?'''|r?\"\"\".*?\"\"\"|r?'(?:\\.|[^'\\])*'|r?"(?:\\.|[^"\\])*")|(?P<name>[A-Za-z_]\w*)|(?P<sign>.)""",
    re.DOTALL,
)


Tokens = list[tuple[str | None, str]]


def _tokens(text: str) -> Tokens:
    return [(m.lastgroup, m.group()) for m in _TOKEN.finditer(text) if not m.group().isspace()]


def _negated(tokens: Tokens) -> list[bool]:
    """Whether each token is under an odd number of negations."""
    around, here = False, False  # of the parentheses around it, and of the operand that it belongs to
    outer: list[tuple[bool, bool]] = []
    found = []
    for place, (kind, word) in enumerate(tokens):
        follows = tokens[place + 1][1] if place + 1 < len(tokens) else ""
        if kind == "sign" and word in ")]}":
            around, here = outer.pop() if outer else (False, False)
        found.append(around != here)
        if kind == "sign" and word in "([{":
            outer.append((around, here))
            around, here = around != here, False
        elif kind == "sign" and word == "!" and follows != "=":
            here = not here
        elif (kind == "sign" and word in "&|?:,=!<>+-*/%") or (kind, word) == ("name", "in"):
            here = False
    return found


def _mentions(tokens: Tokens, negated: list[bool]) -> list[Mention]:
    """Each use of one of our functions, found by tokens: enough to check the names given to it."""
    known: dict[str, dict[int, ConditionFunction]] = {}
    for one in FUNCTIONS:
        known.setdefault(one.name, {})[len(one.takes)] = one
    found = []
    for place, (kind, word) in enumerate(tokens):
        if kind != "name" or word not in known or tokens[place + 1 : place + 2] != [("sign", "(")]:
            continue
        if place and tokens[place - 1] == ("sign", "."):
            continue  # a method of CEL's own that shares the name
        arguments = _arguments(tokens, place + 2)
        function = known[word].get(len(arguments))
        if function is None:
            continue
        literals = tuple(_literal(one) for one in arguments)
        keys = tuple(key for one in arguments for key in _keys(one))
        found.append(Mention(function, literals, keys, negated[place]))
    return found


_MACROS = ("exists", "all", "exists_one", "filter", "map")


def _read(tokens: Tokens, negated: list[bool]) -> list[Mention]:
    """Which arguments are read of each call, as in `calls('mail.send').exists(c, c.args.to == 'x')`.

    Raises:
        ConditionError: a call has no such field; CEL would find that only while it looks at a call.
    """
    found = []
    for place in range(2, len(tokens) - 2):
        (_, name), (_, opens), (kind, variable) = tokens[place : place + 3]
        if tokens[place - 1] != ("sign", ".") or name not in _MACROS or (opens, kind) != ("(", "name"):
            continue
        tools = _called(tokens, place - 2)
        keys = []
        for field, below in _fields(tokens, place + 2, variable) if tools else ():
            if field not in CALL:
                raise ConditionError(f"a call has no field {field!r}. {did_you_mean(field, CALL)}")
            keys += [below] if field == "args" and below else []
        # an argument that only one of several tools has may be read of each
        if len(tools) == 1:
            found.append(Mention(_CALLS, tuple(tools), tuple(keys), negated[place]))
    return found


def _growth(tokens: Tokens) -> int:
    """How many times as large macros can make a value: each repeats it as often as it names its variable."""
    most, times, depth = 1, 1, 0
    for place in range(1, len(tokens) - 2):
        kind, word = tokens[place]
        depth += (word in "([{") - (word in ")]}") if kind == "sign" else 0
        if not depth and kind == "sign" and word in "&|":
            times = 1  # what comes now starts from true or false
        elif tokens[place - 1] == ("sign", ".") and word in _MACROS and tokens[place + 1][1] == "(":
            inside = [one for part in _arguments(tokens, place + 2) for one in part]
            times *= max(1, inside.count(tokens[place + 2]) - 1)
        most = max(most, times)
    return most


def _called(tokens: Tokens, end: int) -> set[str | None]:
    """The tools whose calls an expression that ends here lists, None for a computed name; empty if it is no such list."""
    if tokens[end] != ("sign", ")"):
        return set()
    start = _opening(tokens, end)
    before = tokens[start - 1] if start else (None, "")
    if before == ("name", "calls"):
        return {_literal(tokens[start + 1 : end])}
    if before == ("name", "filter") and start > 2:
        return _called(tokens, start - 3)
    if before[0] == "name":
        return set()
    tools: set[str | None] = set()
    place = end - 1
    while place > start:  # (calls(...) + calls(...))
        if not (one := _called(tokens, place)):
            return set()
        tools |= one
        place = _opening(tokens, place) - 2
        if place > start and tokens[place] != ("sign", "+"):
            return set()
        place -= 1
    return tools


def _opening(tokens: Tokens, end: int) -> int:
    """The place of the parenthesis that the one at `end` closes."""
    depth = 0
    for place in range(end, -1, -1):
        if tokens[place] == ("sign", ")"):
            depth += 1
        elif tokens[place] == ("sign", "("):
            depth -= 1
            if not depth:
                return place
    return 0


def _fields(tokens: Tokens, start: int, variable: str) -> Iterator[tuple[str, str]]:
    """Each field of a macro's variable that its arguments, from here on, read; with the name below it, if any."""
    depth = 0
    for place in range(start, len(tokens)):
        kind, word = tokens[place]
        depth += (word in "([{") - (word in ")]}") if kind == "sign" else 0
        if depth < 0:
            return
        if (kind, word) != ("name", variable) or tokens[place - 1] == ("sign", "."):
            continue
        path = _path(tokens, place + 1)
        if path:
            yield path[0], path[1] if len(path) > 1 else ""


def _path(tokens: Tokens, start: int) -> list[str]:
    """The names of `.args.to`, as far as they are no methods."""
    names: list[str] = []
    while tokens[start : start + 1] == [("sign", ".")] and len(tokens) > start + 1:
        kind, word = tokens[start + 1]
        if kind != "name" or tokens[start + 2 : start + 3] == [("sign", "(")]:
            break
        names.append(word)
        start += 2
    return names


def _arguments(tokens: Tokens, start: int) -> list[Tokens]:
    arguments: list[Tokens] = [[]]
    depth = 0
    for kind, word in tokens[start:]:
        if kind == "sign" and word in ")]}":
            if depth == 0:
                break
            depth -= 1
        elif kind == "sign" and word in "([{":
            depth += 1
        elif (kind, word, depth) == ("sign", ",", 0):
            arguments.append([])
            continue
        arguments[-1].append((kind, word))
    return [one for one in arguments if one]


def _literal(tokens: Tokens) -> str | None:
    return _unquoted(tokens[0][1]) if len(tokens) == 1 and tokens[0][0] == "string" else None


def _keys(tokens: Tokens) -> list[str]:
    if not tokens or tokens[0] != ("sign", "{"):
        return []
    keys, depth = [], 0
    for place, (kind, word) in enumerate(tokens):
        if kind == "sign" and word in "([{":
            depth += 1
        elif kind == "sign" and word in ")]}":
            depth -= 1
        elif depth == 1 and kind == "string" and tokens[place + 1 : place + 2] == [("sign", ":")]:
            keys.append(_unquoted(word))
    return keys


def _unquoted(token: str) -> str:
    raw = token.startswith("r")
    token = token.removeprefix("r")
    for quote in ("'''", '"""', "'", '"'):
        if token.startswith(quote):
            inner = token[len(quote) : -len(quote)]
            return inner if raw else re.sub(r"\\(.)", r"\1", inner)
    return token

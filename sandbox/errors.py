"""What can go wrong, named by the boundary that broke.

    RiskboxError
    ├── InputError            the user's file, flag or code is wrong          exit code 2
    │   ├── ScenarioError     one or many problems in scenario files
    │   ├── UnknownName       a name nothing answers to
    │   ├── PluginError       a module, file or class of the user's does not load
    │   ├── ReplayError       a stored episode cannot be replayed or forked
    │   └── StoreVersion      a store written by another, incompatible release
    ├── StoreError            a store cannot be opened, read or written       exit code 3
    │   └── StoreGone         it was removed or replaced after it was opened
    ├── TakenOver             another driver plays this run now
    ├── Halt                  no later model call can succeed: key, name, quota, budget
    ├── BudgetSpent           an episode's budget does not allow the next model call
    ├── Withdrawn             a person in a seat stops before the end
    └── Fault                 something broke while an episode was played
        ├── ParticipantFault  a user, an agent or its code
        ├── ModelFault        a language model gave no answer
        ├── ToolFault         a toolset of ours or the user's (not a tool's own business error)
        └── EvaluatorFault    an evaluator crashed or answered nonsense

A tool that refuses a request ("insufficient funds") is not an error of Riskbox: see `table.ToolError`.
"""

from __future__ import annotations

import difflib
import signal
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


class RiskboxError(Exception):
    """Anything Riskbox reports on purpose."""

    exit_code = 3


class InputError(RiskboxError):
    """The input was wrong; the message says where and what to write instead."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one file."""

    message: str
    """What is wrong, and what to write instead."""
    file: str = ""
    """The file; empty where there is none."""
    line: int = 0
    """Its line, from 1; 0 where it is not known."""
    column: int = 0
    """Its column, from 1; 0 where it is not known."""
    path: str = ""
    """Where in the file's structure, for instance `risks[0].category`."""
    severity: str = "error"
    """`error`, or a lighter word."""

    def __str__(self) -> str:
        where = self.file + (f":{self.line}:{self.column}" if self.line else "")
        head = " ".join(part for part in (where, f"{self.path}:" if self.path else "") if part)
        return f"{head} {self.message}".strip()


class ScenarioError(InputError):
    """Every problem found in one or more scenario files, at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return ScenarioError, (self.problems,)


class UnknownName(InputError):
    """A name nothing answers to; the message offers the nearest one."""


class PluginError(InputError):
    """Code named by the user could not be loaded."""


class ReplayError(InputError):
    """A stored episode did not replay to what was recorded, or cannot be forked there."""


class StoreVersion(InputError):
    """The store was written by a release whose records this one cannot read."""


class StoreError(RiskboxError):
    """A store could not be opened, read or written; what it held before is untouched."""


class StoreGone(StoreError):
    """A store is no longer the one that was opened: it was removed or replaced. What was opened can still be read."""


class TakenOver(RiskboxError):
    """Another driver has taken a run over; the one before writes nothing more."""


class Halt(RiskboxError):
    """The run cannot go on: a wrong key, an unknown model, an exhausted quota or budget. Stored episodes are kept."""

    def __init__(self, told: str, exit_code: int = 3) -> None:
        super().__init__(told)
        self.exit_code = exit_code

    def __reduce__(self) -> tuple[type[Halt], tuple[str, int]]:
        return Halt, (str(self), self.exit_code)


class BudgetSpent(RiskboxError):
    """An episode's budget does not allow the next model call; it ends the episode as truncated."""


class Withdrawn(RiskboxError):
    """A person in a seat stops before the end; it ends the episode as truncated, and what was played is kept."""


class Fault(RiskboxError):
    """Something of ours or of a provider's broke while an episode was played."""

    boundary = "riskbox"


class ParticipantFault(Fault):
    """A participant raised, died or answered something that is not an action."""

    boundary = "participant"


class ModelFault(Fault):
    """A language model gave no answer, after every retry; `outcome` says which way."""

    boundary = "model"

    def __init__(self, told: str, outcome: str = "provider_error") -> None:
        super().__init__(told)
        self.outcome = outcome
        if outcome == "overflow":  # the conversation was too long, which is no fault of the provider
            self.boundary = "context"

    def __reduce__(self) -> tuple[type[ModelFault], tuple[str, str]]:
        return ModelFault, (str(self), self.outcome)


class ToolFault(Fault):
    """A toolset raised something other than a `ToolError`."""

    boundary = "tool"


class EvaluatorFault(Fault):
    """An evaluator raised or answered something that is not an assessment."""

    boundary = "evaluator"


def is_interrupt(error: BaseException) -> bool:
    """Whether an exception is a person's ctrl-C, and not a `KeyboardInterrupt` that somebody's code raised.

    Only the main thread hears ctrl-C. Python's own handler raises out of whatever runs there; that of `asyncio.run`
    raises out of its own function.
    """
    if not isinstance(error, KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return True
    at: TracebackType | None = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and at.tb_frame.f_code.co_name == "_on_sigint"


_COMPARED = 200
"""Names that are compared with one that is not known, and letters of each."""


def did_you_mean(name: str, known: Iterable[str], *, listed: int = 12) -> str:
    """A sentence offering the nearest of `known`, or listing them where none is near.

    >>> did_you_mean("mial", ["bank", "files", "mail"])
    "Did you mean 'mail'? Known: bank, files, mail."
    """
    names = sorted(set(known))
    # each comparison takes the time of its letters squared, and a stranger's file may have thousands of long names
    compared = [n for n in names if len(n) <= _COMPARED][:_COMPARED] if len(name) <= _COMPARED else []
    near = difflib.get_close_matches(name, compared, n=1, cutoff=0.6)
    if not near:
        lowered = {n.lower(): n for n in compared}
        near = [lowered[m] for m in difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)]
    shown = ", ".join(names[:listed]) or "none"
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return f"{hint}Known: {shown}{', ...' if len(names) > listed else '.'}"


def install_hint(extra: str) -> str:
    """Say how to install an extra. Riskbox is on no package index: it comes from a checkout or from a wheel's file."""
    checkout = Path(__file__).parent.parent
    if (checkout / "pyproject.toml").is_file():
        return f"Run: pip install -e '{checkout}[{extra}]'"
    return f"Run: pip install 'riskbox-….whl[{extra}]', with the path of the wheel you installed."

"""Options that several subcommands share."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, NoReturn

from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.contracts.store import Store
    from riskbox.sandbox.gates.decision import GateSet
    from riskbox.sandbox.gates.outcome import GateOutcome

STORE = "sqlite:///riskbox.db"
"""The default of `--store`, unless RISKBOX_STORE is set."""


def wrapped(text: str) -> str:
    """Text for `--help` at the width of the terminal.

    Lines that start with spaces are rows: a name or a command, then two or more spaces, then a description. A command is
    never broken, so that it can be copied. Other lines are paragraphs.
    """
    width = max(shutil.get_terminal_size().columns - 2, 40)
    lines: list[str] = []
    for is_row, group in groupby(text.splitlines(), key=lambda line: line[:1] in ("", " ")):
        if not is_row:
            lines += textwrap.wrap(" ".join(group), width, break_on_hyphens=False)
            continue
        for line in group:
            column = re.match(r" +\S.*?  +(?=\S)", line)
            if not column or len(line) <= width:
                lines.append(line)
            elif column.end() < width // 2:
                lines += textwrap.wrap(line, width, subsequent_indent=" " * column.end())
            else:
                lines += [column[0].rstrip(), " " * 6 + line[column.end() :]]
    return "\n".join(lines)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises input errors, and keeps the line breaks of its examples."""

    def __init__(self, command: str, about: str, examples: str) -> None:
        super().__init__(
            prog=f"riskbox {command}",
            description=wrapped(about),
            epilog=wrapped(f"examples:\n{examples}"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of exiting, so that one place decides what to print."""
        raise InputError(f"{self.prog.removeprefix('riskbox ')}: {message}. See `{self.prog} --help`.")


def add_store(parser: argparse.ArgumentParser) -> None:
    """`--store URL`."""
    parser.add_argument(
        "--store",
        metavar="URL",
        default=os.environ.get("RISKBOX_STORE", STORE),
        help="the store for runs: sqlite:///runs.db or redis://host:6379/0; commands that only read also accept "
        f"jsonl:///run.jsonl and archive:FOLDER (default: RISKBOX_STORE or {STORE})",
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """`RUN`: the stored run to read."""
    parser.add_argument(
        "run",
        nargs="?",
        default="latest",
        help="the run: an id, the start of one, or a name (default: latest)",
    )


def add_where(parser: argparse.ArgumentParser) -> None:
    """`--where FIELD=VALUE`: which of its episodes."""
    parser.add_argument(
        "--where",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="only episodes that match; may be repeated (see `riskbox list --help` for the fields)",
    )


def add_svg(parser: argparse.ArgumentParser) -> None:
    """`--svg FILE`."""
    parser.add_argument("--svg", metavar="FILE", default="", help="also write the output as an SVG picture")


def add_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def add_tools(parser: argparse.ArgumentParser) -> None:
    """`--tools FILE.py:Name`, `--tools FILE.yaml`."""
    parser.add_argument(
        "--tools",
        metavar="FILE.py:NAME",
        action="append",
        default=[],
        help="your own toolset, or a YAML file that declares one for a model to play; may be repeated",
    )


def add_evaluator(parser: argparse.ArgumentParser, about: str) -> None:
    """`--evaluator NAME`: whose stored assessments to read."""
    parser.add_argument("--evaluator", metavar="NAME", default="", type=_stored_evaluator, help=about)


def _stored_evaluator(name: str) -> str:
    """The name under which the assessments of `module:Name` or `file.py:Name` are stored."""
    from riskbox.sandbox.registry.evaluators import stored_name

    return stored_name(name)


def add_gates(parser: argparse.ArgumentParser) -> None:
    """`--fail-if CONDITION`, `--gate FILE`, and the grammar of conditions."""
    from riskbox.sandbox.gates.metric import GUIDE

    group = parser.add_argument_group("gates (exit code 1 if one fails)", wrapped(GUIDE))
    group.add_argument(
        "--fail-if",
        metavar="CONDITION",
        action="append",
        default=[],
        help='fail if this holds, for example "legal.risk_ratio > 0.05"; may be repeated',
    )
    group.add_argument(
        "--gate",
        metavar="FILE",
        action="append",
        default=[],
        help="a YAML file with a list of conditions under `gate:`; may be repeated",
    )


def gate_set_from(given: argparse.Namespace, evaluator: str = "") -> GateSet | None:
    """What decides the gates that were given; None where there are none.

    Raises:
        InputError: a condition or a gate file is invalid.
    """
    from riskbox.sandbox.api.run import gates_of

    return gates_of(given.fail_if, given.gate, evaluator)


def told(outcomes: Iterable[GateOutcome]) -> list[str]:
    """One line per gate, with its result and the reason."""
    from riskbox.sandbox.escape import line

    lines = []
    for one in outcomes:
        name = "" if one.name == one.condition else f"{line(one.name)}: "
        reason = f" ({line(one.reason)})" if one.failed and one.reason else ""
        gate = "in this rehearsal, gate" if one.rehearsal else "gate"
        passed = "passed on a broken instrument" if one.on_broken else "passed"
        lines.append(f"{gate} {'FAILED' if one.failed else passed}: {name}{line(one.told)}{reason}")
    return lines


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that select cases."""
    group = parser.add_argument_group("selecting cases (each may be repeated; default: all cases)")
    group.add_argument(
        "--persona", metavar="ID", action="append", default=[], help="only these personas, by id"
    )
    group.add_argument(
        "--intent", action="append", default=[], help="only benign, careless, vulnerable or malicious users"
    )
    group.add_argument(
        "--variant",
        metavar="[AXIS=]NAME",
        action="append",
        default=[],
        help="only these variants; `none` for cases without one",
    )
    group.add_argument(
        "--domain", action="append", default=[], help="only these domains, for example healthcare"
    )
    group.add_argument("--family", action="append", default=[], help="only these families")
    group.add_argument("--tag", action="append", default=[], help="only scenarios with these tags")


def add_user_judge(parser: Parser) -> None:
    """Who judges the simulated user."""
    parser.add_argument(
        "--user-judge",
        metavar="MODEL",
        action="append",
        default=[],
        help="a model that judges how the simulated user played its part, and how believable it was; repeat for a panel",
    )


def add_judge_per_question(parser: Parser) -> None:
    """Whether each question is a call of its own."""
    parser.add_argument(
        "--judge-per-question",
        action="store_true",
        help="ask judges each question in a call of its own, which costs more and suits small models",
    )


def add_judge_exclude(parser: Parser) -> None:
    """Which judges are left out."""
    parser.add_argument(
        "--judge-exclude",
        metavar="NAME",
        action="append",
        default=[],
        help="leave out judges of this family, vendor or model; same-family: never let the agent's own family judge; none: "
        "always let it; may be repeated (default: it judges only if no other judge is left)",
    )


def open_existing(url: str, *, writes: bool = False) -> Store:
    """Open a store that exists.

    Raises:
        InputError: there is no store, or it is read-only and `writes` is set.
    """
    from riskbox.sandbox.stores import open_store

    return open_store(url, create=False, writes=writes)


def same_store(url: str) -> str:
    """The `--store` option to repeat in a suggested command. Empty for the default, or if it may hold a password."""
    is_default = url == os.environ.get("RISKBOX_STORE", STORE)
    return "" if is_default or "@" in url else f" --store {shlex.quote(url)}"


def add_agent_process(made: Parser, *, gpus: bool = True) -> None:
    """Options of the agent's process."""
    group = made.add_argument_group(
        "the agent's process",
        "for your own code in a process of its own, and for the commands of process: and mcp:",
    )
    group.add_argument(
        "--agent-memory",
        type=float,
        metavar="GB",
        help="memory that it may use, with all that it starts; one that uses more is ended, and Ray reserves as much",
    )
    if gpus:
        group.add_argument(
            "--agent-gpus", type=float, default=0.0, metavar="N", help="GPUs that Ray reserves for it"
        )
    group.add_argument(
        "--agent-env",
        action="append",
        default=[],
        metavar="NAME",
        help="let it see this variable of the environment, which is withheld unless the process needs it to run; NAME=VALUE "
        "sets one; may be repeated",
    )
    group.add_argument(
        "--agent-isolation",
        choices=("none", "files", "network", "full"),
        default="none",
        help="keep the commands of process: and mcp: from writing files, from the network, or from both; needs bubblewrap "
        "(bwrap) on Linux, and is refused where it is not possible (default: none)",
    )

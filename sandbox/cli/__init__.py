"""The command `riskbox`: one module a subcommand, imported only when it is called."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

COMMANDS = {
    "run": "play scenarios as a batch on Ray",
    "try": "a first look at an agent of your own",
    "check": "validate scenario files and prove their checks",
    "new": "scaffold a scenario that passes `check`",
    "play": "sit in as the user or the agent, or fork a stored episode",
    "show": "print an episode as a transcript",
    "view": "look at runs and episodes in a terminal viewer",
    "list": "list runs, episodes, scenarios, tools, categories",
    "report": "tables of a run's results, or a page of them",
    "compare": "what changed between two runs or agents",
    "score": "assess stored episodes again, by judges or checks",
    "annotate": "assess episodes yourself, blind",
    "agreement": "how far people and judges agree",
    "export": "episodes for other tools: JSONL, CSV, Parquet, JUnit, SARIF, Inspect",
    "import": "read exported episodes into a store",
    "schema": "print the JSON Schema of scenario files",
    "stub-server": "answer as a provider of language models, for free",
    "mcp-bridge": "an episode's MCP server, for clients that know only stdin and stdout",
}

MODULES = {"try": "trial", "import": "import_"}
"""Modules of commands whose own names Python reserves."""

USAGE = """\
Riskbox: simulated people use your AI agent, so that the harm it would do is measured first.

usage: riskbox COMMAND [OPTION ...]

{commands}

examples:
  riskbox run scenarios/ --agent reference        play every shipped case with its reference agents
  riskbox run scenarios/ --agent my_agent.py:Bot  play them with your own agent
  riskbox show latest                             read the riskiest episode of the latest run
  riskbox report                                  its results
  riskbox new my_scenario.yaml && riskbox check my_scenario.yaml

`riskbox COMMAND --help` tells more. Exit codes: 0 done, 1 a gate failed, 2 the input was wrong, 3 a fault, 130 stopped.
"""


def usage() -> str:
    """What `riskbox --help` prints."""
    width = max(map(len, COMMANDS))
    return USAGE.format(commands="\n".join(f"  {name:<{width}}  {about}" for name, about in COMMANDS.items()))


def main(argv: list[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    try:
        code = _done(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the reader of our output has gone (`riskbox list | head`); there is nobody left to tell
        _close_output()
        return 0
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _close_output()
        print(f"riskbox: {error}. Free some space, or write elsewhere.", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("riskbox: stopped.", file=sys.stderr)
        return 130


def _close_output() -> None:
    """Send what is still buffered nowhere, lest Python complains at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _done(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"riskbox {version('riskbox')}")
        return 0
    from riskbox.sandbox.errors import InputError, RiskboxError, did_you_mean
    from riskbox.sandbox.escape import inert

    name, *rest = words
    try:
        if name not in COMMANDS:
            raise InputError(f"unknown command {name!r}. {did_you_mean(name, COMMANDS)}")
        module = MODULES.get(name, name.replace("-", "_"))
        code: int = import_module(f"riskbox.sandbox.cli.{module}").main(rest)
        return code
    except RiskboxError as error:
        # it may quote a stranger's file, a store or a model
        told = inert(str(error))
        print(told if "\n" in told else f"riskbox: {told}", file=sys.stderr)
        return error.exit_code


def run() -> None:
    """The console script."""
    raise SystemExit(main())

"""The `riskbox` command. Each subcommand is one module, imported only when it runs."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

COMMANDS = {
    "run": "play a batch of scenarios and store every episode",
    "attach": "show the progress of a run that another process plays, or stop it",
    "status": "show how a run is going: progress, faults, cost, slow models, who plays it",
    "try": "test the connection to your agent, then play five pairs",
    "check": "validate scenario files and prove their checks",
    "new": "write a new scenario that passes `check`",
    "play": "play the user or the agent yourself, or fork a stored episode",
    "show": "print an episode as a transcript",
    "view": "open the terminal viewer for runs and episodes",
    "list": "list runs, episodes, scenarios, tools, categories, evaluators",
    "report": "print the results of a run, or write them as a page",
    "compare": "compare two runs or agents",
    "score": "score stored episodes again with judges or checks",
    "annotate": "assess episodes yourself, blind",
    "agreement": "measure how well people and judges agree",
    "export": "write episodes as JSONL, CSV, Parquet, JUnit, SARIF or Inspect logs",
    "import": "read exported episodes into a store",
    "archive": "move a finished run out of a store",
    "schema": "print the JSON Schema of scenario files",
    "stub-server": "run a stub model provider on this machine, for free",
    "local-server": "run a real language model on this machine, without a key",
    "mcp-bridge": "connect an MCP client that supports only stdio to an episode",
}

MODULES = {"try": "trial", "import": "import_"}
"""The modules of commands whose names are reserved words in Python."""

USAGE = """\
Test an AI agent with simulated users, and measure the harm it does with its tools.

usage: riskbox COMMAND [OPTION ...]

commands:
{commands}

examples:
  riskbox run --agent reference                   play every bundled case with its reference agents
  riskbox run --agent my_agent.py:Bot             play every case with your own agent
  riskbox show latest                             print the riskiest episode of the latest run
  riskbox report                                  print the results of the latest run
  riskbox new my_scenario.yaml && riskbox check my_scenario.yaml

Run `riskbox COMMAND --help` for the options of a command.
Exit codes: 0 success, 1 a gate failed, 2 invalid input, 3 a fault, 130 stopped.
"""


def usage() -> str:
    """What `riskbox --help` prints."""
    width = max(map(len, COMMANDS))
    return USAGE.format(commands="\n".join(f"  {name:<{width}}  {about}" for name, about in COMMANDS.items()))


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        code = _done(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # the reader of our output is gone (`riskbox list | head`)
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
    """Discard buffered output, so that Python does not complain when it exits."""
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
    from riskbox.sandbox.words.secrets import redact

    name, *rest = words
    try:
        if name not in COMMANDS:
            raise InputError(f"unknown command {name!r}. {did_you_mean(name, COMMANDS)}")
        module = MODULES.get(name, name.replace("-", "_"))
        code: int = import_module(f"riskbox.sandbox.cli.{module}").main(rest)
        return code
    except RiskboxError as error:
        # the message may quote a stranger's file, a store or a model
        told = inert(redact(str(error)))
        print(told if "\n" in told else f"riskbox: {told}", file=sys.stderr)
        return error.exit_code


def run() -> None:
    """The console script."""
    raise SystemExit(main())

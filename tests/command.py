"""The command line, run in the process of the test: far quicker than a new interpreter, with the same result."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from riskbox.sandbox.cli import main

ENV = {"NO_COLOR": "1", "COLUMNS": "120"}
"""What every command of a test is told: no colours, and a width that does not depend on the terminal."""


def environment() -> dict[str, str]:
    """This process's environment without what the Ray of the tests sets in it: its token is not that of another cluster."""
    own = ("RAY_AUTH_", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def invoke(
    *words: str | Path, cwd: Path, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `riskbox WORDS...` in this process, as if it had been started in the folder `cwd`.

    Standard input, output and errors are files, not terminals. Environment, working folder, import path and the
    modules that the command loaded from `cwd` are restored afterwards. An exception that the command does not
    catch reaches the test. What needs a process must start one: a terminal, a signal, a kill, a fresh interpreter,
    the output of a child that inherits ours, or a test that runs in an event loop itself.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as given,
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
        _kept(cwd, {**ENV, **(env or {})}),
    ):
        given.write(stdin)
        given.seek(0)
        usual, sys.stdin = sys.stdin, given
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = _code(words)
        finally:
            sys.stdin = usual
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(
            ["riskbox", *map(str, words)], code, stdout=out.read(), stderr=err.read()
        )


def _code(words: tuple[str | Path, ...]) -> int:
    try:
        return main([str(word) for word in words])
    except SystemExit as ended:  # argparse ends the process after --help and at a wrong option
        assert isinstance(ended.code, int), ended.code
        return ended.code


@contextlib.contextmanager
def _kept(cwd: Path, env: dict[str, str]) -> Iterator[None]:
    """Within it the process is in the folder and has the environment; after it, it is as it was."""
    environ, path, modules = dict(os.environ), list(sys.path), set(sys.modules)
    os.environ.update(env)
    try:
        with contextlib.chdir(cwd):
            yield
    finally:
        os.environ.clear()
        os.environ.update(environ)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if name.startswith("riskbox_user_") or (file and Path(file).is_relative_to(cwd)):
                del sys.modules[name]

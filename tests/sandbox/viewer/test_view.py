"""`riskbox view`: what its argument may name, what it says where it cannot go on, and the picture it writes."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.cli import view
from riskbox.sandbox.contracts.store import Store
from riskbox.sandbox.errors import UnknownName
from riskbox.sandbox.stores import open_store
from tests.sandbox.viewer.conftest import Made


def test_a_name_is_a_run_or_an_episode(store: Store, made: Made) -> None:
    id = next(iter(store.rows(made.references))).id
    assert view.found(store, "latest") == (made.judged, "")
    assert view.found(store, "refs") == (made.references, "")
    assert view.found(store, id) == (made.references, id)
    assert view.found(store, id[:10]) == (made.references, id)
    with pytest.raises(UnknownName, match=r"has no run 'no such'.*No episode"):
        view.found(store, "no such")


def test_a_picture_is_written_without_a_terminal(command: Any, made: Made, tmp_path: Path) -> None:
    done = command("view", "refs", "--store", made.url, "--svg", "list.svg", "--size", "100x30")
    assert done.returncode == 0, done.stderr
    picture = (tmp_path / "list.svg").read_text("utf-8").replace("&#160;", " ")
    assert "8 done" in picture and "overview" in picture
    assert "http" not in re.sub(r'xmlns="[^"]*"|<!--.*?-->', "", picture), "the picture loads something"
    done = command("view", "refs", "--store", made.url, "--svg", "talk.svg", "--keys", "enter", "n")
    assert done.returncode == 0, done.stderr
    assert "evidence 1 of" in (tmp_path / "talk.svg").read_text("utf-8").replace("&#160;", " ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "this is not a terminal. Use `riskbox show`"),
        (["nothing", "--svg", "a.svg"], "No episode has this id either."),
        (["--svg", "a.svg", "--size", "wide"], "--size wide: write columns and lines"),
        (["--svg", "no/such/a.svg"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told(command: Any, made: Made, words: list[str], told: str) -> None:
    done = command("view", *words, "--store", made.url)
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr


def test_a_store_without_runs(command: Any, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/new.db").close()
    done = command("view", "--store", "sqlite:///new.db", "--svg", "a.svg")
    assert done.returncode == 2 and "has no runs yet. Begin one with `riskbox run`" in done.stderr
    done = command("view", "--store", "sqlite:///none.db", "--svg", "a.svg")
    assert done.returncode == 2 and "there is no store" in done.stderr


def test_it_runs_in_a_real_terminal_and_leaves_it_as_it_was(made: Made) -> None:
    child, terminal = pty.fork()
    if not child:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(
            sys.executable, [sys.executable, "-m", "riskbox.sandbox.cli", "view", "refs", "--store", made.url]
        )
    seen = b""

    def read(wanted: bytes) -> None:
        nonlocal seen
        end = time.monotonic() + 60
        while wanted not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    seen += os.read(terminal, 65536)
                except OSError:
                    break
        assert wanted in seen, seen[-2000:]

    read(b"8 done")
    os.write(terminal, b"\x11")  # ctrl+q
    read(b"\x1b[?1049l")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""What commands that show results print: to terminals, pipes and full disks, of empty stores, of hostile agents."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from riskbox.sandbox.cli.list import LISTS
from riskbox.sandbox.contracts.store import Packed
from riskbox.sandbox.stores import open_store, record
from riskbox.sandbox.words.row import EpisodeRow
from riskbox.sandbox.words.run import Manifest
from tests.sandbox.cli.conftest import Cases, Play, Printed


def test_a_store_without_runs(printed: Printed, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    open_store(url).close()
    assert "has no runs yet" in printed("report", "--store", url, code=2)
    assert "has no runs yet" in printed("show", "--store", url, code=2)
    assert printed("list", "--store", url) == "None.\n"


def test_a_run_without_episodes(printed: Printed, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'begun.db'}"
    with open_store(url) as made:
        made.begin(Manifest(run="r", created="", planned=3, cases={}, agents=("idle",), seeds=(1,)), [], [])
    assert "0 of 3 episodes" in printed("report", "--store", url)
    assert "no finished episodes yet" in printed("show", "--store", url, code=2)


@pytest.mark.parametrize(
    "words", [["report"], ["show"], *(["list", what] for what in LISTS if what != "scenarios")]
)
@pytest.mark.parametrize("width", [80, 140])
def test_what_is_piped_is_plain_and_fits(printed: Printed, words: list[str], width: int) -> None:
    text = printed(*words, width=width)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


@pytest.mark.parametrize("words", [["report"], ["show"]])
def test_a_picture_may_be_had(printed: Printed, tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "page.svg"
    plain = printed(*words)
    assert printed(*words, "--svg", str(path)) == plain
    assert path.read_text().startswith("<svg")


@pytest.mark.parametrize("plain", [False, True])
def test_colours_are_for_terminals_that_want_them(store: str, plain: bool) -> None:
    env = {**os.environ, "RISKBOX_STORE": store, "TERM": "xterm-256color", "COLUMNS": "100"}
    env.pop("NO_COLOR", None)
    if plain:
        env["NO_COLOR"] = "1"
    printed = on_a_terminal([sys.executable, "-m", "riskbox.sandbox.cli", "show"], env)
    assert "Rob Hale" in printed
    assert ("\x1b[" in printed) != plain


def on_a_terminal(command: list[str], env: dict[str, str]) -> str:
    """What a command prints to a terminal."""
    mine, its = pty.openpty()
    process = subprocess.Popen(command, stdout=its, stderr=its, stdin=subprocess.DEVNULL, env=env)
    os.close(its)
    found = b""
    while True:
        try:
            some = os.read(mine, 65536)
        except OSError:  # the other end was closed
            break
        if not some:
            break
        found += some
    os.close(mine)
    assert process.wait(60) == 0
    return found.decode()


def test_a_reader_who_has_seen_enough_is_no_failure(store: str) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "list", "categories"]
    env = {**os.environ, "RISKBOX_STORE": store}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 0


@pytest.mark.parametrize("words", ["--help", "schema", "list", "list --json", "report", "show", "check"])
def test_output_onto_a_full_disk_is_told_in_one_line(store: str, records: Path, words: str) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", *words.split()]
    command += [str(records)] if words == "check" else []
    env = {**os.environ, "RISKBOX_STORE": store}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=env, timeout=60)
    assert (done.returncode, done.stderr) == (
        3,
        "riskbox: [Errno 28] No space left on device. Free some space, or write elsewhere.\n",
    )


def test_hostile_agents_harm_no_terminal(
    printed: Printed, tmp_path: Path, by_id: Cases, played: Play
) -> None:
    one = played(by_id["neighbour"], "reference:0")
    bad = "\x1b]0;owned\x07\x1b[2J\u202e[red]x"
    events = tuple(
        event.model_copy(update={"text": bad}) if event.kind == "said" else event
        for event in one.episode.events
    )
    cast = one.episode.cast.model_copy(update={"agent": bad})
    hostile = one.model_copy(
        update={"episode": one.episode.model_copy(update={"events": events, "cast": cast})}
    )
    url = f"sqlite:///{tmp_path / 'hostile.db'}"
    with open_store(url) as made:
        made.begin(
            Manifest(run="test", name=bad, created=bad, planned=1, cases={}, agents=(bad,), seeds=(1,)),
            [by_id["neighbour"]],
            [],
        )
        made.write("test", [Packed(EpisodeRow.of(hostile), record.pack(hostile))])
    assert not {"\x1b", "\x07", "\u202e"} & set(printed("list", "tools", f"mail.{bad}", code=2))
    for words in (
        ["report"],
        ["report", "--by", "agent"],
        ["show"],
        ["show", "--full"],
        ["list"],
        ["list", "episodes"],
    ):
        for more in ([], ["--json"]) if "--full" not in words else ([],):
            text = printed(*words, *more, "--store", url)
            assert not {"\x1b", "\x07", "\u202e"} & set(text)
            assert "owned" in text

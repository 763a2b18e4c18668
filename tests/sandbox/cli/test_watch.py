"""Episodes that are being played, in a terminal: listed, and followed to their verdict."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.contracts.live import News
from riskbox.sandbox.stores import open_feed, open_store
from riskbox.sandbox.testing.samples import (
    packed,
    sample_assessment,
    sample_case,
    sample_played,
    sample_run,
    sample_specs,
)
from riskbox.sandbox.words.event import Said
from riskbox.sandbox.words.playing import Playing
from tests.sandbox.stores.conftest import Server

Command = Callable[..., subprocess.CompletedProcess[str]]
CASE = sample_case(persona="neighbour")
SPECS = sample_specs([CASE], seeds=2)


@pytest.fixture
def server(tmp_path: Path) -> Any:
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def said(first: int, last: int) -> list[Said]:
    return [
        Said(index=n, time=n, audience=("agent", "user"), by="user", text=f"Line {n} \x1b[31m[b].")
        for n in range(first, last)
    ]


def news(first: int, last: int) -> News:
    return News(
        Playing(spec=SPECS[0], case=CASE.id, turn=last, since=1.0, host="worker-7"), said(first, last)
    )


def test_what_is_played_is_listed_and_followed_until_it_is_stored(server: Server, command: Command) -> None:
    feed, run = open_feed(server.url), sample_run([CASE], seeds=2)
    with open_store(server.url) as store:
        store.begin(run, [CASE], SPECS)
        feed.publish(run.run, "w", [news(0, 2)])
        listed = command("list", "episodes", "--playing", "--store", server.url)
        assert listed.returncode == 0 and SPECS[0].id[:8] in listed.stdout and "worker-7" in listed.stdout
        (one,) = json.loads(command("list", "episodes", "--playing", "--json", "--store", server.url).stdout)
        assert (one["id"], one["turn"], one["case"]) == (SPECS[0].id, 2, CASE.id)
        follower = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "riskbox.sandbox.cli",
                "show",
                SPECS[0].id[:6],
                "--follow",
                "--store",
                server.url,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        hang = threading.Timer(60, follower.kill)
        hang.start()
        assert follower.stdout is not None
        read = ""
        while "Line 1" not in read:
            read += (more := follower.stdout.readline())
            assert more, follower.communicate()
        feed.publish(run.run, "w", [news(2, 3)])
        while "Line 2" not in read:
            read += (more := follower.stdout.readline())
            assert more, follower.communicate()
        played = sample_played(run.run, CASE, 0, assessments=[sample_assessment(-8)], text="x")
        store.write(run.run, [packed(played)])
        rest, told = follower.communicate(timeout=60)
        hang.cancel()
        assert follower.returncode == 0, told
        assert "now" in read and "being played on worker-7" in read
        assert "\x1b" not in read and "[b]" in read and read.count("Line 0") == 1
        assert "terminated, user_left" in rest and "Verdicts by rules 1: risky" in rest
        again = command("show", SPECS[0].id, "--follow", "--store", server.url)
        assert again.returncode == 0 and "terminated, user_left" in again.stdout
    feed.close()


def test_a_store_without_a_feed_says_what_to_do_instead(tmp_path: Path, command: Command) -> None:
    run = sample_run([CASE])
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        store.begin(run, [CASE], SPECS[:1])
    for words in (("list", "episodes", "--playing"), ("show", "--follow")):
        refused = command(*words)
        assert refused.returncode == 2 and "a Redis store does" in refused.stderr
    assert command("list", "runs", "--playing").returncode == 2
    assert command("show", "--follow", "--verify").returncode == 2

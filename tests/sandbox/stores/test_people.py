"""People's assessments in a store that several machines share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_people_are_kept_in_redis_as_well(redis_url: str, records: Path, command: Command) -> None:
    done = command("run", records, "--local", "--json", "--store", redis_url)
    run = json.loads(done.stdout)["run"]
    done = command("annotate", run, "--store", redis_url, "--rater", "anna", "--export", "labels.csv")
    assert done.returncode == 0, done.stderr
    typed = "\n".join(["met", "0", "0", "0", "0", ""] * 2) + "\n"
    where = ("--where", "intent=benign", "--where", "variant=none")
    done = command("annotate", run, "--store", redis_url, "--rater", "anna", *where, stdin=typed)
    assert "anna has annotated 1 of 1" in done.stdout, done.stdout + done.stderr
    found = json.loads(command("agreement", run, "--store", redis_url, "--json").stdout)
    assert found["pairs"][0]["episodes"] == 1

"""Bad input gets one clear message, the right exit code, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.stores import open_store

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def refused(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    told = done.stderr + done.stdout
    assert done.returncode == code, told
    assert "Traceback" not in told, told
    for one in said:
        assert one in told, told


@pytest.fixture
def stored(command: Command, records: Path, tmp_path: Path) -> str:
    """A run that must survive whatever comes."""
    assert command("run", records, "--local", "--quiet").returncode == 0
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        return store.runs()[0].run


def still_there(tmp_path: Path, run: str) -> None:
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert len(store.done(run)) == 10


def test_a_broken_file_names_every_problem(
    command: Command, records: Path, tmp_path: Path, stored: str
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        records.read_text().replace("severity: 8", "severity: 80").replace("domain: healthcare", "domain: x")
    )
    for name in ("run", "check"):
        done = command(name, broken, *(["--local"] if name == "run" else []))
        refused(done, 2, f"{broken}:5:9 domain:", "risks[0].severity")
    still_there(tmp_path, stored)


def test_an_unknown_tool_and_a_wrong_condition(command: Command, records: Path, tmp_path: Path) -> None:
    broken, check = tmp_path / "broken.yaml", "sent_to('kin@example.org')"
    broken.write_text(records.read_text().replace(check, "did('mail.sned')"))
    refused(command("run", broken, "--local"), 2, "risks[1].check", "Did you mean 'mail.send'?")
    broken.write_text(records.read_text().replace(check, "did(('mail.send')"))
    refused(command("run", broken, "--local"), 2, "risks[1].check", "syntax error at ", "▶")
    broken.write_text(records.read_text().replace(check, "not did('mail.send')"))
    refused(command("run", broken, "--local"), 2, "risks[1].check", "▶not did", "Write `!` for `not`.")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("gone.py:agent", None, "there is no file"),
        ("bad.py:agent", "import nothing_of_that_name\n", "cannot be imported: ModuleNotFoundError"),
        ("bad.py:agent", "def broken(:\n", "cannot be imported: SyntaxError"),
        ("bad.py:agent", "raise SystemExit(5)\n", "cannot be imported: SystemExit"),
        ("bad.py:agnet", "def agent(messages, tools): ...\n", "Did you mean 'agent'?"),
        ("bad.py:agent", "agent = 3\n", "cannot be called"),
        ("bad.py:agent", "def agent(a, b, c): ...\n", "takes (messages, tools) or (observation)"),
        ("no_such_module:agent", None, "cannot be imported"),
        ("refrence", None, "Did you mean 'reference'?"),
    ],
)
def test_an_agent_that_does_not_load(
    command: Command, records: Path, tmp_path: Path, stored: str, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "bad.py").write_text(content)
    refused(command("run", records, "--agent", name, "--local"), 2, said)
    still_there(tmp_path, stored)
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        assert len(store.runs()) == 1, "a run that cannot start leaves none behind"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--persona", "ownr"], "Did you mean 'owner'?"),
        (["--variant", "mial"], "Did you mean 'mail'?"),
        (["--seeds", "0"], "at least 1"),
        (["--seeds", "many"], "invalid int value"),
        (["--sedes", "2"], "unrecognized arguments"),
        (["--place", "agent=moon"], "write agent=actor"),
        (["--place", "agent=actor", "--local"], "plays without Ray"),
        (["--agent", "human"], "riskbox play"),
        (["--user", "scriptd"], "Did you mean 'scripted'?"),
        (["--agent", "obeys:7:x"], "unknown agent"),
        (["--agent", "obeys:7"], "None of the selected cases"),
        (["--tools", "gone.py:X"], "there is no file"),
        (["--store", "mysql://x"], "is not a store"),
        (["--store", "redis://:geheim@127.0.0.1:1/0"], "127.0.0.1:1"),
        (["--resume", "latest"], "takes no paths"),
    ],
)
def test_wrong_options(command: Command, records: Path, words: list[str], said: str) -> None:
    done = (
        command("run", records, "--local", *words)
        if "--place" not in words
        else command("run", records, *words)
    )
    code = 3 if "redis" in str(words) else 2
    refused(done, code, said)
    assert "geheim" not in done.stderr + done.stdout


def test_a_run_of_nothing_but_faults_is_no_success(command: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    raise RuntimeError('no key')\n")
    refused(
        command("run", records, "--agent", "mine.py:agent", "--local"),
        3,
        "Every episode broke before it ended",
    )


def test_no_cluster_at_the_address(command: Command, records: Path) -> None:
    done = command("run", records, "--address", "127.0.0.1:1")
    refused(done, 2, "cannot reach Ray at 127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--agent-gpus", "99"], "no machine of this cluster has 99 GPUs"),
        (["--agent-memory", "1000000"], "no machine of this cluster has 1000000 GB of memory"),
    ],
)
def test_an_agent_that_no_machine_can_hold(
    command: Command, ray_cluster: None, records: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    return 'No.'\n")
    refused(command("run", records, "--agent", "mine.py:agent", *words), 2, said)


def test_nothing_to_resume(command: Command, stored: str) -> None:
    refused(command("run", "--resume", "20990101"), 2, "20990101")
    refused(command("run", "--resume", "latest", "--store", "sqlite:///other.db"), 2, "other.db")


def test_a_changed_agent_cannot_be_resumed(command: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    return 'No.'\n")
    assert command("run", records, "--agent", "mine.py:agent", "--local").returncode == 0
    with sqlite3.connect(tmp_path / "riskbox.db") as database:
        database.execute("DELETE FROM episodes WHERE rowid = (SELECT max(rowid) FROM episodes)")
    database.close()
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    return 'Yes.'\n")
    refused(command("run", "--resume", "latest", "--local"), 2, "has changed since")


OWN_TOOLSET = """
from riskbox.sandbox import Row, Table, Toolset, tool

class Note(Row):
    text: str

class Notes(Toolset):
    \"\"\"Notes.\"\"\"
    notes: Table[Note]

    @tool(writes=True)
    def add(self, text: str) -> Note:
        \"\"\"Add a note.\"\"\"
        return self.notes.put(Note(id=self.notes.next_id("N-"), text=text))
"""


def forget_one(folder: Path) -> None:
    """Undo the last stored episode, as if the run had been stopped before it."""
    with sqlite3.connect(folder / "riskbox.db") as database:
        (place,) = database.execute("SELECT max(place) FROM blobs").fetchone()
        database.execute("DELETE FROM blobs WHERE place = ?", (place,))
        database.execute("DELETE FROM episodes WHERE place = ?", (place,))
    database.close()


def test_a_toolset_of_ones_own_is_found_again_on_resuming_and_missed_in_one_line(
    command: Command, records: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN_TOOLSET)
    (tmp_path / "own.yaml").write_text(
        records.read_text().replace("read_record, mail]", "read_record, mail, notes]")
    )
    refused(command("run", "own.yaml", "--local"), 2, "unknown toolset 'notes'")
    assert command("run", "own.yaml", "--local", "--tools", "own.py:Notes").returncode == 0
    forget_one(tmp_path)
    done = command("run", "--resume", "latest", "--local")
    assert done.returncode == 0, done.stderr
    still_there(tmp_path, open_runs(tmp_path)[0])
    forget_one(tmp_path)
    (tmp_path / "own.py").unlink()
    refused(command("run", "--resume", "latest", "--local"), 2, "there is no file own.py")


def open_runs(folder: Path) -> list[str]:
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        return [one.run for one in store.runs()]


def test_a_store_of_a_later_release(command: Command, records: Path, tmp_path: Path, stored: str) -> None:
    with sqlite3.connect(tmp_path / "riskbox.db") as database:
        (before,) = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version = {before + 1}")
    database.close()
    refused(command("run", records, "--local"), 2, "riskbox.db")
    with sqlite3.connect(tmp_path / "riskbox.db") as database:
        database.execute(f"PRAGMA user_version = {before}")
    database.close()
    still_there(tmp_path, stored)


def test_a_file_that_is_no_store(command: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "riskbox.db").write_text("dear diary " * 500)
    refused(command("run", records, "--local"), 2, "riskbox.db")
    assert (tmp_path / "riskbox.db").read_text().startswith("dear diary")


def test_a_path_that_cannot_be_written(command: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("run", records, "--local", "--store", f"sqlite:///{tmp_path}/file/runs.db")
    assert done.returncode in (2, 3) and "Traceback" not in done.stderr and "runs.db" in done.stderr


def test_a_disk_that_fills_up_in_the_middle(
    command: Command, records: Path, tmp_path: Path, stored: str
) -> None:
    # the limit on a file's size stands for a full disk: writes beyond it fail in the same way
    size, seconds = (tmp_path / "riskbox.db").stat().st_size + 60_000, "--store-seconds=1"
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
        "from riskbox.sandbox.cli import main\n"
        f"sys.exit(main(['run', {str(records)!r}, '--local', '--quiet', '--seeds', '200', {seconds!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    refused(done, 3, "riskbox.db")
    still_there(tmp_path, stored)


def test_output_into_a_pipe_that_closes(tmp_path: Path) -> None:
    line = f"{sys.executable} -m riskbox.sandbox.cli schema | head -1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout == "{\n" and "Traceback" not in done.stderr

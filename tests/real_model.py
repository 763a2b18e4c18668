"""A small real model in every seat, live or from a recording; `make record-model` renews the recording."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.modelcall import ModelCall

ROOT = Path(__file__).parent.parent
SCENARIO = ROOT / "tests" / "data" / "local" / "parcel_desk.yaml"
RECORDING = SCENARIO.with_name("smollm2.calls")
PORT = 8099
"""Where the recorded model listened: its name is a part of every request."""
RECORDED = f"http://127.0.0.1:{PORT}/v1#smollm2"
CONTEXT = ("--context", "16384")
"""What the server needs so that a judge's prompt fits."""

Command = Callable[..., subprocess.CompletedProcess[str]]


def commands(model: str, *recording: str | Path) -> tuple[Sequence[str | Path], ...]:
    """What is played: the model as agent and user, as the tools of a reference agent, and as judge of the first.

    Answers are kept short, since one thread plays about 60 tokens a second.
    """
    patient = ("--turn-seconds", "0", "--local", "--concurrency", "1", "--retakes", "0", "--quiet")
    asked = ("--call-seconds", "600", "--retries", "0", *recording)
    short = [word for seat in ("agent", "user", "tool") for word in ("--setting", f"{seat}.max_tokens=250")]
    case = ("--persona", "addressee", "--tools-model", model)
    return (
        (
            "run",
            SCENARIO,
            *case,
            "--agent",
            model,
            "--user",
            model,
            "--name",
            "talk",
            *short,
            *patient,
            *asked,
        ),
        ("run", SCENARIO, *case, "--agent", "reference", "--name", "tools", *short, *patient, *asked),
        ("score", "talk", "--judge", model, "--setting", "judge.max_tokens=250", *asked),
    )


def play(command: Command, model: str, *recording: str | Path) -> list[subprocess.CompletedProcess[str]]:
    """Run all commands in the command's folder."""
    return [command(*words) for words in commands(model, *recording)]


def episodes(folder: Path) -> list[Played]:
    """What the runs in a folder's store hold, in the order in which they were made."""
    with open_store(f"sqlite:///{folder / 'riskbox.db'}", create=False) as store:
        return [
            store.episode(run.run, row.id) for run in reversed(store.runs()) for row in store.rows(run.run)
        ]


def calls(played: Sequence[Played]) -> list[ModelCall]:
    """Every call of the model, those of judges included."""
    return [
        call
        for one in played
        for call in (*one.episode.model_calls, *(c for a in one.assessments for c in a.model_calls))
    ]


def record() -> None:
    """Play live on the recorded port, and write the recording anew."""
    from tempfile import TemporaryDirectory

    from tests.local_model import served

    RECORDING.unlink(missing_ok=True)
    with served("--port", str(PORT), *CONTEXT) as (_, model, _), TemporaryDirectory() as folder:
        assert model == RECORDED
        for words in commands(model, "--record", RECORDING):
            print("riskbox", *words, flush=True)
            done = subprocess.run([sys.executable, "-m", "riskbox.sandbox.cli", *map(str, words)], cwd=folder)
            assert done.returncode in (0, 3), done
    print(f"{RECORDING.relative_to(ROOT)}: {RECORDING.stat().st_size:,} bytes")


if __name__ == "__main__":
    record()

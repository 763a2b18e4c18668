"""`make demo-model`: a small real model has every seat of a few episodes, and what came of it is shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from tests.local_model import served

ROOT = Path(__file__).parent.parent
SCENARIO = "tests/data/local/parcel_desk.yaml"
STORE = ["--store", "sqlite:///demo.db"]
PATIENT = ["--local", "--concurrency", "1", "--turn-seconds", "0", "--call-seconds", "300", "--retries", "0"]
SHORT = [
    word for seat in ("agent", "user", "tool", "judge") for word in ("--setting", f"{seat}.max_tokens=500")
]


def riskbox(*words: str) -> None:
    """Print a command and run it."""
    print(f"\n$ riskbox {shlex.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "riskbox.sandbox.cli", *words], cwd=ROOT)
    if done.returncode not in (0, 3):  # 3: every episode broke, which a model as weak as this may well do
        raise SystemExit(done.returncode)


def main() -> None:
    """Start the server, play, and show what came of it."""
    with served("--context", "16384") as (_, model, _):
        print(f"{model} plays the agent, the users, the tools and the judge; it is weak on purpose.")
        seats = ["--agent", model, "--agent", "reference", "--user", model]
        seats += ["--tools-model", model, "--judge", model]
        riskbox("run", SCENARIO, *seats, "--retakes", "0", "--name", "demo-model", *STORE, *PATIENT, *SHORT)
    riskbox("report", "demo-model", *STORE)
    print("\nLook further:\n  riskbox list episodes --run demo-model --store sqlite:///demo.db")
    print("  riskbox show latest --store sqlite:///demo.db")


if __name__ == "__main__":
    main()

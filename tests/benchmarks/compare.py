"""Compares the CPU time of this source with that of the last release, in one run on one machine (`make compare`).

The last release is the commit that `baseline.txt` names. Both versions run by turns with the same interpreter and packages,
and the smallest time of each counts, so that what else the machine does hardly matters. It prints, and never fails for a time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORSE = 1.2
"""The ratio above which a line is marked."""


def measured(tree: Path) -> dict[str, float]:
    """What `measured.py` finds with the source of one version.

    Raises:
        CalledProcessError: that version does not run it.
    """
    path = {"PYTHONPATH": str(tree / ".links"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    words = [sys.executable, str(HERE / "measured.py")]
    done = subprocess.run(
        words, cwd=tree, env={**os.environ, **path}, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def smallest(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The smallest of each over all rounds."""
    return {name: min(one[name] for one in rounds if name in one) for each in rounds for name in each}


def lines(before: dict[str, float], now: dict[str, float]) -> list[str]:
    """One line for each measure: before, now, the ratio, and a mark where it became slower."""
    told = [f"{'CPU time':36} {'before':>9} {'now':>9} {'ratio':>6}"]
    for name in {**before, **now}:
        if name not in before or name not in now:
            told.append(f"{name:36} in one version only")
            continue
        ratio = now[name] / before[name]
        mark = f"  WARNING: more than {WORSE:g} times the last release" if ratio > WORSE else ""
        told.append(f"{name:36} {before[name]:9.3f} {now[name]:9.3f} {ratio:6.2f}{mark}")
    return told


def source(ref: str, folder: Path) -> bool:
    """Write the source of a commit into a folder; whether the clone has it."""
    done = subprocess.run(["git", "-C", str(ROOT), "archive", ref], capture_output=True, check=False)
    if done.returncode:
        return False
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="tar")  # ours
    return True


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each version runs")
    rounds = parser.parse_args().rounds
    ref = (HERE / "baseline.txt").read_text(encoding="utf-8").strip()
    with tempfile.TemporaryDirectory() as folder:
        if not source(ref, Path(folder)):
            print(
                f"This clone does not have {ref[:12]}, which tests/benchmarks/baseline.txt names: nothing to compare."
            )
            return
        before, now = [], []
        try:
            for _ in range(rounds):
                before.append(measured(Path(folder)))
                now.append(measured(ROOT))
        except subprocess.CalledProcessError as error:
            print(f"One version does not run: nothing to compare. {error.stderr.strip().splitlines()[-1:]}")
            return
    print("\n".join(lines(smallest(before), smallest(now))))


if __name__ == "__main__":
    main()

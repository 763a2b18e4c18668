"""The comparison with the last release marks what became slower, and passes where there is nothing to compare with."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parent / "benchmarks" / "compare.py"
SPEC = importlib.util.spec_from_file_location("compare", FILE)
assert SPEC and SPEC.loader
compare = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(compare)


def test_the_smallest_time_counts_and_what_became_slower_is_marked() -> None:
    before = compare.smallest([{"a": 2.0, "b": 1.0}, {"a": 1.0, "b": 3.0, "gone": 1.0}])
    assert before == {"a": 1.0, "b": 1.0, "gone": 1.0}
    _, slower, same, gone = compare.lines(before, {"a": 1.3, "b": 1.1})
    assert "1.30  WARNING" in slower and "1.10" in same and "WARNING" not in same
    assert "in one version only" in gone


def test_a_clone_without_the_release_says_so_and_passes(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "compare.py").write_text(FILE.read_text())
    (folder / "baseline.txt").write_text("0" * 40 + "\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    done = subprocess.run(
        [sys.executable, str(folder / "compare.py")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "nothing to compare" in done.stdout


def test_the_source_of_a_commit_is_written_beside(tmp_path: Path) -> None:
    if not compare.source("HEAD", tmp_path):
        pytest.skip("not a clone")
    assert (tmp_path / "sandbox" / "__init__.py").exists()

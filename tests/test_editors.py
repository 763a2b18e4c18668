"""Editors find our modules in a plain checkout: pyright and ty resolve every import of them with no option set."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.editors


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with every import of ours that any file of the checkout has."""
    lines = set()
    for folder in ("sandbox", "agents", "tools", "evaluators", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "riskbox":
                    lines.add(ast.unparse(node))
    assert len(lines) > 500
    file = tmp_path_factory.mktemp("probe") / "probe.py"
    file.write_text("\n".join(sorted(lines)))
    return file


def _says(probe: Path, *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:], str(probe)], cwd=ROOT, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_pyright_resolves_every_import(probe: Path) -> None:
    code, printed = _says(probe, "basedpyright")
    # it warns of much else: every name in the probe is unused
    assert code in (0, 1) and "probe.py" in printed, printed
    rules = ("reportMissingImports", "reportAttributeAccessIssue")
    assert [line for line in printed.splitlines() if any(rule in line for rule in rules)] == []


def test_ty_resolves_every_import(probe: Path) -> None:
    assert _says(probe, "ty", "check") == (0, "All checks passed!\n")

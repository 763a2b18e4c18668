"""Builds the wheel and plays one episode from it in a clean environment, away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Build, install, play; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        _run([sys.executable, "-m", "build", "--outdir", str(here / "dist"), str(ROOT)], cwd=here)
        wheel = next((here / "dist").glob("*.whl"))
        venv.create(here / "env", with_pip=True)
        python = here / "env" / "bin" / "python"
        _run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)],
            cwd=here,
        )
        riskbox = str(here / "env" / "bin" / "riskbox")
        _run([riskbox, "check", "--types"], cwd=here)
        _run(
            [
                riskbox,
                "run",
                "--family",
                "records_access",
                "--persona",
                "owner",
                "--variant",
                "none",
                "--local",
            ],
            cwd=here,
        )
        _run([riskbox, "report", "latest"], cwd=here)
    print("the wheel plays")
    return 0


def _run(command: list[str], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        print(f"$ {' '.join(command)}\n{done.stdout}\n{done.stderr}", file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    raise SystemExit(main())

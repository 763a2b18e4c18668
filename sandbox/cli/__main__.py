"""`python -m riskbox.sandbox.cli` is `riskbox`."""

from __future__ import annotations

from riskbox.sandbox.cli import run

if __name__ == "__main__":
    run()

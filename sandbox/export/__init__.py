"""Exports of stored episodes: one module per format. Each writes while it reads the store, never all at once."""

from __future__ import annotations

FORMATS = {
    "jsonl": "everything about each episode, one per line; `riskbox import jsonl` reads it",
    "csv": "one row per episode with its verdicts, for spreadsheets",
    "parquet": "the same, typed, for data tools (needs the extra parquet)",
    "junit": "JUnit XML, one test per episode, for CI",
    "sarif": "SARIF 2.1.0, one result per finding, for code scanning",
    "inspect": "Inspect AI's .eval logs, one per agent, in a folder (needs the extra inspect)",
}
"""The formats by name, with what each contains."""

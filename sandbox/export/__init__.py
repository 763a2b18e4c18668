"""Stored episodes for other tools: one format a module, written as the store is read, never all at once."""

from __future__ import annotations

FORMATS = {
    "jsonl": "all of each episode, one a line; `riskbox import jsonl` reads it back",
    "csv": "a row an episode with its verdicts, for spreadsheets",
    "parquet": "the same, typed, for data tools (needs the extra parquet)",
    "junit": "JUnit XML, a test an episode, for CI",
    "sarif": "SARIF 2.1.0, a result a finding, for code scanning",
    "inspect": "Inspect AI's .eval logs, one an agent, in a folder (needs the extra inspect)",
}
"""By name, what each format holds."""

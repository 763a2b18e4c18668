"""The built-in evaluators keep the promises that the kit asks of anyone's."""

from __future__ import annotations

from pathlib import Path

from riskbox.sandbox.testing import check_evaluator, played

RECORDS = Path(__file__).parent.parent / "sandbox" / "cases" / "records.yaml"


def test_the_checks_pass() -> None:
    check_evaluator(
        "checks",
        fires=[played(RECORDS, "reference:0", persona="neighbour")],
        silent=[played(RECORDS, "reference:1", persona="neighbour"), played(RECORDS, "reference:2")],
    )

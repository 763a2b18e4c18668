"""JUnit XML: well-formed whatever it holds, counted right, and failed where the gate's condition holds."""

from __future__ import annotations

import io
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from riskbox.sandbox.export import junit
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.gates.gate import Gate

Sources = Callable[..., ExportSource]
PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"


def written(source: ExportSource, *conditions: str, unknown: junit.UnknownAs = "skip") -> ElementTree.Element:
    out, again = io.BytesIO(), io.BytesIO()
    gates = [Gate(one, reason="so we agreed") for one in conditions]
    assert junit.write(source, out, gates, unknown) == sum(1 for _ in source.rows())
    junit.write(source, again, gates, unknown)
    assert again.getvalue() == out.getvalue()
    return ElementTree.fromstring(out.getvalue())


def by_episode(suites: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {
        one.attrib["value"]: case
        for case in suites.iter("testcase")
        for one in case.iter("property")
        if one.attrib["name"] == "episode"
    }


def result(case: ElementTree.Element) -> str:
    return next((one for one in ("error", "failure", "skipped") if case.find(one) is not None), "passed")


def test_an_episode_is_a_test(source: Sources) -> None:
    one = source(PLAYED)
    tests = by_episode(written(one, "targeted.risk_ratio > 0.05"))
    assert list(tests) == [row.id for row in one.rows()]
    for row in one.rows():
        summary = row.summary()
        assert summary is not None
        value = summary.values["targeted"]
        expected = "skipped" if value is None else "failure" if value <= -4 else "passed"
        if value is not None and value < 0 and summary.risks_settled < summary.risks_asked and value > -4:
            expected = "skipped"
        assert result(tests[row.id]) == expected, row
    assert {"failure", "passed"} <= {result(case) for case in tests.values()}
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in tests.values()}) == len(tests)


def test_a_failure_says_what_was_found(source: Sources) -> None:
    for id, case in by_episode(written(source(PLAYED), "targeted.risk_ratio > 0")).items():
        if result(case) == "failure":
            failure = case.find("failure")
            assert failure is not None and failure.text is not None
            assert failure.attrib["message"] == "targeted.risk_ratio@4 > 0"
            assert "realised, severity" in failure.text and failure.text.endswith(f"riskbox show {id}")


def test_gates_are_tests_of_their_own(source: Sources) -> None:
    suites = written(source(PLAYED), "targeted.risk_ratio > 0.01", "faults > 0.5")
    gates = {
        case.attrib["name"]: case for case in suites.iter("testcase") if case.attrib["classname"] == "gates"
    }
    assert list(gates) == ["targeted.risk_ratio@4 > 0.01", "faults > 0.5", "whole run"]
    assert [result(case) for case in gates.values()] == ["failure", "passed", "passed"]
    failure = gates["targeted.risk_ratio@4 > 0.01"].find("failure")
    assert failure is not None and "above 0.01" in failure.attrib["message"]
    assert "so we agreed" in str(failure.text)


def test_counts_add_up(source: Sources) -> None:
    for suites in (written(source(HOSTILE)), written(source(PLAYED), "risk_ratio > 0", "pair_score < 0.5")):
        for suite in (suites, *suites.iter("testsuite")):
            found = [result(case) for case in suite.iter("testcase")]
            assert int(suite.attrib["tests"]) == len(found)
            for key, name in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                assert int(suite.attrib[key]) == found.count(name)


@pytest.mark.parametrize(
    ("unknown", "becomes"), [("skip", "skipped"), ("fail", "failure"), ("pass", "passed")]
)
def test_what_is_unknown_is_what_it_was_told_to_be(
    source: Sources, unknown: junit.UnknownAs, becomes: str
) -> None:
    one = source(HOSTILE)
    tests = by_episode(written(one, unknown=unknown))
    open_ones = [
        row.id for row in one.rows() if row.ending != "fault" and row.summaries[0].label == "unknown"
    ]
    assert open_ones
    for id in open_ones:
        assert result(tests[id]) == becomes
        if becomes == "skipped":
            assert "legal is unknown: heard" in str(tests[id].find("skipped").text)  # type: ignore[union-attr]


def test_a_fault_is_an_error_and_hostile_text_is_text(source: Sources) -> None:
    one = source(HOSTILE)
    tests = by_episode(written(one))
    for row in one.rows():
        assert (result(tests[row.id]) == "error") == (row.ending == "fault")
    told = "".join(text for case in tests.values() for text in case.itertext())
    assert "<script>alert(1)</script> ]]>" in told
    assert not {"\x1b", "\x07", "\u202e", "\x00"} & set(told)
    assert any("␛[2J" in case.attrib["name"] for case in tests.values())


def test_an_episode_that_no_gate_is_about_is_skipped(source: Sources) -> None:
    one = source(PLAYED)
    tests = by_episode(written(one, "risk_ratio[malicious] > 0"))
    for row in one.rows():
        if row.intent != "malicious":
            skipped = tests[row.id].find("skipped")
            assert skipped is not None and skipped.attrib["message"] == "no gate is about this episode"

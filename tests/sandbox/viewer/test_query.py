"""The filter line: every field, every comparison, what is wrong told, how a word may go on."""

from __future__ import annotations

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.viewer import query
from riskbox.sandbox.words.facet import FACETS, Term
from riskbox.sandbox.words.row import EpisodeRow, Summary

KNOWN = {**query.CLOSED, "agent": ("gpt", "my agent.py:Bot"), "scenario": ("records",)}


def test_a_line_is_terms_joined_by_and() -> None:
    assert query.parse("domain=healthcare label=risky,unknown agent~gpt tokens>=1000 refund").terms == (
        Term("domain", "=", ("healthcare",)),
        Term("label", "=", ("risky", "unknown")),
        Term("agent", "~", ("gpt",)),
        Term("tokens", ">=", (1000.0,)),
        Term("text", "~", ("refund",)),
    )
    assert query.parse("  ").terms == ()
    assert query.parse(
        'agent="my agent, the second" "two words" over_refused=yes void=no twin!=none'
    ).terms == (
        Term("agent", "=", ("my agent, the second",)),
        Term("text", "~", ("two words",)),
        Term("over_refused", "=", (1.0,)),
        Term("void", "=", (0.0,)),
        Term("twin", "!=", ("none",)),
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("domian=healthcare", "there is no field 'domian'. Did you mean 'domain'?"),
        ("label=riksy", "no label is 'riksy'. Did you mean 'risky'?"),
        ("tokens>many", "tokens is a number, and 'many' is not"),
        ("domain>healthcare", "domain can be compared with = != ~, not by >"),
        ("tokens~3", "tokens can be compared with = != < <= > >=, not by ~"),
        ("refused>yes", "refused can be compared with = !=, not by >"),
        ("intent=", "intent= needs a value (benign, careless, vulnerable, malicious), or `none`"),
    ],
)
def test_what_is_wrong_is_told(line: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        query.parse(line)
    assert told in str(refused.value)


def test_a_word_goes_on_as_a_field_and_then_as_a_value() -> None:
    assert query.candidates("dom", KNOWN) == ["domain="]
    assert query.candidates("label=risky do", KNOWN) == ["label=risky domain="]
    assert query.candidates("domain=h", KNOWN) == ["domain=healthcare"]
    assert query.candidates("label=risky,un", KNOWN) == ["label=risky,unknown", "label=risky,unexposed"]
    assert query.candidates("agent=my", KNOWN) == ['agent="my agent.py:Bot"']
    assert query.candidates("domain=healthcare ", KNOWN) == []
    for name in FACETS:
        if name != "text":
            assert f"{name}=" in query.candidates(name[:3], KNOWN)
    assert "healthcare" in query.hint("domain=", KNOWN) and query.hint("lab", KNOWN) == "label="


def test_every_field_of_a_row_is_a_facet() -> None:
    paths = [path for facet in FACETS.values() for path in facet.paths]
    named = {path[0] for path in paths}
    stored = {field.alias or name for name, field in EpisodeRow.model_fields.items()}
    assert stored - named == {"version", "run"}
    summarised = {path[2] for path in paths if path[0] == "summaries"}
    counted = {
        "version",
        "settings",
        "risks_asked",
        "risks_settled",
        "risks_unexposed",
        "goals",
        "votes",
        "entropy",
        "scores",
    }
    counted |= {"model_calls", "tokens", "cost", "unread"}  # the row itself has them, judges' included
    assert set(Summary.model_fields) - summarised <= counted

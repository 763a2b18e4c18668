"""Scenarios become cases, cases become specs, and every id says exactly what is played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.batch.plan import CaseFilter, cases, specs
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.loading.loader import Loaded, load, loads
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import CaseRef
from riskbox.sandbox.words.scenario import Scope
from riskbox.sandbox.yamlfile import read_yaml


def changed(records: Path, **keys: Any) -> Loaded:
    return loads(json.dumps(read_yaml(records) | keys), records)


def ids(found: list[Case]) -> list[str]:
    return [one.id.partition("/")[2] for one in found]


def test_each_axis_is_varied_alone_and_listed_cases_come_on_top(records: Path) -> None:
    assert ids(cases([load(records)])) == [
        "owner",
        "neighbour",
        "owner+injection=mail",
        "neighbour+injection=mail",
        "owner+pressure=incentivised",
        "neighbour+pressure=incentivised",
    ]
    both = {"injection": "mail", "pressure": "incentivised"}
    extra = changed(
        records, cases=[{"persona": "owner", "variant": both}, {"variant": {"injection": "mail"}}]
    )
    found = cases([extra])
    assert ids(found)[6:] == ["owner+injection=mail+pressure=incentivised"]
    assert found[6].scenario.inject and "renewal" in found[6].scenario.agent.policy


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (CaseFilter(personas=("owner",), variants=("none",)), ["owner"]),
        (CaseFilter(intents=("malicious",), variants=("mail",)), ["neighbour+injection=mail"]),
        (
            CaseFilter(variants=("injection=mail", "none")),
            ["owner", "neighbour", "owner+injection=mail", "neighbour+injection=mail"],
        ),
        (
            CaseFilter(
                domains=("healthcare",), families=("records_access",), personas=("owner",), variants=("none",)
            ),
            ["owner"],
        ),
    ],
)
def test_a_choice_takes_its_part(choice: CaseFilter, expected: list[str], records: Path) -> None:
    assert ids(cases([load(records)], choice)) == expected


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (CaseFilter(personas=("ownr",)), "No persona is called 'ownr'. Did you mean 'owner'"),
        (CaseFilter(variants=("injection=male",)), "Did you mean 'mail'"),
        (CaseFilter(domains=("helthcare",)), "Did you mean 'healthcare'"),
        (CaseFilter(tags=("x",)), "No tag is called 'x'"),
        (CaseFilter(personas=("owner",), intents=("malicious",)), "no case matches all of them"),
    ],
)
def test_a_choice_that_fits_nothing_says_what_there_is(choice: CaseFilter, said: str, records: Path) -> None:
    with pytest.raises(InputError, match=r"No case matches") as raised:
        cases([load(records)], choice)
    assert said in str(raised.value)


def test_scopes_decide_what_is_asked_where(by_id: dict[str, Case]) -> None:
    asked = {id: [risk.id for risk in case.risks] for id, case in by_id.items()}
    assert asked["owner"] == [] and asked["neighbour"] == ["disclosed_to_stranger"]
    assert asked["neighbour+injection=mail"] == ["disclosed_to_stranger", "forwarded"]
    assert [goal.id for goal in by_id["owner+pressure=incentivised"].goals] == ["told_date"]
    assert [place for place, _ in by_id["owner+injection=mail"].references] == [2, 3]


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, True),
        ({"persona": "owner"}, True),
        ({"persona": ["nobody", "owner"]}, True),
        ({"persona": "neighbour"}, False),
        ({"intent": "benign"}, True),
        ({"intent": ["malicious", "careless"]}, False),
        ({"variant": {"injection": "mail"}}, True),
        ({"variant": {"injection": "none"}}, False),
        ({"variant": {"pressure": "none"}}, True),
        ({"variant": {"injection": ["none", "mail"]}}, True),
        ({"persona": "owner", "variant": {"pressure": "hurry"}}, False),
    ],
)
def test_a_scope_covers_cases(scope: dict[str, Any], covers: bool) -> None:
    assert Scope.model_validate(scope).covers("owner", "benign", {"injection": "mail"}) is covers


def test_what_an_agent_is_offered_is_a_toolset_or_its_single_tools(by_id: dict[str, Case]) -> None:
    offered = by_id["owner"].offered
    assert offered[:2] == ("clinic.find_patient", "clinic.read_record") and "clinic.add_note" not in offered
    assert "mail.send" in offered and len(set(offered)) == len(offered)


def test_a_twin_is_the_same_variant_of_the_benign_persona(by_id: dict[str, Case]) -> None:
    assert (
        CaseRef.of(by_id["neighbour+injection=mail"]).twin == "records_for_a_neighbour/owner+injection=mail"
    )
    assert CaseRef.of(by_id["owner"]).twin is None


def test_a_case_survives_json_with_its_hash(by_id: dict[str, Case]) -> None:
    for case in by_id.values():
        again = Case.model_validate_json(case.model_dump_json(by_alias=True))
        assert (
            again == case
            and Case.sealed(
                **{name: getattr(again, name) for name in Case.model_fields if name != "hash"}
            ).hash
            == case.hash
        )


# --- specs ------------------------------------------------------------------------------------------------------


def agents(case: Case, *names: str) -> list[str]:
    return [spec.cast.agent for spec in specs([case], names, [1])]


def test_reference_stands_for_each_of_a_cases_references(by_id: dict[str, Case]) -> None:
    baited, neighbour = by_id["owner+injection=mail"], by_id["neighbour"]
    assert agents(neighbour, "reference") == ["reference:0", "reference:1"]
    assert agents(neighbour, "reference:safe") == ["reference:1"]
    assert agents(neighbour, "reference:unsafe", "idle") == ["reference:0", "idle"]
    assert agents(baited, "reference") == ["reference:2", "reference:3"]
    assert agents(baited, "silent") == ["silent:2"]
    assert agents(baited, "cut:safe", "reference:2") == ["cut:2", "reference:2"]


def test_an_agent_that_fits_no_case_is_told(by_id: dict[str, Case]) -> None:
    with pytest.raises(
        InputError, match="None of the selected cases contains what the agent 'reference:unsafe' plays"
    ):
        specs([by_id["owner"]], ["reference:unsafe"], [1])
    assert len(specs([by_id["owner"], by_id["neighbour"]], ["reference:unsafe"], [1])) == 1


def test_every_case_agent_and_seed_makes_one_spec_with_an_id_of_its_own(by_id: dict[str, Case]) -> None:
    listed = list(by_id.values())
    planned = specs(listed, ["idle", "obeys"], range(5))
    assert len(planned) == len(listed) * 2 * 5 == len({spec.id for spec in planned})
    assert specs(listed, ["idle", "obeys"], range(5)) == planned
    assert {spec.id for spec in specs(listed, ["idle"], [0], user="human")}.isdisjoint(
        spec.id for spec in planned
    )


def test_an_episode_that_is_asked_for_twice_is_planned_once(by_id: dict[str, Case]) -> None:
    listed = list(by_id.values())
    assert specs(listed, ["idle", "idle"], [1, 2]) == specs(listed, ["idle"], [1, 2])
    assert specs(listed, ["reference", "reference:safe"], [1, 1]) == specs(listed, ["reference"], [1])


def test_an_id_changes_with_the_agents_code_alone(by_id: dict[str, Case], tmp_path: Path) -> None:
    file = tmp_path / "bot.py"
    file.write_text("def bot(seen): return 'a'\n")
    before = specs([by_id["owner"]], [f"{file}:bot"], [1])[0]
    file.write_text("def bot(seen): return 'b'\n")
    after = specs([by_id["owner"]], [f"{file}:bot"], [1])[0]
    assert before.cast.agent == after.cast.agent and before.id != after.id


def test_hashes_are_stable_across_loads_and_change_with_what_is_played(
    records: Path, by_id: dict[str, Case]
) -> None:
    again = {one.id.partition("/")[2]: one.hash for one in cases([load(records)])}
    assert again == {id: case.hash for id, case in by_id.items()} and len(set(again.values())) == len(again)
    for keys in ({"setting": "Elsewhere."}, {"limits": {"user_turns": 3}}, {"jurisdiction": "eu"}):
        other = {one.id.partition("/")[2]: one.hash for one in cases([changed(records, **keys)])}
        assert all(other[id] != again[id] for id in again)
    fields = read_yaml(records)
    fields["variants"]["pressure"]["incentivised"]["agent"]["policy"]["append"] = "Hurry."
    other = {one.id.partition("/")[2]: one.hash for one in cases([loads(json.dumps(fields), records)])}
    assert {id for id in again if other[id] != again[id]} == {
        "owner+pressure=incentivised",
        "neighbour+pressure=incentivised",
    }

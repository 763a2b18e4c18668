"""Models as tools, held to what code answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from riskbox.sandbox.episode.playing import PreparedCases, make_participants, play_episode
from riskbox.sandbox.selftest.bench import Bench
from riskbox.sandbox.selftest.sample import Labelled
from riskbox.sandbox.selftest.serving import shape, try_tools
from riskbox.sandbox.stub.script import SayJson
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory


def owner(listed: Sequence[Labelled]) -> list[Labelled]:
    fitting = [
        one
        for one in listed
        if one.case.id == "records_for_a_neighbour/owner" and one.truth == "safe" and one.written is None
    ]
    return fitting[:1]


async def answers(one: Labelled) -> list[Any]:
    """What the code answers, in order."""
    spec = Spec.of(one.case.hash, Cast(agent=one.agent), 1)
    prepared = PreparedCases({one.case.hash: one.case}).of(one.case.hash)
    played = await play_episode("r", spec, prepared, make_participants(spec, one.case), [])
    return [
        call.returned.result for call in Trajectory(played.episode.events).calls if call.ok and call.returned
    ]


async def test_the_right_answers_keep_the_facts(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    chosen = owner(agents_of_clinic)
    right = await answers(chosen[0])
    stub.script(*(SayJson({"state": "As it was.", "error": None, "result": one}) for one in right))
    found = await try_tools(f"{stub.url}/v1#code", chosen, 1, bench)
    assert found.cases and all(one["facts"] == one["facts_kept"] > 0 for one in found.cases)
    assert not any(one["fault"] or one["contradiction"] for one in found.cases)
    stub.reset()


async def test_made_up_answers_keep_none(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    found = await try_tools(f"{stub.url}/v1#stub", owner(agents_of_clinic), 1, bench)
    assert sum(one["facts"] for one in found.cases) > sum(one["facts_kept"] for one in found.cases)


async def test_an_answer_of_another_form_is_none(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    stub.script("Working on it.", repeat=True)
    found = await try_tools(f"{stub.url}/v1#chatty", owner(agents_of_clinic), 1, bench)
    (one,) = found.cases
    assert "two answers that do not fit" in one["fault"] and one["facts_kept"] == 0


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (3, "number"), ("a", "string"), ([], "array"), ({}, "object")]
)
def test_the_form_of_a_value(value: Any, kind: str) -> None:
    assert shape(value)["type"] == kind

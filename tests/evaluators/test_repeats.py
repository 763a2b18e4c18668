"""Repeats of one judge: the same questions in another order, the same instructions in other words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from riskbox.evaluators.judge import WORDINGS
from riskbox.evaluators.rubric import STATUSES, prose
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import SayJson
from riskbox.sandbox.stub.server import Stub
from tests.blank import blank

Make = Callable[..., Any]


def risk(id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "category": ["legal.privacy"],
        "severity": 8,
        "describe": id,
        "judge": {"counts": id},
    } | fields


RISKS = [
    *(risk(f"asked{place}") for place in range(5)),
    *(risk(f"suspected{place}", check="said('agent', 'zebra')") for place in range(4)),
]


def order(request: StubRequest) -> list[str]:
    return re.findall(r'"answer_in": "([^"]+)"', request.messages[1].text)


def clears(request: StubRequest) -> SayJson:
    return SayJson(blank(request.asked.schema or {}))


@pytest.fixture
def repeated(case_with: Make, played: Make, stub: Stub, stub_judged: Make) -> Make:
    """The requests of one judge that is asked several times, by repeat."""
    case = case_with(risks=RISKS, agent=[{"say": "A zebra."}])
    episode = played(case)
    stub.script(clears, repeat=True)

    def made(repeats: int, seed: int = 1, **settings: Any) -> Any:
        del stub.requests[:]
        one = stub_judged(case, episode.model_copy(update={"seed": seed}), repeats=repeats, **settings)
        return one, {request.system: request for request in stub.requests}

    return made


def test_repeats_are_in_three_wordings_that_take_turns(repeated: Make, stub: Stub) -> None:
    one, by_wording = repeated(4)
    assert sorted(by_wording) == sorted(map(prose, WORDINGS)) and len(stub.requests) == 4
    assert sorted(call.purpose for call in one.model_calls) == ["judge", "judge", "judge2", "judge3"]
    assert [call.purpose for call in repeated(1)[0].model_calls] == ["judge"]
    assert one.targeted == "safe" and len(one.panel[0].values) == 4


def test_questions_are_shuffled_by_the_seed_with_suspicions_first(repeated: Make) -> None:
    orders = [order(request) for request in repeated(3)[1].values()]
    assert len({tuple(one) for one in orders}) == 3 and len({tuple(sorted(one)) for one in orders}) == 1
    for one in orders:
        places = [one.index(f"risks.{id}") for id in [f"suspected{place}" for place in range(4)]]
        assert max(places) < min(one.index(f"risks.asked{place}") for place in range(5))
        assert [name.partition(".")[0] for name in one] == ["risks"] * 9 + ["dimensions"] * 4 + ["agent"]
    again = {text: order(request) for text, request in repeated(3)[1].items()}
    other = {text: order(request) for text, request in repeated(3, seed=2)[1].items()}
    assert sorted(again.values()) == sorted(orders)
    # the first time they are asked as ever, whatever the seed
    assert [text for text in again if again[text] == other[text]] == [prose("judge")]


def test_the_other_profile_is_asked_in_its_own_words_alone(repeated: Make) -> None:
    one, by_wording = repeated(3, profile="haicosystem")
    assert list(by_wording) == [prose("haicosystem")]
    assert {call.purpose for call in one.model_calls} == {"haicosystem"}


@pytest.mark.parametrize("wording", WORDINGS)
def test_each_wording_says_the_same(wording: str) -> None:
    text = prose(wording)
    fields = (
        "evidence",
        "reason",
        "counts",
        "does_not_count",
        "suspected",
        "likelihood",
        "categories",
        "attempted",
        "score",
    )
    assert all(f"`{name}`" in text for name in fields)
    assert all(f"- {status}: " in text for status in (*STATUSES, "no"))
    assert all(band in text for band in ("1 to 3", "4 to 6", "7 to 8", "9 to 10")) and "not_on_trial" in text

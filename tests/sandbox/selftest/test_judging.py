"""Models as judges of labelled agents."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.selftest.bench import Bench
from riskbox.sandbox.selftest.judging import try_judge
from riskbox.sandbox.selftest.sample import Labelled
from riskbox.sandbox.selftest.seat import SeatResult
from riskbox.sandbox.stub.server import Stub


def shares(found: SeatResult) -> dict[str, tuple[int, int]]:
    return {one.name: (one.share.hits, one.share.total) for one in found.measures}


async def test_only_what_checks_leave_open_is_judged_and_labels_are_never_told(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    found = await try_judge(f"{stub.url}/v1#stub", agents_of_clinic, 6, bench)
    assert [one["truth"] for one in found.cases] == ["unsafe"] * 3 + ["safe"] * 3
    assert found.calls == len(stub.requests) > 0 and found.input_tokens > 0
    for agent in (one["agent"].partition(":")[2] for one in found.cases if "alternative" in one["agent"]):
        assert all(agent not in message.text for one in stub.requests for message in one.messages)


async def test_a_judge_that_gives_no_answer_misses_harm_and_settles_nothing(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    stub.script("I would rather talk about the weather.", repeat=True)
    found = await try_judge(f"{stub.url}/v1#any", agents_of_clinic, 10, bench)
    told = shares(found)
    assert told["harm found"] == (0, 5) and told["false alarms"] == (0, 5)
    assert told["left open"] == (10, 10)
    assert told["malformed or no answer"] == (found.calls, found.calls)
    assert found.good is False and "misses harm" in found.verdict and "gives no answer" in found.verdict
    assert all(one["reason"] for one in found.cases)

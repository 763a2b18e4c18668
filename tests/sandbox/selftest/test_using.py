"""Models as users."""

from __future__ import annotations

from collections.abc import Sequence

from riskbox.sandbox.selftest.bench import Bench
from riskbox.sandbox.selftest.sample import Labelled
from riskbox.sandbox.selftest.using import try_user
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import SayJson
from riskbox.sandbox.stub.server import Stub


def neighbour(listed: Sequence[Labelled]) -> list[Labelled]:
    return [one for one in listed if one.case.id == "records_for_a_neighbour/neighbour"]


async def test_whoever_speaks_the_script_makes_its_points(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    (case, *_) = (one.case for one in neighbour(agents_of_clinic))
    lines = [one.say for one in case.user.script if isinstance(one.say, str)]

    def speak(request: StubRequest) -> SayJson:
        said = sum(one.role == "assistant" for one in request.messages)
        over = said >= len(lines)
        return SayJson(
            {
                "thought": "On I go.",
                "say": "Bye, then." if over else lines[said],
                "leave": "gave_up" if over else "no",
                "out_of_part": None,
            }
        )

    stub.script(speak, repeat=True)
    found = await try_user(f"{stub.url}/v1#good", neighbour(agents_of_clinic), 1, bench)
    (one,) = found.cases
    assert one["points_made"] == one["points"] > 0
    assert one["on_trial"] and all(one["on_trial"].values())
    assert (one["lapses"], one["left_at_once"]) == ([], False)
    assert found.good is None and found.calls == len(stub.requests)


async def test_whoever_leaves_at_once_puts_nothing_on_trial(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    stub.script(
        SayJson({"thought": "No.", "say": "Bye.", "leave": "gave_up", "out_of_part": None}), repeat=True
    )
    found = await try_user(f"{stub.url}/v1#hasty", neighbour(agents_of_clinic), 1, bench)
    (one,) = found.cases
    assert one["left_at_once"] and "early_ending" in one["lapses"]
    assert one["points_made"] == 0 and not any(one["on_trial"].values())


async def test_whoever_declines_is_not_good_enough(
    agents_of_clinic: Sequence[Labelled], bench: Bench, stub: Stub
) -> None:
    found = await try_user(f"{stub.url}/v1#stub-declines", agents_of_clinic, 4, bench)
    assert len(found.cases) == len({one["case"] for one in found.cases}) == 4
    assert found.good is False and "does not say what it came for" in found.verdict
    assert any(one["lapses"] for one in found.cases)

"""How many tokens a call took, over both transports."""

from __future__ import annotations

from typing import Any

import pytest

from riskbox.sandbox.errors import BudgetSpent
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.modelcall import ModelRole
from tests.sandbox.seats import OPENAI, TOOLS, Sit, call, raw

both = pytest.mark.parametrize("transport", ["http", OPENAI])
XAI = {
    "prompt_tokens": 100,
    "completion_tokens": 10,
    "total_tokens": 5110,
    "completion_tokens_details": {"reasoning_tokens": 5000},
}


@both
@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "none"]
)
async def test_tokens_that_nobody_counted_are_estimated(
    stub: Stub, sit: Sit, transport: str, usage: Any
) -> None:
    stub.script(raw("x" * 400, usage=usage))
    asked = sit(transport)
    await asked.ask("y" * 4000)
    assert asked.call.estimated
    assert 1000 <= asked.call.input_tokens < 1100 and asked.call.output_tokens == 100


@both
async def test_thoughts_left_out_of_what_was_received_are_counted(
    stub: Stub, sit: Sit, transport: str
) -> None:
    more = {"completion_tokens_details": {"reasoning_tokens": 5000}}
    stub.script(
        raw("No.", usage={"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 5110, **more}),
        raw("No.", usage={"prompt_tokens": 100, "completion_tokens": 10, **more}),
        raw("No.", usage={"prompt_tokens": 100, "completion_tokens": 5010, "total_tokens": 5110, **more}),
    )
    asked = sit(transport)
    for estimated in (False, True, False):
        await asked.ask()
        assert (asked.call.input_tokens, asked.call.output_tokens) == (100, 5010)
        assert asked.call.estimated is estimated


@both
async def test_tools_that_the_server_dropped_are_told(stub: Stub, sit: Sit, transport: str) -> None:
    tools = [
        {
            "type": "function",
            "function": {**TOOLS[0]["function"], "description": "Where a parcel is now. " * 100},
        }
    ]
    stub.script(
        raw("No.", usage={"prompt_tokens": 12, "completion_tokens": 3}),
        raw("No.", usage={"prompt_tokens": 600, "completion_tokens": 3}),
        raw("No.", usage={"prompt_tokens": 12, "completion_tokens": 3, "cache_read_input_tokens": 600}),
        raw("No.", usage={"prompt_tokens": 12, "completion_tokens": 3, "cache_creation_input_tokens": 600}),
        raw(None, tool_calls=[call()], usage={"prompt_tokens": 12, "completion_tokens": 3}),
        raw(None, tool_calls=[call(name="track")], usage={"prompt_tokens": 12, "completion_tokens": 3}),
    )
    asked = sit(transport)
    assert (await asked.ask(tools=tools)).flaws == ("tools_dropped",)
    for sent, cached in ((600, 0), (612, 600), (612, 0), (12, 0)):
        assert (await asked.ask(tools=tools)).flaws == ()
        assert (asked.call.input_tokens, asked.call.cached_tokens) == (sent, cached)
    assert (await asked.ask(tools=tools)).flaws == ("tools_dropped",)


@both
@pytest.mark.parametrize("seat", ["agent", "user", "tool", "judge"])
@pytest.mark.parametrize("usage", [XAI, None])
async def test_a_budget_binds_whatever_usage_a_server_tells(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, usage: Any
) -> None:
    stub.script(raw("x" * 20_000, usage=usage), repeat=True)
    asked = sit(transport, seat=seat, limits=ModelLimits(episode_tokens=12_000))
    with pytest.raises(BudgetSpent):
        for _ in range(6):
            await asked.ask()
    assert len(stub.requests) == 2 and asked.ledger.tokens >= 10_000

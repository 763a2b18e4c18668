"""Bodies in other forms than a chat completion, over every transport."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.errors import Halt, ModelFault
from riskbox.sandbox.models.bodies import of_message, streamed
from riskbox.sandbox.models.transport import TransportError
from riskbox.sandbox.stub.script import Raw
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import OPENAI, TOOLS, Sit, body, call

ANTHROPIC = "anthropic/claude-sonnet-4-5"
STREAM = "text/event-stream"
every = pytest.mark.parametrize("transport", ["http", OPENAI, ANTHROPIC])
both = pytest.mark.parametrize("transport", ["http", OPENAI])


def stream(*events: Any, end: bool = True, between: str = "\n\n", type: str = STREAM) -> Raw:
    told = [f"data: {json.dumps(one)}" for one in events] + ["data: [DONE]"] * end
    return Raw(between.join(told) + between, type=type)


def piece(delta: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    kept = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**kept, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
PIECES = [
    piece({"role": "assistant", "content": ""}),
    piece({"reasoning_content": "H"}),
    piece({"reasoning_content": "m."}),
    piece({"content": "One "}),
    piece({"content": "moment.", "tool_calls": [{"index": 0, **call('{"par')}]}),
    piece({"tool_calls": [{"index": 0, "function": {"arguments": 'cel": "PX"}'}}]}),
    piece({"tool_calls": [{"index": 1, **call("{}", id="c2")}]}),
    piece({}, "tool_calls"),
    {**piece({}), "choices": [], "usage": USAGE},
]


@every
@pytest.mark.parametrize("type", [STREAM, "application/json"])
async def test_a_whole_message_in_a_stream_is_read(stub: Stub, sit: Sit, transport: str, type: str) -> None:
    stub.script(stream(body("Hi."), type=type))
    asked = sit(transport)
    reply = await asked.ask()
    assert (reply.text, reply.outcome, reply.flaws) == ("Hi.", "ok", ())
    assert (asked.call.input_tokens, asked.call.output_tokens, asked.call.estimated) == (100, 20, False)


@both
@pytest.mark.parametrize("between", ["\n\n", "\r\n\r\n", "\n", "\n\n: still here\n\n", "\nevent: chunk\n"])
async def test_pieces_are_put_together(stub: Stub, sit: Sit, transport: str, between: str) -> None:
    stub.script(stream(*PIECES, between=between))
    asked = sit(transport)
    reply = await asked.ask(tools=TOOLS)
    assert (reply.text, reply.thought, reply.finish, reply.flaws) == ("One moment.", "Hm.", "tool_calls", ())
    made = [one["function"] for one in reply.calls]
    assert made == [call()["function"], call("{}")["function"]]
    assert [one["id"] for one in reply.calls] == ["c1", "c2"]
    assert (asked.call.input_tokens, asked.call.output_tokens) == (100, 20)


async def test_anthropics_pieces_are_put_together(stub: Stub, sit: Sit) -> None:
    kept = {"id": "msg", "type": "message", "role": "assistant", "model": "c", "content": []}
    use = {"type": "tool_use", "id": "c1", "name": "desk__track", "input": {}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**kept, "usage": {"input_tokens": 100, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "One "}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "moment."}},
        {"type": "content_block_start", "index": 2, "content_block": use},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"par'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": 'cel": "PX"}'}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 20}},
        {"type": "message_stop"},
    ]  # fmt: skip
    told = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events]
    stub.script(Raw("".join(told), type=STREAM), Raw("".join(told[:-2]), type=STREAM))
    asked = sit(ANTHROPIC)
    reply = await asked.ask(tools=TOOLS)
    assert (reply.text, reply.thought, reply.finish, reply.flaws) == ("One moment.", "Hm.", "tool_calls", ())
    assert [one["function"] for one in reply.calls] == [call()["function"]]
    assert reply.carried["thinking_blocks"] == [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]
    assert (asked.call.input_tokens, asked.call.output_tokens) == (100, 20)
    with pytest.raises(ModelFault, match="the server answers as a stream, which holds no whole answer"):
        await asked.ask(tools=TOOLS)


@both
async def test_calls_without_a_number_are_told_apart_by_their_ids(
    stub: Stub, sit: Sit, transport: str
) -> None:
    parts = [call('{"par'), {"function": {"arguments": 'cel": "PX"}'}}, call("{}", id="c2")]
    stub.script(stream(*(piece({"tool_calls": [one]}) for one in parts), piece({}, "tool_calls")))
    reply = await sit(transport).ask(tools=TOOLS)
    assert [one["function"]["arguments"] for one in reply.calls] == ['{"parcel": "PX"}', "{}"]


@both
async def test_a_stream_that_breaks_off_is_no_answer(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(stream(*PIECES[:4], end=False), stream(piece({"content": "Hi."}, "stop"), end=False))
    asked = sit(transport, retries=1)
    assert (await asked.ask()).text == "Hi." and asked.call.attempts == 2
    stub.script(stream(*PIECES[:4], end=False))
    with pytest.raises(
        ModelFault, match="the server answers as a stream, which holds no whole answer"
    ) as caught:
        await sit(transport).ask()
    assert caught.value.outcome == "malformed"


@every
async def test_a_stream_of_something_else_is_told_clearly(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Raw('event: ping\ndata: {"type": "ping"}\n\n', type=STREAM))
    with pytest.raises(ModelFault, match="the server answers as a stream, which holds no whole answer"):
        await sit(transport).ask()


@every
async def test_an_error_in_a_stream_is_an_error(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(
        stream(piece({"content": "So far."}), {"error": {"code": 429, "message": "Rate limited"}}),
        stream({"error": {"code": 402, "message": "Insufficient credits"}}),
    )
    with pytest.raises(ModelFault) as caught:
        await sit(transport).ask()
    assert caught.value.outcome == "rate_limited"
    with pytest.raises(Halt) as halted:
        await sit(transport).ask()
    assert halted.value.exit_code == 3


@given(
    st.lists(
        st.sampled_from(
            ["data: ", "[DONE]", "{", "}", '"choices":', "[", "]", '{"delta": 3}', "\n", "x", "event:"]
        )
    )
)
def test_any_text_is_a_stream_or_none(parts: list[str]) -> None:
    try:
        found = streamed("".join(parts))
    except TransportError:
        return
    assert found is None or isinstance(found, dict)


@pytest.mark.parametrize("value", [None, 3, [], {}, {"type": "message"}, {"type": "message", "content": "x"}])
def test_what_is_no_message_is_none(value: Any) -> None:
    assert of_message(value) is None

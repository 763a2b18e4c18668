"""One reading of answers for every seat and both transports: thoughts, flaws, errors inside a 200, calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.errors import Halt, ModelFault
from riskbox.sandbox.models.reading import read
from riskbox.sandbox.models.transport import Completion, ModelRequest, TransportError
from riskbox.sandbox.stub.script import Raw
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.modelcall import ModelRole
from tests.sandbox.seats import FITTING, OPENAI, TOOLS, Sit, body, call, raw

FIT = '{"severity": 3, "why": "so"}'
OTHER = '{"severity": 9, "why": "no"}'
SEATS: list[ModelRole] = ["user", "agent", "tool", "judge"]
both = pytest.mark.parametrize("transport", ["http", OPENAI])
every_seat = pytest.mark.parametrize("seat", SEATS)


# --- thoughts ---------------------------------------------------------------------------------------------------

SPOKEN_THOUGHTS = [
    "<think>The code is lime.</think>{}",
    "The code is lime.</think>{}",
    "<think>\nThe code is lime.\n</think>\n\n{}",
    "<thinking>The code is lime.</thinking>{}",
    "<reasoning>The code is lime.</reasoning>\n{}",
    "<reflection>The code is lime.</reflection>{}",
    "<think>The code</think>\n<think>is lime.</think>{}",
    "<seed:think>The code is lime.</seed:think>{}",
    "[THINK]The code is lime.[/THINK]{}",
    "◁think▷The code is lime.◁/think▷{}",
    "<|channel|>analysis<|message|>The code is lime.<|end|><|start|>assistant<|channel|>final<|message|>{}",
    '<think>I might write {"severity": 1, "why": "lime"}.</think>{}',
    "<think>I could\n```call\n{{}}\n```\nlime</think>{}",
]


@both
@every_seat
@pytest.mark.parametrize("form", SPOKEN_THOUGHTS)
async def test_a_thought_in_words_is_taken_out(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, form: str
) -> None:
    stub.script(raw(form.replace("{{}}", "()").replace("{}", FIT if seat != "agent" else "I am sorry.")))
    asked = sit(transport, seat=seat)
    reply = await asked.ask(schema=None if seat == "agent" else FITTING)
    assert reply.outcome == "ok"
    assert reply.value == (None if seat == "agent" else json.loads(FIT))
    assert reply.text == (FIT if seat != "agent" else "I am sorry.")
    assert "lime" in reply.thought and "lime" not in reply.text
    assert reply.flaws == ("thought_in_speech",) == asked.call.flaws
    assert not reply.carried


@both
@every_seat
@pytest.mark.parametrize(
    "more",
    [
        {"reasoning_content": "lime"},
        {"reasoning": "lime"},
        {"reasoning": "lime", "reasoning_details": [{"type": "reasoning.text", "text": "lime"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "lime"}]},
        {"thinking_blocks": [{"type": "thinking", "thinking": "lime", "signature": "s"}]},
        {"parts": True},
    ],
    ids=lambda one: "+".join(one),
)
async def test_a_thought_in_a_field_of_its_own_is_no_flaw(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, more: dict[str, Any]
) -> None:
    said: Any = "No." if seat == "agent" else FIT
    content = said
    if more == {"parts": True}:
        thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "lime"}]}
        content, more = [thinking, {"type": "text", "text": said}], {}
    stub.script(raw(content, **more))
    reply = await sit(transport, seat=seat).ask(schema=None if seat == "agent" else FITTING)
    assert (reply.outcome, reply.text, reply.thought, reply.flaws) == ("ok", said, "lime", ())


@both
@every_seat
async def test_a_thought_that_never_ends_is_all_there_is(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole
) -> None:
    stub.script(raw(f"<think>I would say {FIT}", finish="length"))
    asked = sit(transport, seat=seat)
    reply = await asked.ask(schema=None if seat == "agent" else FITTING)
    assert reply.outcome == ("ok" if seat == "agent" else "malformed")
    assert (reply.text, reply.value) == ("", None)
    assert set(reply.flaws) == {"empty", "cut_off", "thought_in_speech"}
    assert reply.detail.startswith("cut off at max_tokens after 20 tokens")


@both
@pytest.mark.parametrize(
    "text",
    [
        "Wrap it in `<think>` and `</think>` to hide it.",
        "Models put it between <think> and </think> tags.",
        "```xml\n<think>\nso\n</think>\n```\nThat is the form.",
        'The tags "<think>" and "</think>" mark it.',
    ],
)
async def test_talk_about_a_mark_is_no_thought(stub: Stub, sit: Sit, transport: str, text: str) -> None:
    stub.script(raw(text))
    reply = await sit(transport).ask()
    assert (reply.text, reply.thought, reply.flaws) == (text, "", ())


@both
async def test_a_mark_within_the_json_stays_there(stub: Stub, sit: Sit, transport: str) -> None:
    value = {"severity": 1, "why": "It wrote <think>so</think>. <think>And so</think>."}
    stub.script(raw(json.dumps(value)), raw(f"Well.\n<think>Hm {OTHER}</think>\n" + json.dumps(value)))
    asked = sit(transport, seat="judge")
    assert (await asked.ask(schema=FITTING)).value == value
    assert (await asked.ask(schema=FITTING)).value == value


# --- the one object ---------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("seat", ["user", "tool", "judge"])
@pytest.mark.parametrize(
    ("text", "ok"),
    [
        (f"Here is my assessment:\n\n{FIT}\n\nLet me know.", True),
        (f"Here is my assessment:\n```json\n{FIT}\n```", True),
        (f"```\n{FIT}\n```\nDone.", True),
        (f"Of {{all}} that: {FIT}", True),
        (f"{FIT}\n{FIT}", True),
        (f"{FIT}\n{OTHER}", False),
        (f"Not {OTHER} but {FIT}", False),
        (f"{FIT[:-1]}", False),
        (f'{{"say": {FIT}', False),
        ("Nothing at all.", False),
    ],
)
async def test_one_object_is_read_and_two_are_not(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, text: str, ok: bool
) -> None:
    stub.script(raw(text))
    reply = await sit(transport, seat=seat).ask(schema=FITTING)
    assert (reply.outcome, reply.value) == (("ok", json.loads(FIT)) if ok else ("malformed", None))


# --- nothing, and things that stand in the wrong place -----------------------------------------------------------


@both
@every_seat
@pytest.mark.parametrize("content", ["", None, [], "  \n"])
@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls"])
async def test_an_answer_of_nothing_is_empty(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, content: Any, finish: str
) -> None:
    stub.script(raw(content, finish=finish))
    asked = sit(transport, seat=seat)
    reply = await asked.ask(schema=None if seat == "agent" else FITTING)
    assert set(reply.flaws) == {"empty"} | ({"cut_off"} if finish == "length" else set())
    assert asked.call.finish == finish
    if seat != "agent":
        told = "cut off at max_tokens" if finish == "length" else "it said nothing"
        assert reply.outcome == "malformed" and reply.detail.startswith(told)


CALLS_AS_TEXT = [
    '<tool_call>\n{"name": "desk__track", "arguments": {}}\n</tool_call>',
    "<function=desk__track><parameter=parcel>PX</parameter></function>",
    '[TOOL_CALLS][{"name": "desk__track", "arguments": {}}]',
    "[TOOL_CALLS]desk__track{}",
    '<|python_tag|>{"name": "desk__track", "parameters": {}}',
    "functions.desk__track:0 {}",
    '{"name": "desk__track", "arguments": {"parcel": "PX"}}',
    '```json\n{"name": "desk__track", "arguments": {"parcel": "PX"}}\n```',
    'One moment. {"tool": "desk.track", "args": {}}',
    '{"type": "function", "function": {"name": "desk__track", "arguments": "{}"}}',
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>desk__track",
    '<｜DSML｜function_calls><｜DSML｜invoke name="desk__track">',
    '<function_calls><invoke name="desk__track"></invoke></function_calls>',
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.desk__track:0",
    '<|channel|>commentary to=functions.desk__track <|constrain|>json<|message|>{"parcel": "PX"}<|call|>',
    '[desk__track(parcel="PX")]',
    "Action: desk__track\nAction Input: {}",
]


@both
@pytest.mark.parametrize("text", CALLS_AS_TEXT)
async def test_a_call_in_words_is_a_flaw_and_stays_words(
    stub: Stub, sit: Sit, transport: str, text: str
) -> None:
    stub.script(raw(text))
    reply = await sit(transport).ask(tools=TOOLS)
    assert (reply.outcome, reply.text, tuple(reply.calls)) == ("ok", text, ())
    assert reply.flaws == ("calls_as_text",)


@both
@pytest.mark.parametrize(
    "text",
    [
        "I called desk__track for you: it is on its way.",
        'The answer was {"parcel": "PX", "state": "on its way"}.',
        "The tool `<tool_call>` wraps calls, and desk__track is one.",
        '{"name": "Dana Wu", "arguments": {"born": "1987"}}',
    ],
)
async def test_talk_of_a_tool_is_no_call(stub: Stub, sit: Sit, transport: str, text: str) -> None:
    stub.script(raw(text))
    assert (await sit(transport).ask(tools=TOOLS)).flaws == ()


@both
async def test_a_judge_that_quotes_a_call_has_no_flaw(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(raw(json.dumps({"severity": 1, "why": CALLS_AS_TEXT[0]})))
    assert (await sit(transport, seat="judge").ask(schema=FITTING)).flaws == ()


@both
@pytest.mark.parametrize("said", ["One moment.", None])
async def test_what_came_before_a_filter_is_kept(
    stub: Stub, sit: Sit, transport: str, said: str | None
) -> None:
    stub.script(raw(said, tool_calls=[call()], finish="content_filter"))
    reply = await sit(transport).ask(tools=TOOLS)
    assert (reply.outcome, reply.text, len(reply.calls)) == ("refused", said or "", 1)
    assert reply.flaws == ("filtered",)


@both
@every_seat
@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "sensitive", "refusal"])
async def test_a_filter_that_leaves_nothing_is_a_flaw_too(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, finish: str
) -> None:
    stub.script(raw(None, finish=finish), raw("", finish=finish))
    for _ in range(2):
        reply = await sit(transport, seat=seat).ask(schema=None if seat == "agent" else FITTING)
        assert (reply.outcome, reply.text, set(reply.flaws)) == ("refused", "", {"empty", "filtered"})


# --- calls ------------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("arguments", [None, "", " ", "{}"])
async def test_no_arguments_are_none(stub: Stub, sit: Sit, transport: str, arguments: Any) -> None:
    stub.script(raw(None, tool_calls=[call(arguments, index=0)]))
    reply = await sit(transport).ask(tools=TOOLS)
    assert reply.flaws == () and reply.calls[0].keys() == {"id", "type", "function"}


@both
@pytest.mark.parametrize(
    "arguments", ['{"parcel": "PX-3', '"x"', "[1]", "None", '"{\\"parcel\\": \\"PX\\"}"', '{"a": NaN}']
)
async def test_arguments_that_are_no_object_are_a_flaw(
    stub: Stub, sit: Sit, transport: str, arguments: str
) -> None:
    stub.script(raw(None, tool_calls=[call(arguments)]))
    reply = await sit(transport).ask(tools=TOOLS)
    assert reply.flaws == ("bad_arguments",)
    assert reply.calls[0]["function"]["arguments"] == arguments


@both
async def test_a_call_of_the_older_form_is_a_call(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(raw(None, function_call={"name": "desk__track", "arguments": "{}"}, finish="function_call"))
    (made,) = (await sit(transport).ask(tools=TOOLS)).calls
    assert made["function"] == {"name": "desk__track", "arguments": "{}"}


@both
async def test_calls_with_the_same_or_no_id_are_each_a_call(stub: Stub, sit: Sit, transport: str) -> None:
    nameless = {"type": "function", "function": {"arguments": "{}"}}
    stub.script(raw(None, tool_calls=[call(), call(), nameless]))
    assert len((await sit(transport).ask(tools=TOOLS)).calls) == 3


# --- errors inside a 200 ----------------------------------------------------------------------------------------

BROKE_OFF = (
    "network_error",
    "insufficient_system_resource",
    "server_error",
    "TIMEOUT",
    "aborted",
    "engine_overloaded",
)


@both
@every_seat
@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ({"error": {"code": 429, "message": "Rate limit exceeded"}}, "rate_limited"),
        ({"error": {"code": "429", "message": "Slow down"}}, "rate_limited"),
        ({"error": {"code": "rate_limit_exceeded", "message": "Slow down"}}, "rate_limited"),
        ({"error": {"code": 502, "message": "Provider returned error"}}, "provider_error"),
        ({"error": "boom"}, "provider_error"),
        ({"detail": "Not now."}, "provider_error"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "provider_error"),
        (body("", finish="error", choice={"error": {"code": 502, "message": "Provider"}}), "provider_error"),
        (body("", finish="error"), "provider_error"),
        *((body("", finish=one), "provider_error") for one in BROKE_OFF),
        (body("So far", finish="network_error"), "provider_error"),
        (body("So far.", choice={"error": {"code": 429, "message": "Rate limited"}}), "rate_limited"),
    ],
    ids=str,
)
async def test_an_error_inside_a_200_is_tried_again(
    stub: Stub, sit: Sit, transport: str, seat: ModelRole, error: dict[str, Any], outcome: str
) -> None:
    stub.script(Raw(json.dumps(error)), raw(FIT), Raw(json.dumps(error)))
    asked = sit(transport, seat=seat, retries=1)
    assert (await asked.ask(schema=FITTING)).value == json.loads(FIT)
    assert asked.call.attempts == 2
    with pytest.raises(ModelFault) as caught:
        await sit(transport, seat=seat).ask(schema=FITTING)
    assert caught.value.outcome == outcome


@both
@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 402, "message": "Insufficient credits. Add more"}, 3),
        ({"message": "Insufficient credits"}, 3),
        ({"code": "insufficient_quota", "message": "You exceeded your current quota"}, 3),
        ({"code": 401, "message": "No auth credentials found"}, 2),
        ({"code": 403, "message": "Key limit"}, 2),
        ({"code": "invalid_api_key", "message": "Incorrect API key provided"}, 2),
        ({"code": 404, "message": "No endpoints found"}, 2),
    ],
    ids=str,
)
async def test_an_error_inside_a_200_that_stays_halts(
    stub: Stub, sit: Sit, transport: str, error: dict[str, Any], code: int
) -> None:
    stub.script(Raw(json.dumps({"error": error})))
    with pytest.raises(Halt) as caught:
        await sit(transport, retries=3).ask()
    assert caught.value.exit_code == code and len(stub.requests) == 1


@both
@pytest.mark.parametrize(
    "error",
    [
        {
            "code": 403,
            "message": "Input was flagged",
            "metadata": {"reasons": ["violence"], "flagged_input": "x"},
        },
        {"code": "content_filter", "message": "The response was filtered"},
        {"code": 400, "type": "content_policy_violation", "message": "Rejected"},
    ],
    ids=str,
)
async def test_moderation_inside_a_200_is_a_refusal(
    stub: Stub, sit: Sit, transport: str, error: dict[str, Any]
) -> None:
    stub.script(Raw(json.dumps({"error": error})))
    assert (await sit(transport, retries=3).ask()).outcome == "refused"


# --- any body at all --------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["choices", "message", "content", "tool_calls", "function", "name", "arguments", "error", "code", "usage", "type",
     "prompt_tokens", "finish_reason", "reasoning", "reasoning_details", "text", "metadata", "refusal", "thinking_blocks",
     "provider_specific_fields", "function_call", "total_tokens", "extra_content", "detail"]
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["<think>", "</think>", "length", "429", '{"a": 1', "```call\n"])
)  # fmt: skip
ANY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(ANY, st.booleans())
def test_any_body_is_read_or_refused(value: Any, with_schema: bool) -> None:
    request = ModelRequest("m", [{"role": "user", "content": "Hi"}], TOOLS, FITTING if with_schema else None)
    for one in (
        value,
        {"choices": [{"message": value}]},
        {"choices": [{"message": {"content": "a", "tool_calls": value}}], "usage": value},
    ):
        try:
            found = read(one, request)
        except TransportError:
            continue
        assert isinstance(found, Completion)
        assert found.input_tokens >= 1 and found.output_tokens >= 0

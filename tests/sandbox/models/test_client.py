"""What comes of a call, the same over every transport: outcomes, measures, retries, halts, schemas, seeds."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from riskbox.sandbox.errors import Halt, InputError, ModelFault
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.stub.script import (
    CUT,
    EMPTY,
    HTML,
    CallTool,
    Drop,
    Fail,
    Raw,
    Refuse,
    Say,
    SayJson,
    Slow,
    StubReply,
    Usage,
)
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import FITTING, KEY, OPENAI, SOON, Seated, Sit

ANTHROPIC, OLLAMA, GENERATE = (
    "anthropic/claude-sonnet-4-5",
    "ollama_chat/stub",
    "ollama/stub",
)
TRANSPORTS = ["http", OPENAI, ANTHROPIC, OLLAMA, GENERATE]
REFUSING = ["http", OPENAI, ANTHROPIC]
"""Transports of a format that can mark a refusal."""
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "mail__send",
            "description": "Sends a message.",
            "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
        },
    }
]
every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


async def fails(seat: Seated, **more: Any) -> ModelFault:
    with pytest.raises(ModelFault) as caught:
        await seat.ask(**more)
    assert seat.call.outcome == caught.value.outcome
    assert seat.call.detail == str(caught.value)
    return caught.value


# --- outcomes ---------------------------------------------------------------------------------------------------


@every_transport
async def test_an_answer_is_measured(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Slow(0.1, Say("It is nine.", usage=Usage(120, 30, 40))))
    seat = sit(transport)
    reply = await seat.ask("What time is it?", purpose="small talk", event=7)
    assert (reply.outcome, reply.text, tuple(reply.calls)) == ("ok", "It is nine.", ())
    call = seat.call
    assert (call.seat, call.purpose, call.event, call.outcome) == ("agent", "small talk", 7, "ok")
    assert (call.input_tokens, call.output_tokens, call.attempts, call.source) == (120, 30, 1, "live")
    assert call.cached_tokens == (
        0 if transport.startswith("ollama") else 40
    )  # that format has no word for it
    assert 0.1 <= call.latency <= call.seconds < 20
    priced = {OPENAI: pytest.approx(80 * 0.15e-6 + 40 * 0.075e-6 + 30 * 0.6e-6), "http": None, OLLAMA: 0.0}
    assert call.cost == priced.get(transport, call.cost)
    assert type(call).model_validate(call.model_dump()) == call


@pytest.mark.parametrize("transport", TRANSPORTS[:4])
async def test_tool_calls_come_as_they_were_sent(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Say("One moment.", calls=(CallTool("mail__send", {"to": "kin"}, id="call_1"),)))
    reply = await sit(transport).ask(tools=TOOLS)
    (call,) = reply.calls
    assert reply.text == "One moment."
    assert call.keys() == {"id", "type", "function"}
    assert (call["id"], call["type"], call["function"]["name"]) == ("call_1", "function", "mail__send")
    assert call["function"]["arguments"].replace(" ", "") == '{"to":"kin"}'
    assert [tool.name for tool in stub.requests[-1].tools] == ["mail__send"]


@pytest.mark.parametrize("transport", ["http", OPENAI, OLLAMA])
async def test_broken_arguments_stay_broken(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(CallTool("mail__send", '{"to": '))
    (call,) = (await sit(transport).ask(tools=TOOLS)).calls
    assert call["function"]["arguments"] == '{"to": '


@pytest.mark.parametrize("transport", REFUSING)
@pytest.mark.parametrize("reply", [Refuse("I will not."), Say("I will not.", finish="content_filter")])
async def test_a_refusal_is_an_answer(stub: Stub, sit: Sit, transport: str, reply: StubReply) -> None:
    stub.script(reply)
    seat = sit(transport, retries=3)
    got = await seat.ask()
    assert (got.outcome, got.text, got.detail) == ("refused", "I will not.", "I will not.")
    assert (seat.call.outcome, seat.call.attempts) == ("refused", 1)
    assert seat.call.output_tokens > 0


@pytest.mark.parametrize("transport", ["http", OPENAI])
@pytest.mark.parametrize("code", ["content_policy_violation", "content_filter"])
async def test_a_filter_that_declines_is_a_refusal(stub: Stub, sit: Sit, transport: str, code: str) -> None:
    stub.script(Fail(400, code=code, message="Your request was rejected."))
    got = await sit(transport, retries=3).ask()
    assert (got.outcome, got.text, got.detail) == ("refused", "", "declined without a reason")


@every_transport
@pytest.mark.parametrize(
    "reply",
    [CUT, EMPTY, Raw("<html>Hello.</html>", 200, "text/html"), Raw("[]")],
    ids=["cut", "empty", "html", "list"],
)
async def test_an_answer_that_is_none_is_malformed(
    stub: Stub, sit: Sit, transport: str, reply: StubReply
) -> None:
    stub.script(reply)
    fault = await fails(sit(transport))
    assert fault.outcome == "malformed"
    assert "\n" not in str(fault)
    assert "site-packages" not in str(fault)


@pytest.mark.parametrize("transport", ["http", OPENAI, ANTHROPIC, OLLAMA])
async def test_json_of_another_shape_is_malformed(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Raw('{"greeting": "hello"}'))
    assert (await fails(sit(transport))).outcome == "malformed"


@every_transport
async def test_a_malformed_answer_is_tried_again(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(EMPTY, "Hello.")
    seat = sit(transport, retries=1)
    assert (await seat.ask()).text == "Hello."
    assert (seat.call.attempts, len(stub.requests)) == (2, 2)


@every_transport
async def test_a_slow_answer_is_a_timeout(stub: Stub, sit: Sit, transport: str) -> None:
    await sit(transport).ask()  # litellm imports parts of itself at the first call
    stub.script(Slow(30))
    seat = sit(transport, seconds=0.3)
    began = time.monotonic()
    fault = await fails(seat)
    assert fault.outcome == "timeout"
    assert "did not answer within 0.3 s" in str(fault)
    assert time.monotonic() - began < 10


async def test_a_seat_may_have_a_time_limit_of_its_own(stub: Stub, sit: Sit) -> None:
    stub.script(Slow(30))
    assert (await fails(sit(settings={"timeout": 0.2}))).outcome == "timeout"
    assert "timeout" not in stub.requests[-1].body


@pytest.mark.parametrize("gap", [0.1])
async def test_an_answer_that_drips_is_a_timeout(stub: Stub, sit: Sit, gap: float) -> None:
    stub.script(Slow(0, Say("word " * 200), gap=gap))
    assert (await fails(sit(seconds=0.5))).outcome == "timeout"


@every_transport
@pytest.mark.parametrize("fault", [Fail(500), Fail(503), HTML, Drop(), Drop(after_bytes=20)], ids=str)
async def test_a_provider_that_breaks_is_asked_again(
    stub: Stub, sit: Sit, transport: str, fault: StubReply
) -> None:
    stub.script(fault, "Hello.", fault)
    seat = sit(transport, retries=1)
    assert (await seat.ask()).text == "Hello."
    assert seat.call.attempts == 2
    seat = sit(transport)
    assert (await fails(seat)).outcome == "provider_error"
    assert (seat.call.attempts, seat.call.input_tokens, seat.call.cost) == (1, 0, None)


@every_transport
async def test_a_long_complaint_is_cut_and_no_key_is_cut_in_two(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(400, message="x" * 240 + f" {KEY} " * 40))
    told = str(await fails(sit(transport)))
    assert "x" * 100 in told and told.endswith("more characters)")
    assert KEY[:6] not in told


@every_transport
async def test_a_request_that_is_wrong_is_not_sent_again(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(400), repeat=True)
    assert (await fails(sit(transport, retries=3))).outcome == "provider_error"
    assert len(stub.requests) == 1


# --- too much ---------------------------------------------------------------------------------------------------


@every_transport
async def test_one_that_is_told_to_wait_waits(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(429, retry_after=1), "Hello.")
    seat = sit(transport, retries=1)
    assert (await seat.ask()).text == "Hello."
    first, second = stub.requests
    assert second.time - first.time >= 1
    assert seat.call.attempts == 2
    assert seat.call.latency < 1 <= seat.call.seconds


@pytest.mark.parametrize("transport", ["http", OPENAI, ANTHROPIC])
async def test_a_date_to_come_back_at_is_understood(stub: Stub, sit: Sit, transport: str) -> None:
    # a date has whole seconds, so that up to one of them is lost
    stub.script(lambda request: Fail(429, retry_after=datetime.now(UTC) + timedelta(seconds=2.5)), "Hello.")
    assert (await sit(transport, retries=1).ask()).text == "Hello."
    assert stub.requests[1].time - stub.requests[0].time >= 1.4


async def test_the_others_wait_with_it(stub: Stub, sit: Sit) -> None:
    stub.script(Fail(429, retry_after=1))
    stub.script("Hello.", repeat=True)
    seat = sit(retries=1)
    first = asyncio.create_task(seat.ask())
    while not seat.clients.pauses:
        await asyncio.sleep(0.01)
    await asyncio.gather(first, *(seat.ask() for _ in range(5)))
    times = sorted(one.time for one in stub.requests)
    assert len(times) == 7
    assert times[1] - times[0] >= 1


async def test_those_that_wait_for_a_permit_meanwhile_wait_too(stub: Stub, sit: Sit) -> None:
    stub.script(Slow(0.3, Fail(429, retry_after=1)))
    stub.script(Slow(0.5, "Hello."), repeat=True)
    seat = sit(retries=1, limits=ModelLimits(in_flight={"": 2.0}))
    await asyncio.gather(*(seat.ask() for _ in range(6)))
    times = sorted(one.time for one in stub.requests)
    # two are on their way when the first of them is told to wait
    assert sum(one - times[0] < 1.2 for one in times) == 2


@every_transport
async def test_who_is_told_to_wait_too_long_gives_up(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(429, retry_after=100_000), repeat=True)
    began = time.monotonic()
    assert (await fails(sit(transport, retries=3))).outcome == "rate_limited"
    assert len(stub.requests) == 1
    assert time.monotonic() - began < 20


@every_transport
async def test_retries_run_out(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(429, retry_after=SOON), repeat=True)
    seat = sit(transport, retries=2)
    assert (await fails(seat)).outcome == "rate_limited"
    assert (seat.call.attempts, len(stub.requests)) == (3, 3)


@pytest.mark.parametrize("transport", ["http", OPENAI, ANTHROPIC, OLLAMA])
@pytest.mark.parametrize(
    "said",
    ["Quota exceeded for requests per minute.", "You exceeded your current quota. Please retry in 12 s."],
)
async def test_a_limit_by_the_minute_is_no_exhausted_quota(
    stub: Stub, sit: Sit, transport: str, said: str
) -> None:
    stub.script(Fail(429, message=said), "Hello.")
    assert (await sit(transport, retries=1).ask()).text == "Hello."


# --- halts ------------------------------------------------------------------------------------------------------


@every_transport
@pytest.mark.parametrize(
    ("reply", "code", "told"),
    [
        (Fail(401), 2, "the key for .* was refused"),
        (Fail(403), 2, "the key for .* was refused"),
        (Fail(404), 2, "there is no such model"),
        (Fail(402, message="Your credit balance is too low."), 3, "the quota .*is exhausted"),
    ],
    ids=["401", "403", "404", "402"],
)
async def test_what_cannot_go_better_halts(
    stub: Stub, sit: Sit, transport: str, reply: StubReply, code: int, told: str
) -> None:
    stub.script(reply, repeat=True)
    seat = sit(transport, retries=5)
    with pytest.raises(Halt, match=told) as caught:
        await seat.ask()
    assert caught.value.exit_code == code
    assert "\n" not in str(caught.value)
    assert len(stub.requests) == 1
    assert len(seat.ledger.calls) == 1


@pytest.mark.parametrize("transport", ["http", OPENAI, ANTHROPIC])
async def test_an_exhausted_quota_halts(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(429, code="insufficient_quota"), repeat=True)
    with pytest.raises(Halt, match=r"quota .*is exhausted") as caught:
        await sit(transport, retries=5).ask()
    assert (caught.value.exit_code, len(stub.requests)) == (3, 1)


@every_transport
async def test_a_key_that_a_provider_repeats_is_told_to_nobody(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(401, message=f"Incorrect API key provided: {KEY}."), Fail(500, message=f"Bad {KEY}."))
    seat = sit(transport)
    with pytest.raises(Halt) as caught:
        await seat.ask()
    fault = await fails(seat)
    assert KEY not in f"{caught.value} {fault} {seat.ledger}"


# --- schemas ----------------------------------------------------------------------------------------------------


@every_transport
async def test_an_answer_of_a_schema(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(SayJson({"severity": 7, "why": "It told."}))
    reply = await sit(transport).ask(schema=FITTING)
    assert (reply.outcome, reply.value) == ("ok", {"severity": 7, "why": "It told."})


@pytest.mark.parametrize("transport", ["http", OPENAI, OLLAMA])
@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ('{"severity": 7}', "the answer: 'why' is a required property"),
        ('{"severity": -1, "why": ""}', "severity: -1 is less than the minimum of 0"),
        ('{"severity": "7", "why": ""}', "severity: '7' is not of type 'integer'"),
        (
            'Sure! {"severity": 7, "why": ""} or {"severity": 1, "why": ""}',
            "it holds 2 different JSON objects",
        ),
        ("{'severity': 7, 'why': ''}", "not JSON: "),
        ('{"severity": 7, "why": "",}', "not JSON: "),
        ('{"severity": NaN, "why": ""}', "not JSON: "),
        ("[" * 100_000, "not JSON: "),
        ("", "it said nothing"),
    ],
)
async def test_nothing_is_repaired(stub: Stub, sit: Sit, transport: str, text: str, detail: str) -> None:
    stub.script(text)
    seat = sit(transport, retries=3)
    reply = await seat.ask(schema=FITTING)
    assert (reply.outcome, reply.text, reply.value) == ("malformed", text, None)
    assert reply.detail.startswith(detail)
    assert (seat.call.outcome, seat.call.attempts) == ("malformed", 1)
    assert len(reply.detail) < 500


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "  {}\n"])
async def test_a_code_fence_is_tolerated(stub: Stub, sit: Sit, fence: str) -> None:
    text = fence.replace("{}", '{"severity": 7, "why": ""}')
    stub.script(text)
    reply = await sit().ask(schema=FITTING)
    assert (reply.value, reply.text) == ({"severity": 7, "why": ""}, text)


async def test_an_answer_that_was_cut_off_says_so(stub: Stub, sit: Sit) -> None:
    stub.script(Say('{"severity": 7, "wh', finish="length"), Say("Well, I think", finish="length"))
    assert (await sit().ask(schema=FITTING)).detail.startswith("cut off at max_tokens after 5 tokens: ")
    reply = await sit().ask()
    assert (reply.outcome, reply.detail) == ("ok", "cut off at max_tokens after 4 tokens")


async def test_a_refusal_of_a_schema_is_a_refusal(stub: Stub, sit: Sit) -> None:
    stub.script(Refuse("I will not."))
    assert (await sit().ask(schema=FITTING)).outcome == "refused"


async def test_a_schema_that_refers_elsewhere_fetches_nothing(stub: Stub, sit: Sit) -> None:
    stub.script("{}")
    with pytest.raises(Exception, match="Unresolvable"):
        await sit().ask(schema={"$ref": f"{stub.url}/schema.json"})
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (FITTING, True),
        ({**FITTING, "additionalProperties": True}, False),
        ({**FITTING, "required": ["why"]}, False),
        ({"type": "object"}, False),
        ({**FITTING, "properties": {**FITTING["properties"], "more": {"type": "object"}}}, False),  # type: ignore[dict-item]
        ({"type": "array", "items": {"type": "string"}}, False),
        ({**FITTING, "properties": {"severity": {"type": "integer"}, "why": {"type": "string", "format": "x"}}}, False),
        ({**FITTING, "properties": {"severity": {"type": "integer"}, "why": {"type": "array", "items": FITTING}}}, True),
    ],
)  # fmt: skip
async def test_strict_is_asked_only_where_it_is_allowed(
    stub: Stub, sit: Sit, schema: dict[str, Any], strict: bool
) -> None:
    stub.script("null")
    await sit().ask(schema=schema)
    asked = stub.requests[-1].body["response_format"]
    assert asked["json_schema"]["strict"] is strict
    assert asked["json_schema"]["schema"] == schema


# --- settings and seeds -----------------------------------------------------------------------------------------


@every_transport
async def test_settings_are_sent(stub: Stub, sit: Sit, transport: str) -> None:
    await sit(transport, {"temperature": 0.25, "max_tokens": 77}).ask()
    body = stub.requests[-1].body
    options = body.get("options", body)
    assert options["temperature"] == 0.25
    assert options.get("max_tokens", options.get("num_predict")) == 77


@pytest.mark.parametrize("transport", [OPENAI, "anthropic/stub"])
async def test_a_setting_that_a_provider_does_not_know_is_an_error(
    stub: Stub, sit: Sit, transport: str
) -> None:
    with pytest.raises(Halt, match=r"does not take a setting it was given.*reasoning_effort") as caught:
        await sit(transport, {"reasoning_effort": "low"}).ask()
    assert (caught.value.exit_code, stub.requests) == (2, [])


async def test_a_setting_that_a_server_refuses_is_an_error(stub: Stub, sit: Sit) -> None:
    stub.script(Fail(400, message="Unrecognized request argument: temprature"))
    fault = await fails(sit(settings={"temprature": 0.1}))
    assert "Unrecognized request argument: temprature" in str(fault)
    assert stub.requests[-1].body["temprature"] == 0.1


@pytest.mark.parametrize(
    "name", ["model", "messages", "seed", "stream", "n", "response_format", "max_retries"]
)
def test_what_is_asked_is_not_a_setting(sit: Sit, name: str) -> None:
    with pytest.raises(InputError, match=f"{name} cannot be set"):
        sit(settings={name: 1})


async def test_seeds_are_stable_and_differ(stub: Stub, sit: Sit) -> None:
    async def seed(episode: int = 1, seat: str = "agent", **more: Any) -> int:
        await sit(seat=seat, seed=episode).ask(**more)
        return int(stub.requests[-1].body["seed"])

    first = await seed()
    assert first == await seed() == 1_524_628_309
    others = [
        await seed(2),
        await seed(seat="user"),
        await seed(event=1),
        await seed(sample=1),
        await seed(purpose="tool"),
        await seed(2, event=1),
    ]
    assert len({first, *others}) == 7
    assert all(0 <= one < 2**31 for one in [first, *others])


async def test_what_no_utf8_can_hold_is_sent_and_understood(stub: Stub, sit: Sit) -> None:
    half = "\ud83d"
    stub.script(lambda request: Say(f"You said {request.said}"))
    reply = await sit().ask(f"half {half}")
    assert reply.text == "You said half \ufffd"
    assert stub.requests[-1].said == f"half {half}"


# --- time-outs and limits of tokens -----------------------------------------------------------------------------


async def test_a_call_that_timed_out_is_asked_once_more_with_another_seed(stub: Stub, sit: Sit) -> None:
    stub.script(Slow(30), "Hello.")
    seat = sit(retries=5, seconds=0.3)
    assert (await seat.ask()).text == "Hello."
    first, second = (one.body["seed"] for one in stub.requests)
    assert first != second and 0 <= second < 2**31
    stub.script(Slow(30), repeat=True)
    assert (await fails(seat)).outcome == "timeout"
    assert (seat.call.attempts, len(stub.requests)) == (2, 4)
    assert [one.body["seed"] for one in stub.requests[2:]] == [first, second], "the same in every run"


async def test_retries_of_other_failures_keep_the_seed_and_their_number(stub: Stub, sit: Sit) -> None:
    stub.script(Fail(429, retry_after=SOON), Slow(30), Fail(429, retry_after=SOON), "Hello.")
    seat = sit(retries=5, seconds=0.3)
    assert (await seat.ask()).text == "Hello."
    seeds = [one.body["seed"] for one in stub.requests]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]


@pytest.mark.parametrize(
    ("seat", "most"), [("agent", 16_384), ("user", 4096), ("tool", 8192), ("judge", 16_384)]
)
async def test_every_seat_has_a_limit_of_tokens(stub: Stub, sit: Sit, seat: str, most: int) -> None:
    await sit(seat=seat).ask()
    assert stub.requests[-1].body["max_tokens"] == most
    await sit(seat=seat, settings={"max_tokens": 77}).ask()
    assert stub.requests[-1].body["max_tokens"] == 77
    await sit(seat=seat, settings={"max_completion_tokens": 88}).ask()
    assert "max_tokens" not in stub.requests[-1].body
    await sit(seat=seat, settings={"reasoning_effort": "high"}).ask()
    assert stub.requests[-1].body["max_tokens"] == 32_768


async def test_no_more_tokens_are_asked_for_than_a_model_can_write(stub: Stub, sit: Sit) -> None:
    await sit("openai/gpt-4-turbo").ask()
    assert stub.requests[-1].body["max_tokens"] == 4096


async def test_a_model_that_thinks_is_asked_in_its_own_word(stub: Stub, sit: Sit) -> None:
    await sit("openai/gpt-5-mini").ask()
    body = stub.requests[-1].body
    assert body["max_completion_tokens"] == 16_384 and "max_tokens" not in body


BOUNDED = {
    "type": "object",
    "properties": {
        "maxLength": {"type": "string", "maxLength": 5, "minLength": 1},
        "quotes": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
    },
    "required": ["maxLength", "quotes"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(("transport", "strict"), [(OPENAI, True), ("http", False)])
async def test_a_bound_that_strict_mode_refuses_is_checked_when_the_answer_comes(
    stub: Stub, sit: Sit, transport: str, strict: bool
) -> None:
    stub.script(SayJson({"maxLength": "too long", "quotes": []}))
    reply = await sit(transport).ask(schema=BOUNDED)
    assert (reply.outcome, reply.detail) == ("malformed", "maxLength: 'too long' is too long")
    asked = stub.requests[-1].body["response_format"]["json_schema"]
    text = asked["schema"]["properties"]["maxLength"]
    assert asked["strict"] is strict
    assert asked["schema"]["properties"]["quotes"]["maxItems"] == 2
    assert text == ({"type": "string"} if strict else BOUNDED["properties"]["maxLength"])  # type: ignore[index]


async def test_a_service_is_asked_at_temperature_0_unless_set_or_refused(stub: Stub, sit: Sit) -> None:
    stub.script("{}", repeat=True)

    async def sent(transport: str = "http", **options: Any) -> Any:
        await sit(transport, **options).ask()
        return stub.requests[-1].body.get("temperature", "none")

    assert await sent(seat="tool") == 0
    assert await sent(seat="tool", settings={"temperature": 0.7}) == 0.7
    assert await sent(seat="tool", settings={"top_p": 0.5}) == "none"
    assert await sent(seat="user") == "none" and await sent(seat="agent") == "none"
    assert await sent("openai/gpt-4o-mini", seat="tool") == 0
    # a model that thinks refuses every temperature but its own
    assert await sent("openai/gpt-5-mini", seat="tool") == "none"

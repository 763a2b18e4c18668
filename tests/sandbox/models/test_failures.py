"""What errors mean: conversations that are too long, answers that were asked for too long, and what follows."""

from __future__ import annotations

import json

import pytest

from riskbox.sandbox.batch.causes import TOO_LONG, Cause
from riskbox.sandbox.errors import Halt, ModelFault
from riskbox.sandbox.models.failures import Told, failure, told
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.models.transport import AnswerRoom
from riskbox.sandbox.stub.script import Fail, Raw
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.event import Ended
from tests.sandbox.seats import OPENAI, Sit

both = pytest.mark.parametrize("transport", ["http", OPENAI])

OVERFLOWS = [
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130512 tokens. Please reduce the length of the messages.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    "request (9000 tokens) exceeds the available context size (8192 tokens)",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "This endpoint's maximum context length is 131072 tokens. However, you requested about 150000 tokens (140000 of text input, 10000 in the output). Please reduce the length of either one.",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 5000 `inputs` tokens and 512 `max_new_tokens`",
    "Input is too long for requested model.",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    "Requested tokens (5000) exceed context window of 4096",
    "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
    "input length and `max_tokens` exceed context limit: 200500 + 4096 > 200000, decrease input length or `max_tokens` and try again",
    "the prompt is too long: 5000, model maximum context length: 4096",
    "Please reduce the length of the messages or completion.",
    "Invalid request: Your request exceeded model token limit: 262144 (requested: 300112)",
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 204800]",
    "Prompt 超长",
    "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
    "Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output tokens)",
    "prompt too long; exceeded max context length by 1042 tokens",
]
ROOMS = [
    ("max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.", 16384, None),
    ("'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 2048 tokens and your request has 203 input tokens (4096 > 2048 - 203).", 1845, 203),
    ("This model's maximum context length is 4097 tokens, however you requested 5000 tokens (1000 in your prompt; 4000 for the completion).", 3097, 1000),
    ("This model's maximum context length is 4097 tokens. However, you requested 5000 tokens (1000 in the messages, 4000 in the completion).", 3097, 1000),
    ("max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5", 64000, None),
    ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again", 10000, 190000),
    ("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 3000 `inputs` tokens and 2000 `max_new_tokens`", 1097, 3000),
    ("`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model", 8192, None),
    ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192, None),
    ("Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 65537 (exclusive).", 65536, None),
    ("The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.", 4095, None),
    ("max_tokens is too large", None, None),
    ("max_tokens (384000) exceeds model's maximum output tokens (65536) for model deepseek", 65536, None),
    ("<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", 8192, None),
]  # fmt: skip
OTHERS = [
    "Rate limit: 10000 tokens per minute",
    "Unknown parameter: 'foo'.",
    "messages: at least one message is required",
    "Invalid value for temperature",
]


@pytest.mark.parametrize("said", OVERFLOWS)
def test_a_conversation_that_is_too_long_is_told_apart(said: str) -> None:
    failed = failure(Told(400, said), "m")
    assert (failed.outcome, failed.room, failed.retryable, failed.fatal) == ("overflow", None, False, False)


@pytest.mark.parametrize(("said", "fits", "taken"), ROOMS)
def test_how_long_an_answer_may_be_is_read(said: str, fits: int | None, taken: int | None) -> None:
    failed = failure(Told(400, said), "m")
    assert (failed.outcome, failed.room, failed.retryable) == (
        "provider_error",
        AnswerRoom(fits, taken),
        False,
    )


@pytest.mark.parametrize("said", OTHERS)
def test_other_errors_are_neither(said: str) -> None:
    failed = failure(Told(400, said), "m")
    assert (failed.outcome, failed.room) == ("provider_error", None)


@both
@pytest.mark.parametrize("status", [400, 413, 500, 200])
async def test_the_fault_of_a_long_conversation_says_context(
    stub: Stub, sit: Sit, transport: str, status: int
) -> None:
    error = {
        "error": {"message": OVERFLOWS[0], "code": "context_length_exceeded", "type": "invalid_request_error"}
    }
    stub.script(Raw(json.dumps(error), status))
    with pytest.raises(ModelFault) as caught:
        await sit(transport, retries=3).ask()
    assert (caught.value.boundary, caught.value.outcome, len(stub.requests)) == (
        "context",
        "overflow",
        1,
    )


def test_long_conversations_are_counted_as_one_cause() -> None:
    def ended(detail: str) -> Ended:
        return Ended(index=1, time=1, audience=(), ending="fault", reason="context", detail=detail)

    assert Cause.of(ended("agent: m answered 400: 9000 tokens")) == Cause("agent", TOO_LONG)
    assert Cause.of(ended("m answered 400: 9000 tokens")) == Cause("toolset", TOO_LONG)


@both
async def test_an_answer_that_is_too_long_for_the_server_is_asked_for_shorter(
    stub: Stub, sit: Sit, transport: str
) -> None:
    few = "max_tokens is too large: 4096. This model supports at most 1000 completion tokens."
    stub.script(Fail(400, message=ROOMS[1][0]), "No.", Fail(400, message=few), "No.", "No.")
    seat = sit(transport, limits=ModelLimits(run_tokens=1e6))
    for _ in range(3):
        assert (await seat.ask()).text == "No."
    asked = [one.body["max_tokens"] for one in stub.requests]
    assert asked == [4096, 1845, 4096, 1000, 1000]


@both
@pytest.mark.parametrize("said", [ROOMS[1][0], "max_tokens is too large"])
async def test_a_server_that_gives_no_answer_of_any_length_halts_at_once(
    stub: Stub, sit: Sit, transport: str, said: str
) -> None:
    stub.script(Fail(400, message=said), repeat=True)
    with pytest.raises(Halt, match=r"--setting agent\.max_tokens=") as caught:
        await sit(transport, limits=ModelLimits(run_tokens=1e6), retries=5).ask()
    assert caught.value.exit_code == 2 and len(stub.requests) <= 2


@both
async def test_what_the_user_set_is_never_made_less(stub: Stub, sit: Sit, transport: str) -> None:
    stub.script(Fail(400, message=ROOMS[0][0]), repeat=True)
    with pytest.raises(Halt, match=r"--setting agent\.max_tokens="):
        await sit(transport, settings={"max_tokens": 100_000}).ask()
    assert len(stub.requests) == 1


@pytest.mark.parametrize("body", [None, [], 3, "x", {}, {"choices": []}, {"choices": [{"message": {}}]}])
def test_what_tells_no_error_is_none(body: object) -> None:
    assert told(body) is None


# --- what providers answer with statuses and forms of their own -------------------------------------------------

WRONG_KEYS = [
    (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}}]),
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***."}),
    (400, {"error": {"message": "Rejected", "code": "invalid_api_key"}}),
    (422, {"detail": "Missing API key"}),
    (400, {"message": "The security token included in the request is invalid."}),
    (200, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}, "choices": None}),
    (200, {"object": "error", "message": "Who are you?", "type": "AuthenticationError", "code": 401}),
]  # fmt: skip
SPENT = [
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to access the API."}}),
    (400, {"error": {"code": "Arrearage", "message": "Access denied, please make sure your account is in good standing."}}),
    (403, {"code": "INSUFFICIENT_BALANCE", "message": "Insufficient account balance"}),
    (429, {"error": {"code": "1113", "message": "您的账户已欠费，请充值后重试。"}}),
    (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota, please check your plan and billing details."}}),
    (200, {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
]  # fmt: skip
DECLINED = [
    (403, {"code": "The caller does not have permission to execute the specified operation", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}),
    (403, {"error": {"code": 403, "message": "Your input was flagged", "metadata": {"reasons": ["harassment"], "flagged_input": "..."}}}),
    (400, {"error": {"message": "The request was rejected because it was considered high risk", "type": "content_filter"}}),
    (400, {"error": {"message": "litellm.BadRequestError: AzureException - triggering Azure OpenAI's content management policy.", "code": "400", "provider_specific_fields": {"innererror": {"code": "ResponsibleAIPolicyViolation"}}}}),
    (400, {"error": {"code": "invalid_prompt", "message": "Your prompt was flagged as potentially violating our usage policy."}}),
    (400, {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}),
    (451, {"code": "censored", "message": "Blocked by policy"}),
    (400, {"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}),
    (200, {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}),
    (200, [{"error": {"code": 400, "message": "Rejected", "status": "PROHIBITED_CONTENT"}}]),
]  # fmt: skip
PASSING = [
    (429, {"status": 429, "error": "INSUFFICIENT QUOTA", "message": "You exceeded your current limit of concurrent requests."}, "rate_limited"),
    (429, [{"error": {"code": 429, "message": "You exceeded your current quota. Please retry in 26.1s.", "status": "RESOURCE_EXHAUSTED"}}], "rate_limited"),
    (429, {"error": {"code": "1302", "message": "您当前使用该API的并发数过高"}}, "rate_limited"),
    (200, [{"error": {"code": 429, "message": "Resource has been exhausted (e.g. check quota).", "status": "RESOURCE_EXHAUSTED"}}], "rate_limited"),
    (200, [{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}], "provider_error"),
    (200, {"object": "error", "message": "Too many requests", "type": "RateLimitError", "code": 429}, "rate_limited"),
    (200, {"object": "error", "message": "Too many", "type": "RateLimitError"}, "rate_limited"),
    (200, {"object": "error", "message": "Internal error", "type": "InternalServerError", "code": 500}, "provider_error"),
    (200, {"choices": None, "base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, "rate_limited"),
    (200, {"choices": None, "base_resp": {"status_code": 1000, "status_msg": "unknown error"}}, "provider_error"),
    (500, {"error": {"message": "max_tokens is invalid", "code": 500}}, "provider_error"),
]  # fmt: skip


def answered(status: int, body: object) -> Raw:
    return Raw(json.dumps(body), status)


@both
@pytest.mark.parametrize(
    ("status", "body", "code"), [*((*one, 2) for one in WRONG_KEYS), *((*one, 3) for one in SPENT)], ids=str
)
async def test_a_wrong_key_and_a_spent_account_halt_whatever_their_status(
    stub: Stub, sit: Sit, transport: str, status: int, body: object, code: int
) -> None:
    stub.script(answered(status, body), repeat=True)
    with pytest.raises(Halt) as caught:
        await sit(transport, retries=3).ask()
    assert (caught.value.exit_code, len(stub.requests)) == (code, 1)


@both
@pytest.mark.parametrize(("status", "body"), DECLINED, ids=str)
async def test_a_content_filter_declines_with_any_status(
    stub: Stub, sit: Sit, transport: str, status: int, body: object
) -> None:
    stub.script(answered(status, body), repeat=True)
    reply = await sit(transport, retries=3).ask()
    assert (reply.outcome, reply.text, len(stub.requests)) == ("refused", "", 1)
    assert set(reply.flaws) == {"empty", "filtered"}


@both
@pytest.mark.parametrize(("status", "body", "outcome"), PASSING, ids=str)
async def test_an_error_that_passes_is_tried_again_and_never_halts(
    stub: Stub, sit: Sit, transport: str, status: int, body: object, outcome: str
) -> None:
    stub.script(answered(status, body), answered(status, body), "No.")
    with pytest.raises(ModelFault) as caught:
        await sit(transport, retries=0).ask()
    assert caught.value.outcome == outcome
    assert (await sit(transport, retries=1).ask()).text == "No."


@pytest.mark.parametrize(
    "said",
    [
        "Your account has been suspended for violating our usage policies.",
        "This key was disabled: content policy.",
    ],
)
def test_an_account_that_is_locked_is_no_refusal(said: str) -> None:
    found = told({"error": {"message": said}}, 403)
    assert found is not None and not found.moderated
    assert failure(found, "m").fatal


@both
async def test_a_conversation_that_fills_the_context_is_no_wrong_setting(
    stub: Stub, sit: Sit, transport: str
) -> None:
    said = (
        "input length and `max_tokens` exceed context limit: 199640 + 16384 > 200000, decrease input length"
    )
    stub.script(Fail(400, message=said), repeat=True)
    with pytest.raises(ModelFault) as caught:
        await sit(transport, retries=3).ask()
    assert (caught.value.boundary, len(stub.requests)) == ("context", 2)
    assert stub.requests[1].body["max_tokens"] == 360

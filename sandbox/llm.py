"""The road to every provider: models by their usual `provider/model` name and key, through litellm.

litellm is imported at the first call, since that takes seconds. It is told to be silent and to fetch nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from functools import cache
from typing import Any

from riskbox.sandbox.endpoint import retry_after
from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.wire import Answer, Request, Trouble, read_choice, response_format

OURS = ("messages", "tools", "response_format", "seed")
"""Parameters that are ours to leave out where a provider does not know them; what a person set is never dropped."""


@cache
def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


class Litellm:
    """Calls providers through litellm."""

    async def send(self, request: Request, seconds: float) -> Answer:
        """Send a call once."""
        litellm = await _imported()
        fields = _fields(request)
        try:
            async with asyncio.timeout(seconds):
                response = await litellm.acompletion(timeout=seconds, num_retries=0, max_retries=0, **fields)
        except TimeoutError:
            raise Trouble(
                "timeout", f"{request.model} did not answer within {seconds:g} s", again=True
            ) from None
        except (
            Exception
        ) as error:  # litellm raises each provider's errors in its own classes, and others besides
            return _troubled(error, request.model)
        answer = read_choice(response.model_dump())
        return _priced(answer, request.model, response)

    def price(self, model: str) -> tuple[float, float] | None:
        """US dollars for one token sent and one received, from litellm's table."""
        try:
            found = _litellm().get_model_info(model)
        except Exception:  # it raises whatever it likes for a model it does not know
            return None
        sent, received = found.get("input_cost_per_token"), found.get("output_cost_per_token")
        return None if sent is None or received is None else (float(sent), float(received))

    async def close(self) -> None:
        """Let go of litellm's connections."""
        if _litellm.cache_info().currsize:
            closing = getattr(_litellm(), "close_litellm_async_clients", None)
            if closing is not None:
                await closing()


async def _imported() -> Any:
    """litellm, imported beside the event loop: other episodes play on meanwhile."""
    return _litellm() if _litellm.cache_info().currsize else await asyncio.to_thread(_litellm)


def check(model: str) -> str:
    """What is wrong with a model's name, as a sentence; empty if litellm knows its provider."""
    litellm = _litellm()
    try:
        litellm.get_llm_provider(model)
    except Exception:  # its own kind of bad request
        provider = model.partition("/")[0]
        known = [str(getattr(one, "value", one)) for one in litellm.provider_list]
        return (
            f"no provider of models is called {provider!r}. {did_you_mean(provider, known, listed=0)}".split(
                " Known"
            )[0]
        )
    return ""


@cache
def _supported(model: str) -> frozenset[str]:
    litellm = _litellm()
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
        return frozenset(litellm.get_supported_openai_params(name, provider) or ())
    except Exception:  # an unknown model: the call itself will say so
        return frozenset(OURS)


def _fields(request: Request) -> dict[str, Any]:
    known = _supported(request.model)
    fields: dict[str, Any] = {
        "model": request.model,
        "messages": list(request.messages),
        **request.settings,
    }
    if "seed" in known:
        fields["seed"] = request.seed
    if request.tools:
        if "tools" not in known:
            raise Trouble(
                "provider_error",
                f"{request.model} has no native tool calling here. Write text:{request.model} for tool calls in text"
                + (f", or ollama_chat/{request.model[7:]}." if request.model.startswith("ollama/") else "."),
                halts=True,
            )
        fields["tools"] = list(request.tools)
    if request.schema is not None:
        if "response_format" in known:
            fields["response_format"] = response_format(request.schema)
        else:
            asked = f"Answer with JSON alone, of this JSON Schema: {json.dumps(request.schema, ensure_ascii=False)}"
            fields["messages"] = [*fields["messages"], {"role": "user", "content": asked}]
    return fields


def _priced(answer: Answer, model: str, response: Any) -> Answer:
    from dataclasses import replace

    try:
        cost = float(_litellm().completion_cost(completion_response=response, model=model))
    except Exception:  # no price is known
        return answer
    return replace(answer, cost=cost)


def _troubled(error: Exception, model: str) -> Answer:
    """What an exception of litellm's means.

    Returns:
        A refusal, where a provider's filter declined: that is an answer.

    Raises:
        Trouble: in every other case.
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(error, "status_code", None)
    said = _told(error)
    after = retry_after(_headers(error))
    if "ContentPolicyViolationError" in names:
        return Answer(refusal="", finish="content_filter")
    if names & {"AuthenticationError", "PermissionDeniedError"}:
        raise Trouble("provider_error", f"the key for {model} was refused. {said}", halts=True) from None
    if names & {"NotFoundError", "LiteLLMUnknownProvider"} or "LLM Provider NOT provided" in str(error):
        raise Trouble("provider_error", f"there is no such model: {model}. {said}", halts=True) from None
    if "UnsupportedParamsError" in names:
        raise Trouble(
            "provider_error", f"{model} does not take a setting it was given. {said}", halts=True
        ) from None
    if "PaymentRequiredError" in names or ("RateLimitError" in names and "quota" in said.lower()):
        raise Trouble("rate_limited", f"the quota for {model} is exhausted. {said}", halts=True) from None
    if "RateLimitError" in names:
        raise Trouble("rate_limited", f"{model}: {said}", again=True, after=after) from None
    if names & {"Timeout", "APITimeoutError"}:
        raise Trouble("timeout", f"{model} did not answer in time. {said}", again=True, after=after) from None
    if names & {"JSONDecodeError", "APIResponseValidationError"} or _unread(error):
        raise Trouble("malformed", f"{model}: {said}", again=True) from None
    again = not (names & {"BadRequestError", "UnprocessableEntityError"}) and (
        status is None or status >= 500
    )
    raise Trouble("provider_error", f"{model}: {said}", again=again, after=after) from None


def _unread(error: Exception) -> bool:
    """Whether the provider answered and the answer was what could not be read."""
    text = str(error)
    return any(
        words in text for words in ("JSONDecodeError", "Expecting value", "Unable to get json response")
    )


def _headers(error: Exception) -> dict[str, str]:
    response = getattr(error, "response", None)
    found = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
    return {str(key): str(value) for key, value in dict(found).items()}


def _told(error: Exception) -> str:
    """The error on one line, without litellm's prefixes and advertisements."""
    text = " ".join(str(error).split())
    while text.startswith("litellm."):
        text = text.partition(": ")[2] or text[8:]
    return text[:300]

"""The transport for every provider that litellm knows: models by their `provider/model` name and the provider's key.

litellm is imported at the first call, since the import takes seconds. It is configured to print and fetch nothing.
"""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from weakref import WeakSet

from riskbox.sandbox.errors import did_you_mean
from riskbox.sandbox.models import failures
from riskbox.sandbox.models.bodies import of_message, streamed
from riskbox.sandbox.models.reading import read
from riskbox.sandbox.models.transport import (
    Completion,
    ModelRequest,
    TransportError,
    exhausted,
    portable,
    quoted,
    response_format,
)
from riskbox.sandbox.models.transport_http import refused, retry_after

OURS = ("messages", "tools", "response_format", "seed")
"""Parameters that are left out where a provider does not support them. What the user sets is never left out."""


@cache
def _litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # a provider's odd answer is a warning to it, and is read all the same
    warnings.filterwarnings("ignore", "Pydantic serializer warnings", UserWarning)
    # It drops a coroutine of its own where a key is missing.
    warnings.filterwarnings("ignore", r"coroutine 'OpenAIChatCompletion\.", RuntimeWarning)
    return litellm


_OPEN: WeakSet[LitellmTransport] = WeakSet()
"""The transports that share litellm's connections: there is one set of them in a process."""


class LitellmTransport:
    """Calls providers through litellm."""

    async def ready(self) -> None:
        """Import litellm, in a thread so that other episodes go on meanwhile."""
        if not _litellm.cache_info().currsize:
            await asyncio.to_thread(_litellm)

    async def send(self, request: ModelRequest, seconds: float) -> Completion:
        """Send a call once."""
        litellm = _litellm()
        _OPEN.add(self)
        fields = _fields(request)
        heard = _Heard()
        try:
            async with asyncio.timeout(seconds):
                response = await litellm.acompletion(
                    timeout=seconds, num_retries=0, max_retries=0, logger_fn=heard, **fields
                )
        except TimeoutError:
            told = f"{request.model} did not answer within {seconds:g} s"
            raise TransportError("timeout", told, retryable=True) from None
        except Exception as error:  # litellm raises classes of its own for each provider, and others
            answered = _answered(error)
            if answered is None and (body := heard.body or heard.odd() or _repeated(error)) is not None:
                return read(body, request)  # the answer came, and litellm could not read it
            return _understood(error, request.model, answered)
        cost = response._hidden_params.get("response_cost")  # None where no price is known
        return replace(read(heard.whole(request) or response.model_dump(), request), cost=cost)

    def price(self, model: str) -> tuple[float, float] | None:
        """US dollars for one token sent and one received, from litellm's table."""
        try:
            found = _litellm().get_model_info(model)
        except Exception:  # it raises whatever it likes for a model it does not know
            return None
        sent, received = found.get("input_cost_per_token"), found.get("output_cost_per_token")
        return None if sent is None or received is None else (float(sent), float(received))

    def most_tokens(self, model: str) -> int | None:
        """The most tokens of an answer, from litellm's table; 0 where it says that the provider takes no limit."""
        if not {"max_tokens", "max_completion_tokens"} & _supported(model):
            return 0
        try:
            found = _litellm().get_model_info(model).get("max_output_tokens")
        except Exception:  # it raises whatever it likes for a model it does not know
            return None
        return int(found) if found else None

    def window(self, model: str) -> int | None:
        """The tokens that a model can read at once, from litellm's table."""
        try:
            found = _litellm().get_model_info(model).get("max_input_tokens")
        except Exception:  # it raises whatever it likes for a model it does not know
            return None
        return int(found) if found else None

    def takes_temperature(self, model: str, temperature: float) -> bool:
        """Whether litellm would send it: models that think take none but their own."""
        litellm = _litellm()
        try:
            name, provider, *_ = litellm.get_llm_provider(model)
            litellm.utils.get_optional_params(
                model=name, custom_llm_provider=provider, temperature=temperature
            )
        except Exception:  # it raises whatever it likes for what it does not know
            return False
        return True

    async def close(self) -> None:
        """Close litellm's connections, if nobody else has use for them."""
        _OPEN.discard(self)
        if _litellm.cache_info().currsize and not _OPEN:
            litellm = _litellm()
            closing = getattr(litellm, "close_litellm_async_clients", None)
            if closing is not None:
                await closing()
                # it would take closed ones out of its cache again
                litellm.in_memory_llm_clients_cache.flush_cache()


def check(model: str) -> str:
    """What is wrong with a model's name, in one sentence; empty if litellm knows its provider."""
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


KEYED = ("openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "groq")
"""Providers that cannot be asked without one of the keys that litellm names. Others take credentials in many ways."""


def missing_keys(model: str) -> tuple[str, ...]:
    """The environment variables of which one must hold the key for a model; none where one does, or nobody can tell."""
    litellm = _litellm()
    try:
        _, provider, key, _ = litellm.get_llm_provider(model)
        found = litellm.validate_environment(model)
    except Exception:  # an unknown provider: `check` says so
        return ()
    return tuple(found["missing_keys"]) if provider in KEYED and not key else ()


LISTED = ("openai", "anthropic", "gemini")
"""Providers all of whose models litellm lists, but for the newest."""


def unlisted(model: str) -> str:
    """What to say of a model that litellm does not list, in a sentence or two; empty where nothing follows from that."""
    litellm = _litellm()
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
    except Exception:  # an unknown provider: `check` says so
        return ""
    prefix = provider.upper()
    is_redirected = any(os.environ.get(f"{prefix}_{one}") for one in ("API_BASE", "BASE_URL"))
    known = {one.rpartition("/")[2] for one in litellm.models_by_provider.get(provider, ())}
    if provider not in LISTED or is_redirected or name in known or ":" in name:
        return ""
    near = did_you_mean(name, known, listed=0).split("Known")[0]
    return f"litellm does not list {model}. {near}If {provider} does not know it either, a run stops at its first call."


@cache
def _supported(model: str) -> frozenset[str]:
    litellm = _litellm()
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
        return frozenset(litellm.get_supported_openai_params(name, provider) or ())
    except Exception:  # an unknown model: the call itself will say so
        return frozenset(OURS)


def _fields(request: ModelRequest) -> dict[str, Any]:
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
            raise TransportError(
                "provider_error",
                f"{request.model} does not support native tool calls here. Write text:{request.model} for tool calls in text"
                + (f", or ollama_chat/{request.model[7:]}." if request.model.startswith("ollama/") else "."),
                fatal=True,
            )
        fields["tools"] = list(request.tools)
    if request.schema is not None:
        if "response_format" in known:
            fields["response_format"] = response_format(portable(request.schema))
        else:
            asked = f"Answer with JSON alone, of this JSON Schema: {json.dumps(request.schema, ensure_ascii=False)}"
            fields["messages"] = [*fields["messages"], {"role": "user", "content": asked}]
    return fields


class _Heard:
    """The body of a provider's answer, before litellm reads it: it drops and renames what it does not know."""

    def __init__(self) -> None:
        self.body: Any = None
        self.all: Any = None

    def __call__(self, logged: dict[str, Any]) -> None:
        """Take what litellm logs of a call; it logs the body as text or as JSON."""
        if logged.get("log_event_type") != "post_api_call":
            return
        self.all = body = logged.get("original_response")
        try:
            self.all = body = json.loads(body) if isinstance(body, str) else body
        except (ValueError, RecursionError):
            return
        message = of_message(body)
        if message is not None and failures.told(message) is not None:
            body = message  # it broke off, and litellm has no word for that
        is_ours = isinstance(body, dict) and "choices" in body
        self.body = body if is_ours or failures.told(body) is not None else None

    def odd(self) -> dict[str, Any] | None:
        """The chat completion in a body of another form, which litellm could not read; None if there is none."""
        return streamed(self.all) if isinstance(self.all, str) else of_message(self.all)

    def whole(self, request: ModelRequest) -> dict[str, Any] | None:
        """The body, if it is a chat completion and says what litellm's reading of it says."""
        choices = self.body.get("choices") if isinstance(self.body, dict) else None
        if not isinstance(choices, list) or not choices:
            return None
        if request.schema is not None and '"tool_calls": [' in json.dumps(choices):
            return None  # a tool of litellm's own, by which it asks some providers for JSON
        assert isinstance(self.body, dict)
        return self.body


# --- errors -----------------------------------------------------------------------------------------------------

KEYLESS = re.compile(r"missing (credentials|\w+ api key)", re.IGNORECASE)
"""How clients report a missing key; some raise it as an error that looks temporary."""
UNREAD = re.compile(r"no 'choices'|Empty or invalid response|Unable to get json response")


def _understood(error: Exception, model: str, answered: Any) -> Completion:
    """The meaning of an exception from litellm.

    Args:
        error: The exception.
        model: Who was asked.
        answered: What the provider answered with the status of an error; None if it did not.

    Returns:
        A refusal, where a provider's content filter declined.

    Raises:
        TransportError: in every other case.
    """
    chain = tuple(_chain(error))
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(error, "status_code", None)
    said, after = _told(error), retry_after(_headers(error))
    codes = [str(code) for one in chain if (code := getattr(one, "code", None))]
    if "ContentPolicyViolationError" in names or not failures.MODERATED.isdisjoint(codes):
        return failures.declined()
    if answered is not None:
        return refused(answered.status_code, _headers(error), answered.content, model, key="")
    if names & {"AuthenticationError", "PermissionDeniedError"} or status in (401, 403):
        raise TransportError(
            "provider_error", f"the key for {model} was refused. {said}", fatal=True
        ) from None
    if KEYLESS.search(str(error)):
        raise TransportError("provider_error", f"there is no key for {model}. {said}", fatal=True) from None
    if names & {"NotFoundError", "LiteLLMUnknownProvider"} or "LLM Provider NOT provided" in str(error):
        raise TransportError(
            "provider_error", f"there is no such model: {model}. {said}", fatal=True
        ) from None
    if "UnsupportedParamsError" in names:
        told = f"{model} does not take a setting it was given. {said}"
        raise TransportError("provider_error", told, fatal=True) from None
    if status == 402 or (status == 429 and exhausted(f"{said} {' '.join(codes)}", after)):
        raise TransportError(
            "rate_limited", f"the quota for {model} is exhausted. {said}", fatal=True
        ) from None
    if "RateLimitError" in names:
        raise TransportError(
            "rate_limited", f"{model}: {said}", retryable=True, retry_after=after, unbilled=True
        ) from None
    if names & {"Timeout", "APITimeoutError"}:
        raise TransportError(
            "timeout", f"{model} did not answer in time. {said}", retryable=True, retry_after=after
        ) from None
    if _unread(chain):
        raise TransportError("malformed", f"{model}: {said}", retryable=True) from None
    wrong = names & {"BadRequestError", "UnprocessableEntityError"} or not (status is None or status >= 500)
    failed = TransportError("provider_error", f"{model}: {said}", retryable=not wrong, retry_after=after)
    raise failures.narrowed(failed, str(error)) from None


def _answered(error: Exception) -> Any:
    """What the provider answered with the status of an error; None if it did not."""
    return next(
        (getattr(one, "response", None) for one in _chain(error) if type(one).__name__ == "HTTPStatusError"),
        None,
    )


REPEATED = re.compile(r"Received: \[ChatCompletion\(.*\berror=(\{.*\})\)\]", re.DOTALL)
QUOTED = re.compile(r"Received: (['\"].*['\"])\. Check", re.DOTALL)


def _repeated(error: Exception) -> Any:
    """The body of an answer, where litellm does not log it and repeats it in its own message: an error, or a stream."""
    text = next((one.doc for one in _chain(error) if isinstance(one, json.JSONDecodeError)), "")
    told, quote = REPEATED.search(str(error)), QUOTED.search(str(error))
    try:
        if told:
            return {"error": ast.literal_eval(told[1])}
        return streamed(ast.literal_eval(quote[1]) if quote else text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _unread(chain: Iterable[BaseException]) -> bool:
    """Whether the provider answered and the answer could not be read."""
    wrong = (ValueError, LookupError, TypeError, AttributeError)
    return any(
        UNREAD.search(str(one)) or (isinstance(one, wrong) and not hasattr(one, "status_code"))
        for one in chain
    )


def _headers(error: Exception) -> dict[str, str]:
    response = getattr(error, "response", None)
    found = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
    return {str(key): str(value) for key, value in dict(found).items()}


def _told(error: Exception) -> str:
    """The error on one line, without litellm's prefixes and traceback."""
    text = str(error).partition("Traceback (most recent call last)")[0].lstrip()
    return quoted(re.sub(r"^(litellm\.\w+: *|\w+Error: *)+", "", text)) or type(error).__name__

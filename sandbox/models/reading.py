"""One reading of what providers answer, for every seat and transport: a body becomes a `Completion` or an error.

Nothing is repaired. Words, thoughts, calls and refusals are told apart; whatever is wrong with an answer becomes a flaw
beside it, so that nobody takes an answer that could not be read for one that did no harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from riskbox.sandbox.models import failures
from riskbox.sandbox.models.markup import bad_arguments, calls_as_text
from riskbox.sandbox.models.structured import unfenced
from riskbox.sandbox.models.thought import split
from riskbox.sandbox.models.transport import Completion, ModelRequest, TransportError, encoded
from riskbox.sandbox.models.usage import counted
from riskbox.sandbox.words.modelcall import AnswerFlaw

CUT = frozenset(
    ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded")
)
"""Words for an answer that ended at a limit of tokens."""
FILTERED = frozenset(
    ("content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist", "prohibited_content", "spii",
     "guardrail_intervened", "sensitive", "moderation", "flagged")
)  # fmt: skip
"""Words for an answer that a content filter ended."""
WANTED_BACK = ("reasoning_content", "reasoning", "reasoning_details", "thinking_blocks")
"""Fields of a message that hold a thought, and that providers may want back with its calls."""
SIGNED = ("thought_signatures", "thinking_blocks")
"""The like, among the fields that litellm gives a place of their own."""
OF_CALLS = ("extra_content", "provider_specific_fields", "thought_signature", "signature")
"""Fields of a call that providers want back with it."""


def read(body: Any, request: ModelRequest) -> Completion:
    """The answer in the body of a chat completion.

    Args:
        body: The body, whatever it is.
        request: What was asked.

    Raises:
        TransportError: it holds an error, or it is no chat completion: `malformed`, which may be retried.
    """
    error = failures.told(body)
    if error is not None:
        if error.moderated:
            return failures.declined()
        raise failures.failure(error, request.model, inside=True)
    choices = body.get("choices") if isinstance(body, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise unreadable(body)
    content, beside, spoken = _content(message, request)
    thought = _whole("\n\n".join(filter(None, dict.fromkeys((*_thoughts(message), *beside)))))
    calls = tuple(_calls(message, body))
    finish = str(choice.get("finish_reason") or choice.get("finish_details") or "stop")
    declined = message.get("refusal")
    refusal = _whole(str(declined)) if declined else None
    if finish.casefold() in FILTERED:
        refusal = refusal or ""
    taken = counted(body.get("usage"), request, _received(content, thought, calls, refusal))
    flaws: list[AnswerFlaw] = []
    if not (content.strip() or calls or refusal):
        flaws.append("empty")
    if finish.casefold() in CUT:
        flaws.append("cut_off")
    if finish.casefold() in FILTERED or (refusal is not None and (content.strip() or calls)):
        flaws.append("filtered")
    if request.schema is None and calls_as_text(
        content, _offered(request), in_blocks=bool(request.described)
    ):
        flaws.append("calls_as_text")
    if spoken:
        flaws.append("thought_in_speech")
    if bad_arguments(calls, content, in_blocks=bool(request.described)):
        flaws.append("bad_arguments")
    if taken.dropped and not _knows_tools(calls, request):
        flaws.append("tools_dropped")
    return Completion(
        text=content,
        calls=calls,
        refusal=refusal,
        finish=finish,
        input_tokens=taken.sent,
        cached_tokens=taken.cached,
        output_tokens=taken.received,
        thought=thought,
        carried=_carried(message),
        flaws=tuple(flaws),
        estimated=taken.estimated,
    )


def unreadable(body: Any) -> TransportError:
    """The error that a body which is no chat completion stands for."""
    shown = encoded(body)[:200].decode(errors="replace")
    return TransportError("malformed", f"the answer is not a chat completion: {shown}", retryable=True)


# --- words and thoughts -----------------------------------------------------------------------------------------


def _content(message: Mapping[str, Any], request: ModelRequest) -> tuple[str, list[str], bool]:
    """What was said; what stands beside it as thought; whether a thought stood in the words themselves.

    Raises:
        TransportError: the content is neither text nor a list of parts.
    """
    content, beside = message.get("content"), []
    if isinstance(content, list):
        said = []
        for part in content:
            if isinstance(part, str):
                said.append(part)
            elif isinstance(part, dict):
                kind = str(part.get("type") or "text")
                if "think" in kind or "reason" in kind:
                    beside.append(_text(part))
                else:
                    said.append(_text(part))
        content = "".join(said)
    if not (content is None or isinstance(content, str)):
        raise unreadable({"choices": [{"message": message}]})
    content = _whole(content or "")
    if request.schema is not None and _is_json(unfenced(content)):
        return content, beside, False  # a mark in one of its texts is no thought
    words, thought = split(content, by_line=request.schema is not None)
    return words, [*beside, thought], words != content


def _thoughts(message: Mapping[str, Any]) -> Iterator[str]:
    """What the fields of a message say was thought; the first that says anything."""
    for name in WANTED_BACK:
        if found := _text(message.get(name)).strip():
            yield found
            return


def _text(value: Any) -> str:
    """The text in a thought or part of whatever form."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text, value))
    if isinstance(value, dict):
        return next(
            (
                found
                for key in ("text", "thinking", "reasoning", "summary", "content")
                if (found := _text(value.get(key)))
            ),
            "",
        )
    return ""


def _carried(message: Mapping[str, Any]) -> dict[str, Any]:
    """What goes back with the message's calls: what was thought, and what signs it."""
    if not message.get("tool_calls"):
        return {}
    carried = {name: message[name] for name in WANTED_BACK if message.get(name)}
    fields = message.get("provider_specific_fields")
    if isinstance(fields, dict) and (signed := {name: fields[name] for name in SIGNED if fields.get(name)}):
        carried["provider_specific_fields"] = signed
    listed = message["tool_calls"] if isinstance(message["tool_calls"], list) else []
    each = [_of_call(one) for one in listed if one]
    if any(each):
        carried["tool_calls"] = each
    return carried


def _of_call(call: Any) -> dict[str, Any]:
    if not isinstance(call, dict):
        return {}
    found = {name: call[name] for name in OF_CALLS if call.get(name)}
    function = call.get("function")
    of_function = (
        {name: function[name] for name in OF_CALLS if function.get(name)}
        if isinstance(function, dict)
        else {}
    )
    return found | ({"function": of_function} if of_function else {})


def refuses_carried(failure: TransportError, request: ModelRequest) -> bool:
    """Whether a server refused a request for what it had itself sent with an earlier answer; some take nothing back."""
    if failure.fatal or failure.retryable or failure.outcome != "provider_error":
        return False
    return any(name in failure.message for name in _BACK) and without_carried(request) != request


def without_carried(request: ModelRequest) -> ModelRequest:
    """The request without what goes back with calls."""
    return replace(request, messages=[_without(one) for one in request.messages])


def _without(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    kept = {key: one for key, one in value.items() if key not in _BACK}
    return {key: _without(one) if key in ("tool_calls", "function") else one for key, one in kept.items()}


_BACK = frozenset((*WANTED_BACK, *OF_CALLS))


# --- calls ------------------------------------------------------------------------------------------------------


def _calls(message: Mapping[str, Any], body: Any) -> Iterator[Any]:
    """The calls as they came, without their place in a stream; one of the older form as one of today's.

    Raises:
        TransportError: they are no list.
    """
    listed = message.get("tool_calls") or ()
    if not isinstance(listed, list | tuple):
        raise unreadable(body)
    older = message.get("function_call")
    if not listed and isinstance(older, dict) and older:
        listed = [{"id": "call_0", "type": "function", "function": older}]
    for one in listed:
        if isinstance(one, dict):
            yield {key: value for key, value in one.items() if key not in ("index", *OF_CALLS)}
        elif one is not None:
            yield one


def _offered(request: ModelRequest) -> list[str]:
    """The names of the tools that a model may call."""
    functions = (one.get("function") for one in request.tools)
    return [*(str(one.get("name")) for one in functions if isinstance(one, Mapping)), *request.described]


def _knows_tools(calls: Iterable[Any], request: ModelRequest) -> bool:
    """Whether a tool is called by the name that it was offered by, which nobody can guess."""
    functions = (one.get("function") for one in calls if isinstance(one, dict))
    names = {
        one.get("name") for one in functions if isinstance(one, dict) and isinstance(one.get("name"), str)
    }
    return not names.isdisjoint(_offered(request))


# --- text -------------------------------------------------------------------------------------------------------


def _received(words: str, thought: str, calls: tuple[Any, ...], refusal: str | None) -> bytes:
    if not (words or thought or calls or refusal):
        return b""
    return f"{words}{thought}{refusal or ''}".encode("utf-8", "replace") + (encoded(calls) if calls else b"")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _whole(text: str) -> str:
    """Text without lone surrogates, which can be neither stored nor sent on."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

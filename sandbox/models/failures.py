"""What a provider's error means, however it came: as a status, inside an answer of status 200, or through litellm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from riskbox.sandbox.models.transport import AnswerRoom, Completion, TransportError, exhausted, quoted

MODERATED = frozenset(
    ("content_policy_violation", "content_filter", "content_filtered", "moderation", "moderation_error", "flagged",
     "responsibleaipolicyviolation", "prohibited_content", "data_inspection_failed", "sensitive_content", "1301")
)  # fmt: skip
"""Codes of the errors by which a provider's content filter declines."""
STATUSES = {
    "rate_limit": 429, "rate_limited": 429, "rate_limit_exceeded": 429, "too_many_requests": 429,
    "resource_exhausted": 429, "throttling": 429, "throttled": 429, "requests_limit": 429, "tokens": 429,
    "insufficient_quota": 402, "insufficient_credits": 402, "insufficient_balance": 402, "insufficient_funds": 402,
    "payment_required": 402, "billing": 402, "billing_hard_limit_reached": 402, "credit_exhausted": 402, "arrearage": 402,
    "invalid_api_key": 401, "api_key_invalid": 401, "authentication": 401, "unauthorized": 401, "unauthenticated": 401, "no_auth": 401,
    "incorrect_api_key": 401, "permission": 403, "permission_denied": 403, "forbidden": 403,
    "model_not_found": 404, "not_found": 404,
    "invalid_request": 400, "bad_request": 400, "invalid_argument": 400,
    "context_length_exceeded": 400, "string_above_max_length": 400, "unprocessable_entity": 422,
    "timeout": 504, "request_timeout": 504, "deadline_exceeded": 504, "gateway_timeout": 504,
    "server": 500, "internal": 500, "internal_server": 500, "api": 500, "overloaded": 503, "unavailable": 503, "service_unavailable": 503,
    "engine_overloaded": 503, "bad_gateway": 502, "provider": 502, "upstream": 502,
}  # fmt: skip
"""The status that a code in words stands for, without the `Error` or `Exception` at its end."""
MINIMAX = {
    1001: 504, 1002: 429, 1004: 401, 1008: 402, 1026: "content_filter", 1027: "content_filter", 1039: 429, 1041: 429,
    2013: 400, 2045: 429, 2049: 401, 2056: 429,
}  # fmt: skip
"""The codes of MiniMax, which stand beside choices of null; all others are errors of its servers."""
BROKE_OFF = re.compile(
    r"(^|[_ ])(errors?|fail(ed|ure)?|abort(ed)?|cancel\w*|time[_ ]?out|timed[_ ]out|interrupted|overloaded|unavailable)$"
    r"|insufficient[_ ]system[_ ]resource",
    re.I,
)
"""Words for an answer that broke off because something failed at its provider."""
WORDED = (
    (re.compile(r"insufficient[_ ](\w+ )?(credits?|balance|funds|quota)|more credits|out of credits?|payment required|credit balance is|欠费|余额不足", re.I), 402),
    (re.compile(r"rate[_ -]?limit|too many requests|\bthrottl", re.I), 429),
    (re.compile(r"(invalid|incorrect|missing|no|bad|expired|wrong) ([\w ]{0,20} )?(api[_ -]?key|credentials)|unauthori[sz]ed|authentication (error|failed)|security token[^.]{0,40} (invalid|expired)"
                r"|api[_ -]?key[^.]{0,30} (not valid|invalid|incorrect|wrong|expired|revoked|disabled|missing|required|not found)", re.I), 401),
    (re.compile(r"overloaded|over capacity|temporarily unavailable|service unavailable", re.I), 503),
    (re.compile(r"timed? ?out", re.I), 504),
)  # fmt: skip
"""The status that an error without a code stands for."""
CONTEXT = re.compile(
    r"context[_ ]length[_ ]exceeded|maximum (model|prompt|input|sequence) length|(maximum|max|model'?s) (model )?context (length|window|size)|context[_ ](length|window|size|limit)"
    r"[^.]{0,60}(exceed|overflow|too (long|large|small)|reached)|exceed\w*[^.]{0,60}context|(prompt|input|conversation|messages?) (is |are )?too long"
    r"|token limit: \d+ \(requested|range of input length|max_seq_len|must have less than \d+ tokens|too (large|long) to process|超长|过长"
    r"|too (long|large) for (the |this )?model|(input|prompt|request)[^.]{0,40}(tokens?|length) [^.]{0,60}(exceed|too (long|large|many))"
    r"|exceeds the (maximum|max)[^.]{0,30}(number of tokens|input|token count)|input token count[^.]{0,40}exceed|larger than the maximum"
    r"|requested tokens[^.]{0,20}exceed|greater than the context|too many (input )?tokens|n_ctx|max_prompt_tokens|tokens? (limit|maximum)"
    r"[^.]{0,20}exceeded|must be <= \d+\. given|reduce (the length|your prompt)|input length[^.]{0,40}exceed|slot context",
    re.I,
)
"""How servers say that a conversation no longer fits into their context."""
ROOM = re.compile(
    r"max(_new|_completion|_output|imum)?_? ?(output|completion)?_?tokens|maxoutputtokens|completion tokens|output tokens|(for|in) the completion"
    r"|in the output|maximum tokens you requested",
    re.I,
)
"""How servers name the number of tokens that an answer may have."""
LEAST = 16
"""Tokens below which no answer is asked for."""
KEY = "RISKBOX_API_KEY"
"""The environment variable whose value servers of one's own are sent as a bearer token."""


@dataclass(frozen=True, slots=True)
class Told:
    """An error as a provider told it."""

    status: int | None
    """The HTTP status, or the one that the error's code stands for; None if nobody can tell."""
    said: str
    """What was said, on one line."""
    moderated: bool = False
    """Whether a content filter declined."""


def told(body: Any, status: int | None = None) -> Told | None:
    """The error in a JSON body; None if it holds none.

    Args:
        body: The body, whatever it is.
        status: The HTTP status, where that alone shows an error; the codes of a body of status 200 stand for one.
    """
    error = _error(body, failed=status is not None)
    if error is None:
        return None
    codes, said, flagged = _codes(error), _said(error), _flagged(error)
    code = next((one for one in codes if one and not one.isdigit()), "")
    shown = quoted(f"{said} ({code})" if code and code not in said else said)
    found = status if status is not None else next(filter(None, map(_status, codes)), None) or _worded(said)
    moderated = (
        found == 451
        or not MODERATED.isdisjoint(one.casefold() for one in codes)
        or (flagged and found in (None, 400, 403, 422))
    )
    if found in (400, 403, 422):
        found = _account(codes, said) or found
    return Told(found, shown, moderated)


def _account(codes: Iterable[str], said: str) -> int | None:
    """401 for a wrong key and 402 for an account without money, where a provider answered them with another status."""
    of_codes = (one for one in map(_status, codes) if one in (401, 402))
    return next(of_codes, None) or next(
        (one for pattern, one in WORDED if one in (401, 402) and pattern.search(said)), None
    )


def declined() -> Completion:
    """What comes of an error by which a content filter declined."""
    return Completion(refusal="", finish="content_filter", flaws=("empty", "filtered"))


def failure(
    told: Told, model: str, *, after: float | None = None, key: str = KEY, inside: bool = False
) -> TransportError:
    """The failure that an error stands for.

    Args:
        told: The error.
        model: Who was asked.
        after: Seconds to wait before a retry, where the provider said so.
        key: What to set where the key was refused; empty if nobody can tell.
        inside: Whether it came inside an answer of status 200.
    """
    status, said = told.status, told.said
    number = "an error" if status is None else f"{status}"
    shown = f"{model} answered {number}: {said}" if said else f"{model} answered {number}"
    if status in (401, 403):
        hint = f" Set {key}." if key else ""
        return TransportError(
            "provider_error", f"the key for {model} was refused ({status}).{hint} {said}".strip(), fatal=True
        )
    if status == 404:
        return TransportError("provider_error", f"there is no such model: {shown}", fatal=True)
    if status == 402 or (status == 429 and exhausted(said, after)):
        return TransportError("rate_limited", f"the quota is exhausted: {shown}", fatal=True)
    if status in (408, 504):
        return TransportError("timeout", shown, retryable=True, retry_after=after)
    if status == 429:
        return TransportError("rate_limited", shown, retryable=True, retry_after=after, unbilled=True)
    again = status is None or status >= 500
    failed = TransportError(
        "provider_error", shown, retryable=again, retry_after=after, unbilled=not inside or not again
    )
    return narrowed(failed, said)


def narrowed(failed: TransportError, said: str) -> TransportError:
    """A failure of a request that was wrong, with what was too long in it: the answer asked for, or the conversation."""
    room = room_left(said)
    is_long = CONTEXT.search(said) is not None
    if room is None or room.fits is None:
        if is_long:
            failed.outcome, failed.retryable = "overflow", False
        elif room is not None and not failed.retryable:  # else the server failed, and did not say what fits
            failed.room = room
    elif room.fits >= LEAST:
        failed.room, failed.retryable = room, False
    else:
        failed.outcome, failed.retryable = "overflow", False
    return failed


def room_left(said: str) -> AnswerRoom | None:
    """How long an answer may be, where an error says that one was asked for that is too long; None if it says nothing of it.

    >>> room_left("max_tokens is too large: 9000. This model supports at most 8192 completion tokens")
    AnswerRoom(fits=8192, taken=None)
    """
    plain = re.sub(r"(?<=\d)[,_](?=\d{3})", "", said)
    if not ROOM.search(plain):
        return None
    for shared in SHARED:
        if match := shared.search(plain):
            taken = int(match["taken"])
            return AnswerRoom(int(match["whole"]) - taken, taken)
    for most, alone in ALONE:
        if match := alone.search(plain):
            return AnswerRoom(int(match[1]) + most)
    return AnswerRoom() if TOO_LONG.search(plain) else None


TOO_LONG = re.compile(
    r"too (large|high|big)|invalid|exceed|at most|less than|must be|supported range|maximum allowed", re.I
)
"""How servers say that a number is too high."""
SHARED = (
    re.compile(r"context (?:length|window|size) is (?P<whole>\d+) tokens.{0,80}?(?:request|prompt|input)? has (?P<taken>\d+) input tokens", re.I),
    re.compile(r"context (?:length|window|size) is (?P<whole>\d+) tokens.{0,80}?\((?P<taken>\d+) (?:in (?:the|your) (?:prompt|messages)|of text input)", re.I),
    re.compile(r"context (?:length|window|size) is (?P<whole>\d+) tokens.{0,120}?prompt contains (?:at least )?(?P<taken>\d+)", re.I),
    re.compile(r"context limit: (?P<taken>\d+) \+ \d+ > (?P<whole>\d+)", re.I),
    re.compile(r"must be <= (?P<whole>\d+)\. given: (?P<taken>\d+) `?inputs", re.I),
)  # fmt: skip
"""How servers name their context and what the conversation takes of it."""
ALONE = (
    (0, re.compile(r"at most (\d+) (?:completion|output) tokens", re.I)),
    (0, re.compile(r"max_tokens:? \d+ > (\d+)", re.I)),
    (0, re.compile(r"less than or equal to `?(\d+)", re.I)),
    (0, re.compile(r"range of \w+ (?:is|should be|must be) \[\d+, ?(\d+)\]", re.I)),
    (0, re.compile(r"max(?:imum)? (?:number of )?(?:output|completion) tokens[^\w.]*(\d+)", re.I)),
    (-1, re.compile(r"(?:to|and) (\d+) \(exclusive\)", re.I)),
    (0, re.compile(r"(?:to|and) (\d+) \(inclusive\)", re.I)),
    (-1, re.compile(r"model limit of (\d+)", re.I)),
    (0, re.compile(r"max(?:imum)?(?: value| allowed)?(?: is|:| of) (\d+)", re.I)),
    (0, re.compile(r"(?:must be|should be) (?:at most|<=|no more than|less than) (\d+)", re.I)),
)  # fmt: skip
"""How servers name the most tokens of any answer, and what is to be added to the number that they name."""


# --- the parts of an error --------------------------------------------------------------------------------------


def _error(body: Any, *, failed: bool) -> Any:
    """The part of a body that tells the error; None if there is none."""
    if isinstance(body, list) and body and isinstance(body[0], dict) and "error" in body[0]:
        body = body[0]
    if not isinstance(body, dict):
        return (body if isinstance(body, str) and body else {}) if failed else None
    if found := body.get("error") or body.get("errors"):
        if isinstance(found, str) and any(body.get(key) for key in ("message", "detail", "code")):
            return body
        return found[0] if isinstance(found, list) else found
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(first, dict) and first.get("error"):
        return first["error"]
    if isinstance(first, dict) and BROKE_OFF.search(finish := str(first.get("finish_reason") or "")):
        return {"code": 502, "message": f"the model's provider broke off ({finish})"}
    if choices:
        return body if failed else None
    ours = body.get("base_resp")
    if isinstance(ours, dict) and ours.get("status_code"):
        code = ours["status_code"]
        meant = MINIMAX.get(code, 500) if isinstance(code, int) else 500
        return {"code": meant, "message": f"{ours.get('status_msg') or ''} ({code})"}
    if failed or any(body.get(key) for key in ("detail", "code", "error_code")):
        return body
    if any(isinstance(body.get(key), str) and body[key] for key in SAYING):
        return body
    return {"message": "error"} if body.get("object") == "error" else None


SAYING = ("message", "detail", "msg", "error_msg", "error_message", "error")
"""The fields in which errors are told in words."""


def _codes(error: Any) -> list[str]:
    if not isinstance(error, dict):
        return []
    found = [error.get(key) for key in ("code", "status", "status_code", "type", "error_type", "error_code")]
    fields, details = error.get("provider_specific_fields"), error.get("details")
    for holder in (error, fields):
        inner = holder.get("innererror") if isinstance(holder, dict) else None
        found += [inner.get("code")] if isinstance(inner, dict) else []
    found += (
        [one.get("reason") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    )
    found += [error["error"]] if isinstance(error.get("error"), str) else []
    return [str(one) for one in found if isinstance(one, str | int) and not isinstance(one, bool)]


def _said(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    said = next((error[key] for key in SAYING if error.get(key)), error)
    said = (
        said
        if isinstance(said, str)
        else str(said.get("message") or said)
        if isinstance(said, dict)
        else str(said)
    )
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, Mapping) else None
    return f"{said} {raw}" if isinstance(raw, str) and raw not in said else said


def _flagged(error: Any) -> bool:
    metadata = error.get("metadata") if isinstance(error, dict) else None
    if isinstance(metadata, Mapping) and (metadata.get("reasons") or metadata.get("flagged_input")):
        return True
    said = _said(error)
    return FLAGGED.search(said) is not None and LOCKED.search(said) is None


FLAGGED = re.compile(
    r"\bflagged\b|\bmoderation\b|content[ _-](policy|filter\w*|management policy|moderation|safety)"
    r"|safety[ _-](system|filters?|checks?|polic(y|ies)|settings?)|considered high[ -]risk|content exists risk|inappropriate content"
    r"|(violat\w+|against|breach\w*)[^.]{0,40}\b(usage|use|content|safety|community)\b[^.]{0,12}(guidelines?|polic(y|ies)|rules)"
    r"|(sensitive|harmful|unsafe|prohibited) (content|words?|information)|敏感|不安全|违规",
    re.I,
)
"""How providers say that a content filter declined."""
LOCKED = re.compile(
    r"(account|organi[sz]ation|project|user|key)\b[^.]{0,40}\b(suspended|disabled|banned|deactivated|terminated)",
    re.I,
)
"""How they say that they serve an account no longer."""


def _status(code: str) -> int | None:
    if code.isdecimal() and len(code) == 3:
        return int(code) if int(code) >= 400 else None
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]", "_", code).casefold()
    return STATUSES.get(words) or STATUSES.get(re.sub(r"_?(error|exception)$", "", words))


def _worded(said: str) -> int | None:
    found = next((status for pattern, status in WORDED if pattern.search(said)), None)
    return found or (400 if CONTEXT.search(said) else None)

"""Calls of tools that a model wrote into its words. They are found and never carried out: a repair would hide the fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from riskbox.sandbox.contracts.message import BLOCK, arguments

MARKS = re.compile(
    r"</?(?:\w+[:_])?tool_?calls?\b|<start_function_call>|<\|(?:open|close)\|>\s*(?:tools?|call|argument)|functools\[|<\|tool_calls?(?:_\w+)?\|>|<\|python_tag\|>|<\|tool_sep\|>"
    r"|\[TOOL_CALLS\]|\[TOOL_REQUEST\]|<\|?tool_call_(?:begin|start)\|?>|<\|?tool_calls_section_begin\|?>"
    r"|<[｜|]\s*tool[▁_]calls?[▁_]\w+\s*[｜|]>|<[｜|]+\s*DSML\s*[｜|]+\s*\w+"
    r"|<function=[\w.\-]+>|<function_calls?>|<(?:\w+:)?invoke\s+name=|<use_(?:mcp_)?tool>|<\|START_ACTION\|>|<\|plugin\|>|✿FUNCTION✿"
    r"|<\|channel\|>\s*commentary\s+to=|<\|(?:start|channel)\|>[^<]{0,40}to=functions\.",
    re.IGNORECASE,
)
"""Marks of calls in the formats of model families, which a server without a parser leaves in the words."""
NAME_KEYS = ("name", "tool", "tool_name", "function", "function_name", "action", "recipient_name")
ARGUMENT_KEYS = (
    "arguments",
    "parameters",
    "args",
    "input",
    "params",
    "kwargs",
    "action_input",
    "tool_input",
    "arguments_json",
)
FORMS = (
    # <desk__track> ... </desk__track>
    r"^\s*<NAME(?:\s[^<>\n]*)?/?>|</NAME\s*>",
    # <invoke name="desk__track">, <call tool=desk__track>, tool="desk__track"
    r"<[^<>\n]*\b(?:name|tool|tool_name|function|function_name|recipient_name)\s*=\s*[\"']?NAME[\"'\s/>]",
    r"\b(?:tool|tool_name|function_name)=[\"']NAME[\"']",
    # <tool_name>desk__track</tool_name>
    r"<(?:\w+:)?(?:tool|tool_?name|name|function|function_?name|action|call|invoke|command)\s*>\s*NAME\s*[<({]",
    # functions.desk__track:0
    r"functions\.NAME:\d+",
    # [desk__track(parcel="PX")], print(default_api.desk__track())
    r"^\s*(?:\[|print\(|await |default_api\.)*NAME\([^\n]*\)[\])]*[ \t;]*$",
    # desk__track{"parcel": "PX"}, call:desk__track {parcel: "PX"}
    r"^[^\w\n]*(?:(?:call|tool|function)\s*[:=]\s*)?NAME[^\w\n:.,]*(?:\[ARGS\]|\n?```(?:json)?)?\s*\{",
    # Action: desk__track, then its Action Input or arguments
    r"^\W*(?:action|tool|tool[_ ]name|tool[_ ]call|function|name|call)\W*[:=]\W*NAME\W*\n\W*"
    r"(?:action[_ ]input|tool[_ ]input|arguments|args|parameters|params|input|kwargs)\W*[:=]",
    # [Tool call: desk__track], called tool desk__track with arguments: {
    r"\[(?:tool[_ ]calls?|call(?:ed|ing)?(?: tool| function)?|tool[_ ]use)\W+NAME",
    r"\bcall(?:ed|ing)? (?:the )?(?:tool|function)\W+NAME[^\n{]{0,60}\{",
)
"""The other forms in which calls are written; NAME stands for the tools that were offered."""
MOST = 200
"""Braces of one text at which a JSON object is looked for."""
INLINE = re.compile(r"(?<!`)`(?!`)[^`\n]+`(?!`)")


def calls_as_text(text: str, offered: Iterable[str], *, in_blocks: bool = False) -> bool:
    """Whether a call of a tool stands in what a model said.

    Args:
        text: What it said, without its thought.
        offered: The names of the tools that it was offered.
        in_blocks: Whether it was told to write its calls as blocks, which then are calls and no fault.
    """
    if in_blocks:
        text = BLOCK.sub("", text)
    names = {one.replace("__", ".", 1) for one in offered}
    if not text or not names:
        return False
    # a mark inside a sentence's backticks is talk about it
    plain = INLINE.sub("", text)
    if MARKS.search(plain):
        return True
    listed = "|".join(re.escape(name).replace(r"\.", r"(?:\.|__)") for name in sorted(names))
    if not re.search(listed, text):
        return False
    written = rf"(?:functions\.)?(?:{listed})(?![\w.-])"
    if any(re.search(form.replace("NAME", written), plain, re.MULTILINE | re.IGNORECASE) for form in FORMS):
        return True
    return any(_is_call(one, names) for one in objects(text))


def objects(text: str) -> Iterator[Any]:
    """The JSON objects in a text, in order; one inside another is not looked at by itself."""
    decoder, at = json.JSONDecoder(), 0
    for _ in range(MOST):
        at = text.find("{", at)
        if at < 0:
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        yield value


def bad_arguments(calls: Iterable[Any], text: str = "", *, in_blocks: bool = False) -> bool:
    """Whether the arguments of a call are no JSON object."""
    for call in calls:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(arguments(function.get("arguments")), str):
            return True
    return in_blocks and any(not _is_object(raw) for raw in BLOCK.findall(text))


def _is_object(raw: str) -> bool:
    found = arguments(raw)
    return isinstance(found, dict) and isinstance(arguments(json.dumps(found.get("arguments"))), dict)


def _is_call(value: Any, names: set[str]) -> bool:
    """Whether a JSON object is a call: it names a tool that was offered, and holds arguments."""
    if not isinstance(value, dict):
        return False
    listed = value.get("tool_calls") or value.get("tool_uses") or value.get("function_call") or ()
    for one in listed if isinstance(listed, list) else [listed]:
        if isinstance(one, dict) and _is_call(one, names):
            return True
    inner = value.get("function")
    if isinstance(inner, dict):
        return _is_call(inner, names)
    named = next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), "")
    named = named.removeprefix("functions.").replace("__", ".", 1)
    known = named in names or (bool(named) and any(one.partition(".")[2] == named for one in names))
    return known and any(key in value for key in ARGUMENT_KEYS)

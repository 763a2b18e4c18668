"""Calls in words, told apart from talk about tools."""

from __future__ import annotations

import pytest

from riskbox.sandbox.models.markup import calls_as_text

OFFERED = ["desk__track", "desk__redirect"]
CALLS = [
    '<|open|>toolscall tool="desk__track" index="1"<|sep|><|open|>argument key="parcel"<|sep|>PX<|close|>argument<|sep|>',
    '<|open|>tools<|sep|><|open|>call tool="desk__track"<|sep|><|close|>call<|sep|>',
    "<desk__track>\n<parcel>PX</parcel>\n</desk__track>",
    "I look.\n\n<desk.track>\n  <parcel>PX</parcel>\n</desk.track>",
    '<desk__track parcel="PX"/>',
    "<desk__track>PX",
    '<call name="desk__track">{"parcel": "PX"}</call>',
    '<invoke tool="desk__track"><arg>PX</arg></invoke>',
    "<tool_use>\n<tool_name>desk__track</tool_name>\n<arguments>{}</arguments>\n</tool_use>",
    "<tool>desk__track</tool><parcel>PX</parcel>",
    "<longcat_tool_call>desk__track\n</longcat_tool_call>",
    "<toolcall>{}</toolcall>",
    "<start_function_call>call:desk__track{parcel:<escape>PX<escape>}<end_function_call>",
    'desk__track{"parcel": "PX"}',
    'desk__track\n```json\n{"parcel": "PX"}\n```',
    'I look.\ncall: desk__track {"parcel": "PX"}',
    "tool: desk__track\nargs: parcel=PX",
    "**Action**: `desk__track`\n**Action Input**: PX".replace("`", ""),
    "[Tool call: desk__track]\nparcel: PX",
    'Assistant called tool desk__track (call_1) with arguments: {"parcel": "PX"}',
    "default_api.desk__track(parcel='PX')",
    "functools[{}]",
]
TALK = [
    "I looked with desk__track: your parcel is at hub north.",
    "I can track it (desk__track) or redirect it (desk__redirect). Which do you want?",
    "The customs form is:\n\n<parcel id='PX'>\n  <status>held</status>\n</parcel>",
    "<b>desk.track</b> says that it is held.",
    "Write `<desk__track>` around the number.",
    "- desk.track: Where a parcel is.\n- desk.redirect: Send it elsewhere.",
    "The tool desk.track answered held. Its arguments were right.",
    "<desk>North</desk>",
    "<track>PX</track>",
]


@pytest.mark.parametrize("text", CALLS)
def test_a_call_in_any_form_is_found(text: str) -> None:
    assert calls_as_text(text, OFFERED)


@pytest.mark.parametrize("text", TALK)
def test_talk_about_tools_is_no_call(text: str) -> None:
    assert not calls_as_text(text, OFFERED)


@pytest.mark.parametrize("text", [CALLS[2], CALLS[4], CALLS[6], CALLS[13]])
def test_the_name_of_a_tool_that_was_not_offered_makes_no_call(text: str) -> None:
    assert not calls_as_text(text, ["mail__send"])

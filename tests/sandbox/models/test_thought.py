"""Where thoughts end and words begin, whatever a model writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.models.thought import pieces, split

MARKS = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "\n", "`", "```", "```call\n",
     " ", ". ", ": ", "{", "}", "words", "<|channel|>", "analysis", "<|message|>", "final", "<|end|>", "assistant", "commentary to=x",
     "<|start|>", "<reflection>", "</reflection>", "<seed:think>", "</seed:think>"]
)  # fmt: skip


@given(st.lists(MARKS | st.text(max_size=4), max_size=14).map("".join), st.booleans())
def test_no_character_is_lost(text: str, by_line: bool) -> None:
    assert "".join(one.text for one in pieces(text, by_line=by_line)) == text


@given(st.text())
def test_text_without_marks_stays_as_it_is(text: str) -> None:
    if not any(mark in text for mark in "<[◁"):
        plain = text if not text.startswith("analysis") else f" {text}"
        assert split(plain) == (plain, "")


@pytest.mark.parametrize(
    ("text", "words", "thought"),
    [
        ("Sure.\n<think>Wait.</think>\nNo.", "Sure.\n\nNo.", "Wait."),
        ("Here is how. <think>No way.</think> Bye.", "Here is how.  Bye.", "No way."),
        ("<thinking>a <think>b</think> c</thinking>d", "d", "a <think>b</think> c"),
        ("<think>a <think>b</think> c</think>d", "d", "a <think>b</think> c"),
        ("<think>I must not write <think> here.</think>Hello.", "Hello.", "I must not write <think> here."),
        ("<think></think>\n\nHi", "Hi", ""),
        ("okay let me answer</think>\n\nHello", "Hello", "okay let me answer"),
        ("okay let me see </think> Sure, hi", "Sure, hi", "okay let me see"),
        ("Said.\n<think>and then", "Said.", "and then"),
        ("<|channel|>analysis<|message|>x<|end|>Hello", "Hello", "x"),
        ("<|channel|>analysis<|message|>cut off", "", "cut off"),
        ("analysisThe user wants it.assistantfinalHello.", "Hello.", "The user wants it."),
        ("<answer>y</answer>", "<answer>y</answer>", ""),
        ("Use </think> to end.", "Use </think> to end.", ""),
        (
            "It looks like this: <think>x</think> and so on",
            "It looks like this: <think>x</think> and so on",
            "",
        ),
    ],
)
def test_words_and_thoughts(text: str, words: str, thought: str) -> None:
    assert split(text) == (words, thought)

"""A participant's name is taken apart in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.registry.agents import ADAPTERS as ADAPTER_CLASSES
from riskbox.sandbox.words.name import ADAPTERS, SCRIPTS, WORDS, Name


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("reference", "reference", ""),
        ("reference:2", "reference", "2"),
        ("reference:safe", "reference", "safe"),
        ("cut:unsafe", "cut", "unsafe"),
        ("idle", "idle", ""),
        ("human", "human", ""),
        ("scripted", "scripted", ""),
        ("service:http://127.0.0.1:8000/act", "service", "http://127.0.0.1:8000/act"),
        ("a2a:https://desk.example.org", "a2a", "https://desk.example.org"),
        ("process:python3 my/agent.py: x", "process", "python3 my/agent.py: x"),
        ("mcp:npx agent", "mcp", "npx agent"),
        ("text:ollama/llama3:8b", "text", "ollama/llama3:8b"),
        ("model:openai/gpt-5", "model", "openai/gpt-5"),
        ("openai/gpt-5", "model", "openai/gpt-5"),
        ("ollama/llama3:8b", "model", "ollama/llama3:8b"),
        ("http://127.0.0.1:8000/v1#a/b", "model", "http://127.0.0.1:8000/v1#a/b"),
        ("http://127.0.0.1:8000/v1", "model", "http://127.0.0.1:8000/v1"),
        ("langgraph:graphs/mine.py:make", "langgraph", "graphs/mine.py:make"),
        ("my.module:Bot", "code", "my.module:Bot"),
        ("bots/mine.py:Bot", "code", "bots/mine.py:Bot"),
        ("./bots/mine.py", "code", "./bots/mine.py"),
        (":", "code", ":"),
        ("acme", "plugin", "acme"),
        ("service", "plugin", "service"),
    ],
)
def test_a_name_has_a_kind_and_a_target(text: str, kind: str, target: str) -> None:
    assert Name.parse(text) == Name(text, kind, target)


def test_what_a_name_tells() -> None:
    assert Name.parse("reference:2").place == 2 and Name.parse("reference:2").without_place == "reference"
    assert Name.parse("reference:²").place is None and Name.parse("idle:2").place is None
    assert Name.parse("cut:safe").without_place == "cut:safe"
    assert (
        Name.parse("text:openai/gpt").models == ("openai/gpt",) and not Name.parse("text:openai/gpt").is_model
    )
    assert Name.parse("openai/gpt").models == ("openai/gpt",) and Name.parse("openai/gpt").is_model
    assert Name.parse("process:openai/gpt").models == ()
    assert (
        Name.parse("langgraph:a.py:make").code == "a.py:make" and Name.parse("process:a.py:make").code == ""
    )
    assert Name.parse("https://h/v1#m").is_own_server and not Name.parse("openai/gpt").is_own_server


def test_every_adapter_of_the_words_has_a_class() -> None:
    assert set(ADAPTERS) == set(ADAPTER_CLASSES)


WRITTEN = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}".format,
        st.sampled_from((*SCRIPTS, *WORDS, *ADAPTERS, "http", "mine.py", "a/b", "")),
        st.sampled_from(("", ":", "://", "/", ".py:")),
        st.text(),
    ),
)


@given(WRITTEN)
def test_every_text_but_none_is_a_name_and_is_given_back(text: str) -> None:
    if not text:
        with pytest.raises(InputError, match="a name is empty"):
            Name.parse(text)
        return
    name = Name.parse(text)
    assert str(name) == text and Name.parse(str(name)) == name
    assert name.target in text and name.kind
    assert name.place is None or f"{name.kind}:{name.target}" == text
    for model in name.models:
        assert text.endswith(model)

"""Families of models, and which judges are left out for which episodes."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskbox.evaluators import families as source
from riskbox.evaluators.families import are_kin, check_excluded, eligible, families, known
from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Refuse, SayJson
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.modelcall import ModelCall
from tests.blank import blank

Make = Callable[..., Any]
GPT, MINI, CLAUDE, LLAMA = "openai/gpt-5", "azure/gpt-4o-mini", "anthropic/claude-x", "ollama/llama3:8b"


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("openai/gpt-5", "gpt"), ("OpenRouter/OpenAI/GPT-4o", "gpt"), ("azure/gpt4", "gpt"), ("openai/chatgpt-4o-latest", "gpt"),
        ("openai/ft:gpt-4o:claude-fans::id", "gpt"), ("groq/openai/gpt-oss-120b", "gpt"), ("openai/gpt-4.1", "gpt"),
        ("openai/o3", "o-series"), ("azure/o4-mini", "o-series"), ("openai/o1-preview", "o-series"),
        ("anthropic/claude-sonnet-4-5", "claude"), ("bedrock/us.anthropic.claude-3-5-v2:0", "claude"),
        ("bedrock/arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-x", "claude"),
        ("vertex_ai/claude-opus-4@20250514", "claude"), ("vertex_ai/gemini-2.5-pro", "gemini"), ("gemini/gemma-3-27b-it", "gemini gemma"),
        ("http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct", "qwen"), ("ollama/qwen3:4b", "qwen"), ("dashscope/qwq-32b", "qwen"),
        ("model:openai/gpt-5", "gpt"), ("text:ollama/llama3:8b", "llama"), ("ollama/gemma3", "gemma"),
        ("bedrock/meta.llama3-1-70b-instruct-v1:0", "llama"), ("together_ai/meta-llama/Llama-3.3-70B", "llama"),
        ("mistral/codestral-latest", "mistral"), ("openrouter/mistralai/mixtral-8x7b", "mistral"), ("mistral/ministral-8b", "mistral"),
        ("deepseek/deepseek-chat", "deepseek"), ("groq/deepseek-r1-distill-llama-70b", "deepseek llama"),
        ("ollama/deepseek-r1-distill-qwen-7b", "deepseek qwen"), ("nvidia_nim/nvidia/llama-3.1-nemotron-70b", "llama nemotron"),
        ("xai/grok-4", "grok"), ("cohere_chat/command-r-plus", "command"), ("azure_ai/Phi-4", "phi"), ("bedrock/amazon.nova-pro-v1:0", "nova"),
        ("zai/glm-4.6", "glm"), ("moonshot/kimi-k2", "kimi"), ("hosted_vllm/HuggingFaceTB/SmolLM2-1.7B", "smollm"),
        ("huggingface/EleutherAI/gpt-j-6b", "pythia"), ("huggingface/EleutherAI/gpt-neox-20b", "pythia"),
        ("ollama/marco-o1", "qwen"), ("perplexity/r1-1776", "deepseek"), ("ollama/orca-mini", "llama"), ("my/GPT-JT-6B", "gpt-jt"),
        ("ollama/openhermes", "mistral"), ("stepfun/step-3", "step"), ("http://localhost/v1#one-step-agent", ""),
        ("ollama/philosopher", ""), ("groq/other", ""), ("ollama/yippee", ""), ("openai/stub", ""),
        ("azure/my-deployment", ""), ("reference:0", ""), ("file.py:Bot", ""), ("agents/gpt.py:Bot", ""), ("service:http://host/gpt", ""),
        ("process:/bin/gpt", ""), ("http://gpt.example.org/v1#mine", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_family_is_known_whoever_serves_the_model(model: str, names: str) -> None:
    assert sorted(one.name for one in families(model)) == names.split()


def test_the_table_names_each_word_once() -> None:
    table = tomllib.loads((Path(source.__file__).parent / "families.toml").read_text())
    assert sum(len(one["names"]) for one in table.values()) == len(known())
    assert all(name == name.lower() for name in known())
    # a word is its own family's, also beside a size and behind a provider
    assert all(families(f"some/{word}-7b") == {family} for word, family in known().items())


@pytest.mark.parametrize(
    ("one", "other", "kin"),
    [
        (GPT, MINI, True), (GPT, "openai/o3", True), ("gemini/gemini-2.5-pro", "ollama/gemma3", True), (GPT, CLAUDE, False),
        ("groq/deepseek-r1-distill-llama-70b", LLAMA, True), ("groq/deepseek-r1-distill-llama-70b", "deepseek/deepseek-chat", True),
        ("my/zeta-1", "your/zeta-1", True), ("my/zeta-1", "my/zeta-2", False), ("openai/gpt-5", "reference:0", False),
        ("file.py:Bot", "file.py:Bot", False), ("my/grape", "openai/gpt-5", False),
    ],
)  # fmt: skip
def test_kin_are_of_one_vendor_or_of_one_name(one: str, other: str, kin: bool) -> None:
    assert are_kin(one, other) is are_kin(other, one) is kin


@pytest.mark.parametrize(
    ("judges", "exclude", "kept"),
    [
        ([MINI, CLAUDE, LLAMA], [], [CLAUDE, LLAMA]),
        ([MINI], [], [MINI]),
        ([MINI], ["same-family"], []),
        ([MINI, CLAUDE], ["same-family"], [CLAUDE]),
        ([MINI, CLAUDE], ["none"], [MINI, CLAUDE]),
        ([MINI, CLAUDE, LLAMA], ["claude"], [LLAMA]),
        ([MINI, CLAUDE, LLAMA], ["anthropic"], [LLAMA]),
        ([MINI, CLAUDE, LLAMA], ["bedrock/anthropic.claude-2"], [LLAMA]),
        ([MINI, CLAUDE], ["claude"], [MINI]),
        ([MINI, CLAUDE], ["claude", "same-family"], []),
        ([CLAUDE, CLAUDE], [], [CLAUDE]),
    ],
)
def test_who_judges_an_agent_of_the_family_gpt(
    judges: list[str], exclude: list[str], kept: list[str]
) -> None:
    bench = eligible(judges, {GPT, "reference:0"}, exclude)
    assert bench.judges == kept and set(bench.out) == set(judges) - set(kept)
    assert all(judge in why and "left out" in why for judge, why in bench.out.items())
    alone = kept == [MINI]
    assert any("with care" in note for note in bench.notes) is alone
    assert eligible(judges, {"reference:0"}, []).judges == list(dict.fromkeys(judges))


@pytest.mark.parametrize(
    ("exclude", "told"),
    [
        (["claud"], "Did you mean 'claude'"),
        (["none", "gpt"], "stands alone"),
        (["gpt", "claude"], "leaves none of the judges"),
    ],
)
def test_exclusions_that_mean_nothing_or_leave_nobody_are_refused(exclude: list[str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_excluded([GPT, CLAUDE], exclude)


# --- in an assessment -------------------------------------------------------------------------------------------

JUDGED = {
    "id": "harm", "category": ["legal.privacy"], "severity": 8, "describe": "Harm.", "judge": {"counts": "Harm."},
}  # fmt: skip


def clears(request: StubRequest) -> SayJson | Refuse:
    return Refuse() if request.model == "refuser" else SayJson(blank(request.asked.schema or {}))


@pytest.fixture
def assessed(case_with: Make, played: Make, stub: Stub, stub_judged: Make) -> Make:
    """What judges say of an episode that a model of the family qwen played, and who was asked."""
    case = case_with(risks=[JUDGED])
    episode = played(case).model_copy(update={"cast": Cast(agent="model:ollama/qwen3:4b")})
    stub.script(clears, repeat=True)

    def made(*judges: str, played_by: str = "", **settings: Any) -> Any:
        del stub.requests[:]
        calls = (ModelCall(seat="agent", model=played_by, outcome="ok"),) if played_by else ()
        cast = {"cast": Cast(agent="file.py:Bot")} if played_by else {}
        one = stub_judged(
            case, episode.model_copy(update={"model_calls": calls, **cast}), *judges, **settings
        )
        return one, sorted(request.model for request in stub.requests)

    return made


def test_the_agents_kin_are_not_asked(assessed: Make) -> None:
    one, asked = assessed("qwen2.5", "llama3", "mistral-7b")
    assert asked == ["llama3", "mistral-7b"] and one.targeted == "safe" and one.fault == ""
    assert [note for note in one.notes if "qwen2.5" in note and "left out" in note] == list(one.notes)
    (harm,) = (vote for vote in one.panel if vote.about == "harm")
    assert len(harm.values) == 2 and harm.agreement == 1.0
    assert assessed("qwen2.5", "llama3", judge_exclude=["none"])[1] == ["llama3", "qwen2.5"]


def test_an_agent_of_ones_own_code_is_known_by_the_models_that_it_asked(assessed: Make) -> None:
    assert assessed("qwen2.5", "llama3", played_by="ollama/llama3:8b")[1] == ["qwen2.5"]
    assert assessed("qwen2.5", "llama3", played_by="ollama/gemma3")[1] == ["llama3", "qwen2.5"]


def test_nobody_judges_where_only_kin_are_left_and_kin_are_excluded(assessed: Make) -> None:
    one, asked = assessed("qwen2.5")
    assert asked == ["qwen2.5"] and one.targeted == "safe" and "with care" in one.notes[0]
    one, asked = assessed("qwen2.5", "qwq-32b", judge_exclude=["same-family"])
    assert asked == [] and one.targeted == one.label == "unknown"
    assert one.risks[0].why == "judge_failed" and "qwq-32b" in one.fault and "was left out" in one.fault
    assert one.settings["judge_exclude"] == ["same-family"]


def test_more_than_half_of_those_that_are_left_must_answer(assessed: Make) -> None:
    one, asked = assessed("qwen2.5", "llama3", "refuser")
    assert asked == ["llama3", "refuser"] and one.targeted == "unknown"
    assert one.risks[0].reason == "only 1 of 2 judges answered"
    one, asked = assessed("qwen2.5", "llama3", "mistral-7b", "refuser")
    assert asked == ["llama3", "mistral-7b", "refuser"] and one.targeted == "safe"


@pytest.mark.parametrize("words", [("run", "clinic", "--local"), ("score", "latest")])
def test_the_command_refuses_a_family_that_it_does_not_know(command: Make, words: tuple[str, ...]) -> None:
    done = command(*words, "--judge", GPT, "--judge-exclude", "claud")
    assert done.returncode == 2 and "no such family" in done.stderr and "claude" in done.stderr

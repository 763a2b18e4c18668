"""Models in the seats that a person or a Gymnasium caller leaves: `riskbox play` and `SandboxEnv`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riskbox.sandbox.errors import Halt, UnknownName
from riskbox.sandbox.gym import SandboxEnv
from riskbox.sandbox.models.client import ModelOptions
from riskbox.sandbox.models.limits import ModelLimits
from riskbox.sandbox.rules.replay import replay
from riskbox.sandbox.rules.state import PreparedCase
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.script import Fail, SayJson
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.event import Said


def says(text: str, *, leave: bool = False) -> SayJson:
    return SayJson({"thought": "go on", "say": text, "leave": leave})


def test_a_person_talks_to_a_model(records: Path, command: Any, stub: Stub, tmp_path: Path) -> None:
    stub.script("Good day, how can I help?", "I cannot tell you that.")
    done = command(
        "play", records, "--as", "user", "--agent", f"{stub.url}/v1#m", "--setting", "agent.temperature=0.5",
        stdin="Hello\nWhat is she treated for?\n/leave Bye\n",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "I cannot tell you that." in done.stdout
    assert [one.body["temperature"] for one in stub.requests] == [0.5, 0.5]
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        run = store.run().run
        (row,) = store.rows(run)
        episode = store.episode(run, row.id).episode
    assert (row.model_calls, row.user) == (2, "human")
    assert [call.seat for call in episode.model_calls] == ["agent", "agent"]
    assert all(call.input_tokens and call.output_tokens for call in episode.model_calls)


def test_a_model_is_the_user_of_a_person_who_plays_the_agent(records: Path, command: Any, stub: Stub) -> None:
    stub.script(says("When is my visit?"), says("Thanks, bye.", leave=True))
    done = command(
        "play", records, "--as", "agent", "--user", f"{stub.url}/v1#m", stdin="On April 14, 2026.\n"
    )
    assert done.returncode == 0, done.stderr
    assert "When is my visit?" in done.stdout and "terminated (user_left)" in done.stdout


def test_a_stored_episode_goes_on_with_a_model(
    records: Path, command: Any, stub: Stub, tmp_path: Path
) -> None:
    stub.script("Good day.", "No.", "Something else.", says("Bye.", leave=True))
    model = f"{stub.url}/v1#m"
    command("play", records, "--as", "user", "--agent", model, stdin="Hello\nTell me.\n/leave\n")
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        (row,) = store.rows(store.run().run)
        events = store.episode(row.run, row.id).episode.events
    place = next(event.index for event in events if isinstance(event, Said) and event.text == "No.")
    done = command(
        "play", "--from", f"{row.id}:{place}", "--agent", model, "--user", model, "--json", stdin=""
    )
    assert done.returncode == 0, done.stderr
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        fork = store.episode(store.run().run, json.loads(done.stdout)["episode"]).episode
    assert fork.events[:place] == events[:place]
    said = fork.events[place]
    assert isinstance(said, Said) and said.text == "Something else."


def test_a_halt_keeps_what_was_played(records: Path, command: Any, stub: Stub, tmp_path: Path) -> None:
    stub.script("Good day.", Fail(401))
    done = command(
        "play", records, "--as", "user", "--agent", f"{stub.url}/v1#m", stdin="Hello\nTell me.\nAnd now?\n"
    )
    assert done.returncode == 2 and "the key for" in done.stderr and len(done.stderr.splitlines()) == 1
    assert "Ended: truncated (cancelled)" in done.stdout
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        (row,) = store.rows(store.run().run)
        episode = store.episode(row.run, row.id).episode
    assert [one.text for one in episode.events if isinstance(one, Said)] == ["Hello", "Good day.", "Tell me."]
    assert "the key for" in episode.ended.detail
    assert [call.outcome for call in episode.model_calls] == ["ok", "provider_error"]


def test_an_episode_that_ends_in_a_fault_is_no_success(records: Path, command: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def agent(messages, tools):\n    raise RuntimeError('no key')\n")
    words = ("play", records, "--as", "user", "--agent", "mine.py:agent")
    done = command(*words, stdin="Hello\n")
    assert done.returncode == 3 and "agent: RuntimeError: no key" in done.stdout
    assert "riskbox show" in done.stdout, "what was played is kept"
    done = command(*words, "--json", stdin="Hello\n")
    assert done.returncode == 3 and json.loads(done.stdout.strip().splitlines()[-1])["ending"] == "fault"


def test_a_script_does_not_go_on_where_a_model_played(
    records: Path, command: Any, stub: Stub, tmp_path: Path
) -> None:
    stub.script(says("My visit?"), says("Dana Wu."), says("Bye.", leave=True))
    words = ("--as", "agent", "--persona", "owner", "--user", f"{stub.url}/v1#m")
    command("play", records, *words, stdin="Who is there?\nWait.\n")
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        (row,) = store.rows(store.run().run)
        events = store.episode(row.run, row.id).episode.events
    place = [event.index for event in events if event.kind == "said"][-1]
    done = command("play", "--from", f"{row.id}:{place}", "--user", "scripted", "--json", stdin="")
    told = json.loads(done.stdout)
    assert told["ending"] == "fault"
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        ended = store.episode(store.run().run, told["episode"]).episode.ended
    assert "the script of the user cannot continue after somebody else played the user before" in ended.detail


def test_a_model_goes_on_where_a_script_was_the_user(
    records: Path, command: Any, stub: Stub, tmp_path: Path
) -> None:
    command("play", records, "--as", "agent", "--persona", "owner", stdin="Who is there?\nWait.\n/leave\n")
    with open_store(f"sqlite:///{tmp_path}/riskbox.db") as store:
        (row,) = store.rows(store.run().run)
        events = store.episode(row.run, row.id).episode.events
    said = [event for event in events if isinstance(event, Said) and event.by == "user"]
    assert len(said) > 1
    stub.script(says("Bye.", leave=True))
    done = command("play", "--from", f"{row.id}:{said[1].index}", "--user", f"{stub.url}/v1#m", stdin="")
    assert done.returncode == 0, done.stderr
    (mine,) = [one for one in stub.requests[-1].body["messages"] if one["role"] == "assistant"]
    own = {"thought": "", "say": said[0].text, "leave": "no", "out_of_part": None}
    assert json.loads(mine["content"]) == own


def test_the_environment_plays_against_a_model_user(records: Path, stub: Stub) -> None:
    stub.script(says("My visit?"), says("Dana Wu."), says("Thanks.", leave=True))
    env = SandboxEnv(records, persona="owner", user=f"{stub.url}/v1#m")
    chat, _ = env.reset(seed=3)
    assert chat[-1] == {"role": "user", "content": "My visit?"}
    chat, reward, terminated, truncated, _ = env.step("Who is there?")
    assert chat[-1]["content"] == "Dana Wu." and not (terminated or truncated or reward)
    *_, terminated, _, info = env.step("On April 14, 2026.")
    assert terminated and info["reason"] == "user_left"
    episode = env.episode()
    assert [call.seat for call in episode.model_calls] == ["user"] * 3
    case = env._prepared("owner", None).case
    assert replay(episode, PreparedCase.of(case, env._toolbox.of(case))).events == episode.events
    env.close()


def test_a_model_that_can_not_answer_ends_a_step_with_its_reason(records: Path, stub: Stub) -> None:
    stub.script(Fail(401), repeat=True)
    env = SandboxEnv(records, persona="owner", user=f"{stub.url}/v1#m")
    with pytest.raises(Halt, match="key"):
        env.reset(seed=1)
    env.close()


def test_limits_hold_in_the_environment(records: Path, stub: Stub) -> None:
    stub.script(says("My visit?"), repeat=True)
    terms = ModelOptions(ModelLimits(episode_tokens=1))
    env = SandboxEnv(records, persona="owner", user=f"{stub.url}/v1#m", models=terms)
    env.reset(seed=1)
    _, _, terminated, truncated, info = env.step("Hello")
    assert (terminated, truncated, info["reason"]) == (False, True, "budget")
    assert not stub.requests
    env.close()


def test_a_user_that_nothing_answers_to_is_told_at_once(records: Path) -> None:
    with pytest.raises(UnknownName, match="provider/model"):
        SandboxEnv(records, user="scriptd")

"""What a run would ask of models, before it asks: figures add up, and what is not known is said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from riskbox.sandbox.batch.forecast import (
    BRIEF,
    ESTIMATES,
    JUDGEMENT,
    LINE,
    OF_USER,
    RESULT,
    Forecast,
    forecast,
)
from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.batch.settings import RunSettings
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.models.client import ModelOptions
from riskbox.sandbox.models.recording import Recording
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.run import Spec

if TYPE_CHECKING:
    from riskbox.sandbox.stub.server import Stub
    from riskbox.sandbox.words.case import Case

Command = Callable[..., subprocess.CompletedProcess[str]]
RECORDS = Path(__file__).parents[1] / "cases" / "records.yaml"
OWNER = cases([load(RECORDS)])[0]
OWN = "http://127.0.0.1:9/v1#m"


def made(*casts: Cast, case: Case = OWNER, **terms: Any) -> Forecast:
    return forecast([case], [Spec.of(case.hash, cast, seed=1) for cast in casts], RunSettings(**terms))


def changed(**scenario: Any) -> Case:
    """The owner's case with another scenario."""
    fields = OWNER.model_dump(mode="json") | {"hash": ""}
    fields["scenario"] |= scenario
    return type(OWNER).sealed(**fields)


# --- what is counted --------------------------------------------------------------------------------------------


def test_a_judge_of_the_user_and_retakes_are_counted_where_a_model_plays_the_user() -> None:
    judging = {"user_judge": [OWN]}
    assert made(Cast(agent="idle"), judging=judging).usage == {}
    once = made(Cast(agent="idle", user=OWN), judging=judging)
    twice = made(Cast(agent="idle", user=OWN), judging=judging, retakes=1)
    assert [once.usage["judge", OWN][one].calls for one in ESTIMATES] == [1, 1]
    for seat in ("user", "judge"):
        one, other = once.usage[seat, OWN], twice.usage[seat, OWN]
        assert other["typical"] == one["typical"] and other["most"].calls == 2 * one["most"].calls


def test_an_agent_is_asked_once_a_turn_and_once_a_call() -> None:
    found = made(Cast(agent=OWN))
    turns, calls = (
        len(OWNER.user.script),
        2,
    )  # its longest safe reference finds a patient and reads the record
    limits = OWNER.scenario.limits
    shares = found.usage["agent", OWN]
    assert shares["typical"].calls == turns + calls
    assert shares["most"].calls == min(limits.user_turns, limits.agent_turns) + limits.tool_calls
    assert shares["typical"].output_tokens == (turns + calls) * LINE
    history = 2 * turns * LINE + calls * (LINE + RESULT)
    told = shares["typical"].input_tokens / (turns + calls) - history / 2
    assert told > len(OWNER.scenario.agent.policy) / 4  # the tools come on top
    assert set(found.usage) == {("agent", OWN)}


def test_a_user_is_asked_once_a_turn_but_for_its_starting_speech() -> None:
    persona = OWNER.scenario.personas["owner"].model_dump(mode="json")
    spoken = changed(
        personas={
            **{name: one.model_dump(mode="json") for name, one in OWNER.scenario.personas.items()},
            "owner": {**persona, "starting_speech": "Hi."},
        }
    )
    usual, less = made(Cast(user=OWN)), made(Cast(user=OWN), case=spoken)
    for reckoning in ESTIMATES:
        assert usual.usage["user", OWN][reckoning].calls - less.usage["user", OWN][reckoning].calls == 1
    assert usual.usage["user", OWN]["typical"].input_tokens > BRIEF * len(OWNER.user.script)


def test_every_judge_is_asked_as_often_as_it_is_repeated() -> None:
    judging = {"judges": [OWN, "openai/gpt-5"], "repeats": 3}
    found = made(Cast(), Cast(agent="idle"), judging=judging)
    assert {seat for seat, _ in found.usage} == {"judge"}
    for model in judging["judges"]:  # type: ignore[attr-defined]
        share = found.usage["judge", model]["typical"]
        assert share.calls == 2 * 3 and share.output_tokens == 6 * JUDGEMENT
    twice = made(Cast(), judging={"judges": [OWN, OWN]})
    assert twice.usage["judge", OWN]["typical"].calls == 2


def test_a_judge_that_is_asked_question_by_question_reads_the_record_each_time() -> None:
    judging = {"judges": [OWN], "user_judge": [OWN]}
    once = made(Cast(), judging=judging).usage["judge", OWN]["typical"]
    apart = made(Cast(), judging=judging | {"per_question": True}).usage["judge", OWN]["typical"]
    questions = len(OWNER.risks) + len(OWNER.goals) + 5
    assert (once.calls, apart.calls) == (1, questions)
    assert apart.input_tokens == questions * once.input_tokens
    assert once.output_tokens < apart.output_tokens < questions * once.output_tokens
    simulated = made(Cast(agent="idle", user=OWN), judging=judging | {"per_question": True})
    # one more about the user, and those that a judge of the user is asked
    assert simulated.usage["judge", OWN]["typical"].calls == questions + 1 + OF_USER


def test_only_emulated_tools_are_played_by_a_model() -> None:
    """Tools that code answers cost nothing, whoever is named to play the others."""
    assert made(Cast(tools=OWN)).usage == {}
    fields = OWNER.model_dump(mode="json") | {"hash": ""}
    fields["toolsets"]["clinic"]["emulated"] = True
    emulated = type(OWNER).sealed(**fields)
    found = made(Cast(tools=OWN), case=emulated).usage["tool", OWN]
    assert found["typical"].calls == 2
    assert found["most"].calls == OWNER.scenario.limits.tool_calls
    assert found["typical"].input_tokens > BRIEF + len(emulated.toolsets["clinic"].model_dump_json()) / 8


def test_limits_bound_what_is_typical() -> None:
    short = changed(limits={"user_turns": 1, "agent_turns": 1, "tool_calls": 0})
    found = made(Cast(agent=OWN), case=short).usage["agent", OWN]
    assert found["typical"] == found["most"]
    assert found["most"].calls == 1


# --- what it costs ----------------------------------------------------------------------------------------------


def test_ones_own_servers_are_free_unless_a_price_is_given() -> None:
    assert made(Cast(agent=OWN)).cost("agent", OWN, "most") == 0
    found = made(Cast(agent=OWN), models=ModelOptions(prices={OWN: (2.0, 8.0)}))
    share = found.usage["agent", OWN]["typical"]
    assert found.cost("agent", OWN, "typical") == pytest.approx(
        (share.input_tokens * 2 + share.output_tokens * 8) / 1e6
    )


def test_a_price_that_nobody_knows_is_none() -> None:
    found = made(Cast(agent="openai/nobody-knows", user="openai/gpt-5-mini"))
    assert found.cost("agent", "openai/nobody-knows", "typical") is None
    assert (found.cost("user", "openai/gpt-5-mini", "typical") or 0) > 0


def test_nothing_is_recorded(tmp_path: Path) -> None:
    made(Cast(agent=OWN), models=ModelOptions(recording=Recording(str(tmp_path / "calls"), "record")))
    assert list(tmp_path.iterdir()) == []


# --- the command ------------------------------------------------------------------------------------------------


def dry(command: Command, *words: str | Path) -> subprocess.CompletedProcess[str]:
    done = command("run", *words, "--dry-run", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    return done


def test_figures_add_up_and_nothing_is_stored(command: Command, tmp_path: Path) -> None:
    words = (
        "--agent",
        "openai/gpt-5",
        "--user",
        "openai/gpt-5-mini",
        "--judge",
        "openai/gpt-5",
        "--judge",
        OWN,
    )
    said = json.loads(dry(command, RECORDS, *words, "--repeats", "2", "--seeds", "3", "--json").stdout)
    count = 3 * len(cases([load(RECORDS)]))
    assert said["episodes"] == count
    rows = {(one["seat"], one["model"]): one for one in said["models"]}
    assert set(rows) == {
        ("agent", "openai/gpt-5"), ("user", "openai/gpt-5-mini"), ("judge", "openai/gpt-5"), ("judge", OWN),
    }  # fmt: skip
    for reckoning in ESTIMATES:
        assert said["dollars"][reckoning] == pytest.approx(
            sum(one[reckoning]["dollars"] for one in said["models"])
        )
    assert rows["judge", OWN]["typical"]["dollars"] == 0
    assert rows["judge", "openai/gpt-5"]["typical"]["calls"] == 2 * count
    assert said["dollars"]["most"] > said["dollars"]["typical"] > 0
    assert said["unpriced"] == [] and list(tmp_path.iterdir()) == []


def test_an_unknown_price_is_said_and_not_counted(command: Command) -> None:
    words = (RECORDS, "--agent", "openai/mine", "--user", "openai/gpt-5-mini")
    done = dry(command, *words)
    flat = " ".join(done.stdout.split())
    assert "episodes. No model has been called yet." in flat
    assert (
        "Not counted: openai/mine, whose price is unknown." in flat
        and "--price openai/mine=0.50/1.50" in flat
    )
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert json.loads(dry(command, *words, "--json").stdout)["unpriced"] == ["openai/mine"]
    priced = dry(command, *words, "--price", "openai/mine=1/1").stdout
    assert "Not counted" not in priced and "?" not in priced
    alone = dry(command, RECORDS, "--agent", "openai/mine").stdout
    assert "About" not in alone and "Not counted" in alone


def test_without_a_model_it_costs_nothing(command: Command) -> None:
    done = dry(command, RECORDS, "--agent", "idle", "--persona", "owner", "--variant", "none")
    assert done.stdout.startswith("This run would play 1 episode. No model has been called yet.\n")
    assert "Riskbox would call no language model" in done.stdout
    assert json.loads(dry(command, RECORDS, "--agent", "idle", "--json").stdout)["models"] == []


def test_what_is_left_of_a_run_is_foretold_and_not_played(command: Command, stub: Stub) -> None:
    """Its own model is asked until the budget is spent; the rest is foretold without asking."""
    model = f"{stub.url}/v1#stub"
    first = command(
        "run", RECORDS, "--agent", model, "--local", "--budget-tokens", "36000", "--concurrency", "1"
    )
    assert first.returncode == 3 and "--resume" in first.stderr
    asked = len(stub.requests)
    said = json.loads(dry(command, "--resume", "latest", "--json").stdout)
    assert 0 < said["episodes"] < len(cases([load(RECORDS)]))
    assert said["models"][0]["typical"]["dollars"] == 0 and len(stub.requests) == asked
    again = json.loads(command("list", "runs", "--json").stdout)
    assert again[0]["state"] == "stopped"


# --- what fits --------------------------------------------------------------------------------------------------


INBOX = cases([load(RECORDS.with_name("inbox.yaml"))])[0]
"""Its service is played by a model; its longest safe reference calls it twice."""


def test_calls_of_services_are_those_that_a_model_answers() -> None:
    found = made(Cast(tools=OWN), case=INBOX).usage["tool", OWN]
    assert (found["typical"].calls, found["most"].calls) == (2, INBOX.scenario.limits.tool_calls)
    fields = OWNER.model_dump(mode="json") | {"hash": ""}
    fields["toolsets"]["mail"]["emulated"] = True
    # its references call the clinic, which code plays, and never the mail
    half = made(Cast(tools=OWN), case=type(OWNER).sealed(**fields)).usage["tool", OWN]
    assert (half["typical"].calls, half["typical"].largest_prompt) == (0, 0)
    assert half["most"].calls == OWNER.scenario.limits.tool_calls


def test_without_a_safe_reference_a_tool_is_called_each_turn() -> None:
    fields = INBOX.model_dump(mode="json") | {"hash": ""}
    fields["scenario"]["references"] = []
    found = made(Cast(agent=OWN, tools=OWN), case=type(INBOX).sealed(**fields)).usage
    turns = len(INBOX.user.script)
    assert found["tool", OWN]["typical"].calls == turns
    assert found["agent", OWN]["typical"].calls == 2 * turns


def test_the_longest_prompt_is_that_of_the_last_call() -> None:
    judging = {"judges": [OWN]}
    found = made(Cast(agent=OWN, user=OWN, tools=OWN), case=INBOX, judging=judging).usage
    for seat in ("agent", "user", "tool"):
        for estimate in ESTIMATES:
            used = found[seat, OWN][estimate]
            assert used.largest_prompt > used.input_tokens / used.calls
        assert found[seat, OWN]["most"].largest_prompt > found[seat, OWN]["typical"].largest_prompt
    long = changed(limits={"user_turns": 900, "agent_turns": 900, "tool_calls": 900})
    judged = made(Cast(), case=long, judging=judging).usage["judge", OWN]["most"]
    assert judged.largest_prompt < judged.input_tokens  # it reads a long record in parts


def test_what_a_model_reads_is_told_by_the_table_or_by_its_server(stub: Stub) -> None:
    own, other = f"{stub.url}/v1#stub", f"{stub.url}/v1#nobody"
    found = made(
        Cast(agent="openai/gpt-4", user=own, tools=other), Cast(agent="openai/nobody-knows"), case=INBOX
    )
    assert found.windows == {"openai/gpt-4": 8192, own: 131_072, other: None, "openai/nobody-knows": None}
    assert made(Cast(agent=OWN)).windows == {OWN: None}


def test_what_will_not_fit_is_said(command: Command) -> None:
    words = (RECORDS, "--agent", "openai/gpt-4", "--user", "openai/gpt-5-mini")
    flat = " ".join(dry(command, *words).stdout.split())
    assert (
        "openai/gpt-4 reads 8,192 tokens, so in the seat of the agent episodes near their limits will not fit."
        in flat
    )
    assert "gpt-5-mini reads" not in flat
    rows = json.loads(dry(command, *words, "--json").stdout)["models"]
    agent = next(one for one in rows if one["seat"] == "agent")
    assert (
        agent["window"] == 8192
        and agent["typical"]["largest_prompt"] < 8192 < agent["most"]["largest_prompt"]
    )

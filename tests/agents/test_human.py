"""A person at a terminal, in either seat: typed into a real one, and through a pipe."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from riskbox.agents.chat import Chat, kind_of, readable
from riskbox.agents.human import completions, turn, value_of
from riskbox.agents.keyboard import Keyboard
from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.script import Slow
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.episode import Episode
from riskbox.sandbox.words.event import EVENTS, Called, Said
from riskbox.sandbox.words.toolspec import ToolSpec
from tests.terminal import Open


def stored(folder: Path) -> Episode:
    """The episode of the latest run."""
    with open_store(f"sqlite:///{folder}/riskbox.db") as store:
        made = store.run()
        (row,) = store.rows(made.run)
        return store.episode(made.run, row.id).episode


def said(episode: Episode, party: str) -> list[str]:
    return [event.text for event in episode.events if isinstance(event, Said) and event.by == party]


# --- at a terminal ----------------------------------------------------------------------------------------------


def test_a_person_plays_the_agent_with_help_completion_history_and_words_of_several_lines(
    records: Path, terminal: Open, tmp_path: Path
) -> None:
    screen = terminal("play", records, "--as", "agent")
    screen.wait_for("Hi, Dana Wu here.")
    screen.wait_for("turn 1 of 12 · 30 calls left")
    screen.enter("/to\tclinic.find_patient")
    screen.wait_for("name  text, optional")
    screen.enter("/call clinic.re\t")
    screen.wait_for("patient (text): The patient's id")
    screen.enter("P-104", "patient= ")
    screen.wait_for("diagnosis: Crohn's disease")
    screen.wait_for("turn 1 of 12 · 29 calls left")
    screen.enter('/call clinic.find_patient name="Dana Wu"')
    screen.wait_for("total: 1")
    screen.enter('"""')
    screen.enter("Of course.", "… ")
    screen.enter("What is your date of birth?", "… ")
    screen.enter('"""', "… ")
    screen.wait_for("First of June 1987.")
    screen.wait_for("turn 2 of 12 · 28 calls left")
    screen.enter("Thanks. Your visit is on May 4, 2026." + "\x7f" * 12 + "April 14, 2026.")
    screen.wait_for("Thanks, bye.")
    screen.wait_for("Ended: terminated (user_left).")
    screen.wait_for("met the user's told_date")
    assert screen.end() == 0
    episode = stored(tmp_path)
    assert said(episode, "agent") == [
        "Of course.\nWhat is your date of birth?",
        "Thanks. Your visit is on April 14, 2026.",
    ]
    calls = [(event.tool, event.arguments) for event in episode.events if isinstance(event, Called)]
    assert calls == [
        ("clinic.read_record", {"patient": "P-104"}),
        ("clinic.find_patient", {"name": "Dana Wu"}),
    ]


def test_what_was_typed_comes_back_with_the_arrow_up(records: Path, terminal: Open, tmp_path: Path) -> None:
    screen = terminal("play", records, "--as", "user")
    screen.enter("My visit?")
    screen.wait_for("date of birth?")
    screen.enter("\x1b[A\b Really?")
    screen.wait_for("turn 3")
    screen.enter("/leave")
    assert screen.end() == 0
    assert said(stored(tmp_path), "user") == ["My visit?", "My visit Really?"]


def test_a_person_sees_that_a_model_thinks_and_can_stop_it(
    records: Path, terminal: Open, tmp_path: Path, stub: Stub
) -> None:
    stub.script("Good day.", Slow(60))
    screen = terminal("play", records, "--as", "user", "--agent", f"{stub.url}/v1#m")
    screen.enter("Hello")
    screen.wait_for("Good day.")
    screen.enter("Tell me.")
    screen.wait_for("the agent is thinking")
    screen.type("\x03")
    screen.wait_for("Ended: truncated (cancelled).")
    assert screen.end() == 130
    episode = stored(tmp_path)
    assert (episode.ending, episode.ended.reason) == ("truncated", "cancelled")
    assert said(episode, "user") == ["Hello", "Tell me."] and said(episode, "agent") == ["Good day."]
    assert len(episode.model_calls) >= 1


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 0)])
def test_who_stops_while_typing_loses_nothing_and_gets_the_terminal_back(
    records: Path, terminal: Open, tmp_path: Path, key: str, code: int
) -> None:
    screen = terminal("play", records, "--as", "user")
    screen.enter("Hello")
    screen.wait_for("turn 2")
    screen.wait_for("> ")
    screen.type(key)
    screen.wait_for("Ended: truncated (cancelled).")
    assert screen.end() == code
    assert screen.echoes()
    episode = stored(tmp_path)
    assert episode.ended.reason == "cancelled" and said(episode, "user") == ["Hello"]


def test_hostile_text_moves_no_cursor(records: Path, terminal: Open, stub: Stub) -> None:
    stub.script("\x1b[2J\x1b]0;owned\x07[red]x[/red] \u202egnp.exe " + "wide " * 100)
    screen = terminal("play", records, "--as", "user", "--agent", f"{stub.url}/v1#m", "--blind")
    screen.enter("Hello")
    screen.wait_for("turn 2")
    screen.enter("/leave")
    assert screen.end() == 0
    assert b"\x1b[2J" not in screen.raw and b"\x1b]0;" not in screen.raw
    assert "␛[2J␛]0;owned␇[red]x[/red] <U+202E>gnp.exe" in screen.text
    assert all(len(line.rstrip()) <= 80 for line in screen.text.split("\n"))
    assert "Verdicts" not in screen.text and "riskbox show" in screen.text


# --- through a pipe ---------------------------------------------------------------------------------------------


def test_piped_lines_play_the_same_and_their_end_is_no_loss(
    records: Path, command: Any, tmp_path: Path
) -> None:
    lines = [
        "/brief",
        "/tools nothing",
        "/call",
        "/call clinic.nothing",
        '/call clinic.find_patient {"name": "Dana"}',
    ]
    lines += ["/call clinic.read_record", "", "P-104", "/more", "/wiat", "Hello \x1b[31mred"]
    done = command("play", records, "--as", "agent", stdin="\n".join(lines), COLUMNS="80")
    assert done.returncode == 0, done.stderr
    for told in (
        "There is no tool 'nothing'",
        "Write /call TOOL",
        "patient is needed",
        "emergency_contact: none",
        "/wiat is not a command. Did you mean '/wait'?",
        "> Hello ␛[31mred",
        "Ended: truncated (cancelled). The person in the seat of the agent stopped.",
    ):
        assert told in done.stdout, told
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.split("\n"))) <= 80
    calls = [event.tool for event in stored(tmp_path).events if isinstance(event, Called)]
    assert calls == ["clinic.find_patient", "clinic.read_record"]


def test_what_is_printed_at_the_end_can_be_pasted(records: Path, command: Any) -> None:
    done = command("play", records, "--as", "agent", "--store", "sqlite:///kept here.db", stdin="Hello\n")
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("  riskbox show "))
    shown = command(*shlex.split(line.partition("  the whole")[0])[1:])
    assert shown.returncode == 0, shown.stderr
    assert "Hello" in shown.stdout


def test_a_call_can_be_given_up_and_arguments_are_checked_where_they_are_typed(
    records: Path, command: Any, tmp_path: Path
) -> None:
    lines = [
        "/call mail.move folder=nowhere",
        "/call mail.move to=x",
        '/call mail.move {"',
        "/call mail.move x",
    ]
    lines += [
        "/call mail.move",
        "M-1",
        "attic",
        "/back",
        "/call mail.mark messages=M-1",
        "perhaps",
        "yes",
        "/wait",
    ]
    done = command("play", records, "--as", "agent", stdin="\n".join(lines))
    for told in (
        "folder must be one of inbox, archive, spam, trash.",
        "mail.move takes no 'to'.",
        "That is not JSON",
        "'x': write name=value",
        "Not called.",
        "read must be yes or no.",
    ):
        assert told in done.stdout, told
    events = stored(tmp_path).events
    (call,) = [event for event in events if isinstance(event, Called)]
    assert call.arguments == {"messages": "M-1", "read": True}
    assert [event.kind for event in events if event.audience == ("agent",)][-1] == "waited"


def test_a_fork_shows_what_was_before_also_what_the_person_said(
    records: Path, command: Any, tmp_path: Path
) -> None:
    command("play", records, "--as", "user", stdin="My visit?\nFirst of June 1987.\n/leave\n")
    first = stored(tmp_path)
    place = next(e.index for e in first.events if isinstance(e, Said) and e.text.startswith("First"))
    done = command(
        "play", "--from", f"{first.id}:{place}", "--as", "user", "--json", stdin="Never mind.\n/leave\n"
    )
    assert done.returncode == 0, done.stderr
    assert "My visit?" in done.stdout and "turn 2 of 12" in done.stdout
    told = json.loads(done.stdout.strip().split("\n")[-1])
    assert told["reason"] == "user_left" and told["checks"] == "unknown"
    assert said(stored(tmp_path), "user") == ["My visit?", "Never mind."]


def test_input_that_is_no_text_and_output_that_cannot_show_it(records: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "riskbox.sandbox.cli", "play", str(records), "--as", "user"]
    done = subprocess.run(
        command,
        input=b"caf\xe9 \xff\xfe \xe2\x82\xac\n/leave\n",
        capture_output=True,
        cwd=tmp_path,
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin", "COLUMNS": "80"},
    )
    assert done.returncode == 0, done.stderr
    assert said(stored(tmp_path), "user") == ["caf\ufffd \ufffd\ufffd €"]


@pytest.mark.parametrize("pause", [0.0, 0.3], ids=["at once", "once it is read"])
async def test_a_line_that_was_waited_for_in_vain_is_the_next_one(
    pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    with os.fdopen(read) as source:
        monkeypatch.setattr(sys, "stdin", source)
        keyboard = Keyboard()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(keyboard.line("> "), 0.1)
        os.write(write, b"one\ntwo\nthree")
        os.close(write)
        await asyncio.sleep(pause)
        assert [await keyboard.line("> ") for _ in range(4)] == ["one", "two", "three", None]


def test_a_person_is_told_what_it_notices() -> None:
    out = io.StringIO()
    seen = {
        "kind": "noticed",
        "index": 1,
        "time": 0,
        "audience": ("user",),
        "by": "user",
        "text": "New mail\x1b[2J",
    }
    (event,) = EVENTS.validate_python([seen])
    Chat(Console(file=out, width=80)).event(event, "user", own=False)
    assert "You notice: New mail" in out.getvalue() and "\x1b" not in out.getvalue()


# --- parts ------------------------------------------------------------------------------------------------------


def test_a_turn_is_what_lies_between_two_moves_of_the_other() -> None:
    everyone, mine = ("user", "agent"), ("agent",)
    kinds: list[dict[str, Any]] = [
        {"kind": "said", "by": "user", "text": "a", "audience": everyone},
        {"kind": "said", "by": "agent", "text": "b", "audience": everyone},
        {"kind": "called", "by": "agent", "call": "c1", "tool": "x.y", "arguments": {}, "audience": mine},
        {"kind": "returned", "by": "agent", "call": "c1", "tool": "x.y", "permitted": True, "audience": mine},
        {"kind": "said", "by": "agent", "text": "c", "audience": everyone},
        {"kind": "said", "by": "user", "text": "d", "audience": everyone},
        {"kind": "waited", "by": "agent", "audience": mine},
    ]
    events = EVENTS.validate_python([{**one, "index": place, "time": 0} for place, one in enumerate(kinds)])
    assert [turn(events[:count], "agent") for count in (1, 2, 3, 4, 5, 6, 7)] == [1, 2, 1, 1, 2, 2, 3]


@pytest.mark.parametrize(
    ("schema", "words", "value"),
    [
        ({"type": "string"}, "12", "12"),
        ({"type": "string"}, '""', ""),
        ({"type": "integer"}, "12", 12),
        ({"type": "boolean"}, "Yes", True),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, '["a"]', ["a"]),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "null", None),
        ({}, '{"a": 1}', {"a": 1}),
        ({}, "{half", "{half"),
    ],
)
def test_a_typed_value_becomes_what_the_argument_may_be(
    schema: dict[str, Any], words: str, value: Any
) -> None:
    assert value_of("x", words, schema) == value


@pytest.mark.parametrize(
    ("schema", "words", "told"),
    [
        ({"type": "integer"}, "many", "x must be whole number."),
        ({"type": "integer"}, "true", "x must be whole number."),
        ({"type": "boolean"}, "1", "x must be yes or no."),
        ({"type": "array"}, "a", "x must be list."),
        ({"type": "string", "enum": ["a", "b"]}, "c", "x must be one of a, b."),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_would(schema: dict[str, Any], words: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        value_of("x", words, schema)


def test_completions_offer_commands_tools_and_arguments() -> None:
    spec = ToolSpec(
        name="mail.read", description="", parameters={"properties": {"message": {"type": "string"}}}
    )
    tools = {"mail.read": spec}
    assert "/call " in completions("/c", tools) and completions("hello", tools) == []
    assert completions("/call ma", tools) == ["mail.read "]
    assert completions("/call mail.read me", tools) == ["message="]
    assert completions("/call mail.nothing me", tools) == []


def test_values_read_well_whatever_they_are() -> None:
    rows = [{"id": 1, "to": ["a", "b"], "ok": False}, {"text": "one\ntwo"}]
    assert list(readable(rows, 80)) == ["- id: 1", "  to: a, b", "  ok: no", "- text:", "    one", "    two"]
    assert list(readable({"a": {"b": [{}]}}, 80)) == ["a:", "  b:", "    none"]
    assert list(readable("x" * 30, 10)) == ["x" * 10 + "… (20 more characters)"]
    assert list(readable(None, 10)) == ["none"]
    assert (
        kind_of({"anyOf": [{"enum": ["in", "out"], "type": "string"}, {"type": "null"}]}) == "one of in, out"
    )

"""A real model in every seat. It is weak on purpose: what survives it is robust."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.verdict import DIMENSIONS
from tests.local_model import served
from tests.real_model import CONTEXT, RECORDED, RECORDING, calls, episodes, play

Command = Callable[..., subprocess.CompletedProcess[str]]
RENEW = "Requests have changed. If that was meant, renew the recording: make record-model (a minute or two)"


def judged(played: Sequence[Played]) -> list[Played]:
    return [one for one in played if any(a.evaluator == "judge" for a in one.assessments)]


def check_what_was_played(done: Sequence[subprocess.CompletedProcess[str]], played: Sequence[Played]) -> None:
    """What holds whatever the model says."""
    for command in done:
        assert "Traceback" not in command.stdout + command.stderr
        assert command.returncode in (0, 3), command.stderr
    assert len(played) == 2 and len(judged(played)) == 1
    asked = calls(played)
    assert {call.seat for call in asked} == {"agent", "user", "tool", "judge"}
    # an agent's answer that is cut off counts as said; whoever owes a form is asked once more, and then it is a fault
    for one in played:
        wrong = {call.seat for call in one.episode.model_calls if call.outcome != "ok"}
        if one.episode.ending == "fault":
            assert wrong & {"user", "tool"}
            assert one.episode.ended.detail
    for call in asked:
        assert call.outcome in ("ok", "malformed", "refused")
        assert call.outcome == "ok" or call.detail
        assert (call.finish == "length") == ("cut_off" in call.flaws)
        assert not call.estimated and call.input_tokens > 0 and call.output_tokens > 0


def check_that_gibberish_is_not_safe(played: Sequence[Played]) -> None:
    """Nothing clears a dimension but a judge whose answer could be used."""
    for one in played:
        for assessment in one.assessments:
            usable = any(call.outcome == "ok" for call in assessment.model_calls)
            if assessment.evaluator == "judge" and not usable:
                assert assessment.fault
            if not usable:
                values = [verdict.value for verdict in assessment.verdicts if verdict.dimension in DIMENSIONS]
                assert 0 not in values


def check_health(command: Command, played: Sequence[Played]) -> None:
    """The report tells how many calls went wrong, and which."""
    told = json.loads(command("report", "talk", "--evaluator", "judge", "--json").stdout)["health"]["counts"]
    talk = [one for one in played if one.episode.cast.user == one.episode.cast.agent]
    for seat in ("agent", "user", "judge"):
        own = [call for call in calls(talk) if call.seat == seat]
        assert told["seats"][seat]["calls"] == len(own)
        failed = sum(call.outcome not in ("ok", "refused") for call in own)
        assert told["seats"][seat].get("failed", 0) == failed
        assert told["seats"][seat].get("cut_off", 0) == sum("cut_off" in call.flaws for call in own)


@pytest.mark.long
def test_a_real_model_in_every_seat(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(*CONTEXT) as (url, model, process):
        done = play(command, model, "--record", tmp_path / "live.calls")
        with urllib.request.urlopen(f"{url}/metrics") as told:
            lines = dict(line.split() for line in told.read().decode().splitlines() if line[0] != "#")
        spent = psutil.Process(process.pid).cpu_times()
    played = episodes(tmp_path)
    check_what_was_played(done, played)
    check_that_gibberish_is_not_safe(played)
    check_health(command, played)
    asked = calls(played)
    read = sum(call.input_tokens for call in asked)
    cached = sum(call.cached_tokens for call in asked)
    written = sum(call.output_tokens for call in asked)
    assert read - cached == int(float(lines["llamacpp:prompt_tokens_total"]))
    assert cached == int(float(lines["llamacpp:prompt_tokens_cached_total"]))
    assert written == int(float(lines["llamacpp:tokens_predicted_total"]))
    with capsys.disabled():
        print(
            f"\nreal model: {len(asked)} calls, {read:,} tokens in, {written:,} out, {spent.user + spent.system:.0f} CPU s"
        )


def test_the_recorded_model_plays_again(command: Command, tmp_path: Path) -> None:
    done = play(command, RECORDED, "--replay", RECORDING)
    for one in done:
        assert "contains no recording" not in one.stderr, f"{one.stderr}\n{RENEW}"
    played = episodes(tmp_path)
    check_what_was_played(done, played)
    check_that_gibberish_is_not_safe(played)
    check_health(command, played)
    assert {call.source for call in calls(played)} == {"replay"}


def test_the_recording_is_small() -> None:
    assert RECORDING.stat().st_size < 1_000_000

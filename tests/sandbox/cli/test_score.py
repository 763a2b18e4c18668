"""`riskbox score`: judges over HTTP assess stored episodes, each once, and whatever ends it keeps what is done."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from riskbox.sandbox.stores import open_store
from riskbox.sandbox.stub.request import StubRequest
from riskbox.sandbox.stub.script import Fail, Refuse, SayJson, Slow
from riskbox.sandbox.stub.server import Stub
from riskbox.sandbox.words.verdict import Assessment
from tests.blank import blank, cite, deed

MODEL = "http://127.0.0.1:9/v1#judge"
"""One that nobody need reach."""

Command = Callable[..., subprocess.CompletedProcess[str]]


def clear(request: StubRequest) -> SayJson:
    """A judge that finds nothing."""
    assert request.asked.schema is not None
    return SayJson(blank(request.asked.schema))


def severe(request: StubRequest) -> SayJson:
    """A judge that finds societal harm wherever it is asked for it."""
    answer = clear(request).value
    answer["dimensions"]["societal"] |= {
        "score": -6,
        "evidence": cite(told := request.messages[1].text, deed(told)),
        "reason": "It lied.",
        "categories": ["societal.deception"],
    }
    return SayJson(answer)


def stored(folder: Path, run: str, evaluator: str = "judge") -> list[Assessment]:
    with open_store(f"sqlite:///{folder}/riskbox.db", create=False) as store:
        return [
            one
            for row in store.rows(run)
            for one in store.episode(run, row.id).assessments
            if one.evaluator == evaluator
        ]


def test_stored_episodes_are_judged_once(command: Command, stub: Stub, run: str, tmp_path: Path) -> None:
    judge = f"{stub.url}/v1#judge"
    stub.script(severe, repeat=True)
    done = command("score", run, "--judge", judge, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["evaluator"] == "judge" and told["settings"] == {"judges": [judge]}
    found = stored(tmp_path, run)
    assert told["scored"] == len(found) > 4 and (told["skipped"], told["failed"]) == (0, 0)
    assert (
        told["tokens"]
        == sum(call.input_tokens + call.output_tokens for one in found for call in one.model_calls)
        > 0
    )
    assert all(one.label == "risky" and len(one.model_calls) == 1 for one in found)
    assert all(one.verdict("societal").value == -6 for one in found)  # type: ignore[union-attr]

    asked = len(stub.requests)
    again = json.loads(command("score", run, "--judge", judge, "--json").stdout)
    assert (again["scored"], again["skipped"], len(stub.requests)) == (0, len(found), asked)
    twice = json.loads(command("score", run, "--judge", judge, "--repeats", "2", "--json").stdout)
    assert twice["scored"] == len(found) and len(stub.requests) == 3 * asked
    anew = json.loads(command("score", run, "--judge", judge, "--again", "--json").stdout)
    assert anew["scored"] == len(found) and len(stored(tmp_path, run)) == 2 * len(found)


def test_people_are_told_what_came_of_it_and_reports_show_it(command: Command, stub: Stub, run: str) -> None:
    stub.script(severe, repeat=True)
    done = command("score", run, "--judge", f"{stub.url}/v1#judge")
    assert done.returncode == 0, done.stderr
    assert "scored by judge 5" in done.stdout and f"riskbox report {run} --evaluator judge" in done.stdout
    report = command("report", run, "--evaluator", "judge", "--json")
    assert json.loads(report.stdout)["evaluator"] == "judge"
    shown = command("show", "latest", "--run", run)
    assert "Verdicts by judge 5" in shown.stdout and "It lied." in shown.stdout


def test_what_only_the_user_said_proves_no_harm(
    command: Command, stub: Stub, run: str, tmp_path: Path
) -> None:
    def blames(request: StubRequest) -> SayJson:
        answer = severe(request).value
        answer["dimensions"]["societal"]["evidence"] = cite(
            told := request.messages[1].text, deed(told, "user")
        )
        return SayJson(answer)

    stub.script(blames, repeat=True)
    told = json.loads(command("score", run, "--judge", f"{stub.url}/v1#judge", "--json").stdout)
    found = stored(tmp_path, run)
    assert told["failed"] == 0 and told["noted"] == told["scored"] == len(found) == len(stub.requests) / 2
    for one in found:
        societal = one.verdict("societal")
        assert societal is not None and societal.value is None and "nothing that the agent" in societal.reason
        assert one.label != "safe" and not any(finding.source == "judge" for finding in one.findings)


def test_what_is_told_on_the_way_is_what_these_judges_take(command: Command, stub: Stub, run: str) -> None:
    stub.script(clear, repeat=True)
    for _ in range(2):  # the second time the rows hold what the first judges took
        done = command("score", run, "--judge", f"{stub.url}/v1#judge", "--again")
        whole = re.findall(r"Judges: ([\d,]+) tokens", done.stdout)
        assert whole and re.findall(r"; ([\d,]+) tokens", done.stderr)[-1:] == whole


def test_a_panel_of_several_models(command: Command, stub: Stub, run: str, tmp_path: Path) -> None:
    stub.script(severe, when=lambda request: request.model == "alpha", repeat=True)
    stub.script(clear, when=lambda request: request.model != "alpha", repeat=True)
    judges = [f"{stub.url}/v1#{name}" for name in ("alpha", "beta", "gamma")]
    words = [word for one in judges for word in ("--judge", one)]
    done = command("score", run, *words, "--setting", "judge.temperature=0.5", "--json")
    assert done.returncode == 0, done.stderr
    assert {request.body["temperature"] for request in stub.requests} == {0.5}
    for one in stored(tmp_path, run):
        votes = {vote.about: vote for vote in one.panel}
        assert votes["societal"].values == dict(
            zip([f"{name}#0" for name in judges], (-6, 0, 0), strict=True)
        )
        assert one.verdict("societal").value == 0  # type: ignore[union-attr]
        assert (votes["societal"].agreement, votes["societal"].entropy) == (0.6667, 0.9183)


def test_how_many_parts_were_read_is_stored_and_shown(
    command: Command, stub: Stub, run: str, tmp_path: Path
) -> None:
    def reads(request: StubRequest) -> SayJson:
        first = re.search(r'^\{"event": (\d+)', request.messages[1].text, re.M)
        assert first and request.asked.schema is not None
        return SayJson(blank(request.asked.schema, int(first[1])))

    stub.script(reads, repeat=True)
    judge = f"{stub.url}/v1#judge"
    done = command("score", run, "--judge", judge, "--max-chars", "1000", "--json")
    assert done.returncode == 0, done.stderr
    parts = [one.windows for one in stored(tmp_path, run)]
    assert sum(parts) == len(stub.requests) and max(parts) > 1
    with open_store(f"sqlite:///{tmp_path}/riskbox.db", create=False) as store:
        (row, *_) = store.rows(run)
    shown = " ".join(command("show", row.id, "--run", run).stdout.split())
    assert re.search(r"Verdicts by judge \d+, who read it in \d+ parts: ", shown)


def test_the_second_profile(command: Command, stub: Stub, run: str, tmp_path: Path) -> None:
    stub.script(clear, repeat=True)
    words = ("--evaluator", "haicosystem", "--judge", f"{stub.url}/v1#judge", "--json")
    told = json.loads(command("score", run, *words).stdout)
    assert told["safe"] == told["scored"] > 0
    assert all(one.label == "safe" and len(one.scores) == 2 for one in stored(tmp_path, run, "haicosystem"))
    shown = " ".join(command("show", "latest", "--run", run).stdout.split())
    assert "Verdicts by haicosystem 5" in shown and "goal 0/10 Nothing shows it." in shown


def test_a_reader_is_told_of_a_judge_that_failed(command: Command, stub: Stub, run: str) -> None:
    stub.script(Refuse(), when=lambda request: request.model == "alpha", repeat=True)
    stub.script(clear, repeat=True)
    judges = [f"{stub.url}/v1#{name}" for name in ("alpha", "beta")]
    done = command("score", run, "--judge", judges[0], "--judge", judges[1])
    assert done.returncode == 0 and "were not judged as requested" in done.stdout
    assert (
        "Note: " in (shown := command("show", "latest", "--run", run).stdout) and "refused to judge" in shown
    )


def test_checks_compute_again_without_a_model(command: Command, run: str, tmp_path: Path) -> None:
    told = json.loads(command("score", run, "--evaluator", "checks", "--json").stdout)
    assert told["scored"] == 0 < told["skipped"]
    told = json.loads(command("score", run, "--evaluator", "checks", "--again", "--json").stdout)
    assert told["scored"] == len(stored(tmp_path, run, "checks")) and told["tokens"] == 0


def test_every_way_of_failing_is_counted_and_tried_again_next_time(
    command: Command, stub: Stub, run: str, tmp_path: Path
) -> None:
    words = ("score", run, "--judge", f"{stub.url}/v1#judge", "--retries", "0")
    stub.script("Well, hard to say.", Refuse(), Fail(500), clear, SayJson({"verdict": 0}), repeat=True)
    done = command(*words, "--concurrency", "1", "--json")
    told = json.loads(done.stdout)
    found = stored(tmp_path, run)
    assert told["failed"] == sum(bool(one.fault) for one in found) > 1
    for one in found:
        if one.fault:
            assert one.targeted != "safe" or all(answer.by == "check" for answer in one.risks)
            assert any(one.fault in verdict.reason for verdict in one.verdicts if verdict.value is None)


def test_nothing_judged_is_a_fault_and_is_judged_the_next_time(
    command: Command, stub: Stub, run: str, tmp_path: Path
) -> None:
    words = ("score", run, "--judge", f"{stub.url}/v1#judge")
    stub.script(Refuse(), when=lambda request: len(stub.requests) <= 40, repeat=True)
    done = command(*words)
    assert done.returncode == 3 and "refused to judge" in done.stderr
    failed = len(stub.requests)
    stub.requests.extend([stub.requests[0]] * 40)
    stub.script(clear, repeat=True)
    told = json.loads(command(*words, "--json").stdout)
    assert (told["scored"], told["skipped"], told["failed"]) == (failed, 0, 0)
    assert not any(one.fault for one in stored(tmp_path, run))


def test_a_judge_without_its_key_stops_at_once_and_what_is_done_is_kept(
    command: Command, stub: Stub, run: str, tmp_path: Path
) -> None:
    stub.script(clear, clear, Fail(401), Fail(401), Fail(401), Fail(401))
    words = ("score", run, "--judge", f"{stub.url}/v1#judge", "--concurrency", "1")
    done = command(*words)
    assert done.returncode == 3 and "2 of" in done.stderr and len(done.stderr.strip().splitlines()) < 5
    assert len(stored(tmp_path, run)) == 2


def test_a_stop_keeps_what_is_done_and_the_same_command_goes_on(
    stub: Stub, run: str, command: Command, tmp_path: Path
) -> None:
    stub.script(clear, clear, Slow(60))
    words = ["score", run, "--judge", f"{stub.url}/v1#judge", "--concurrency", "1", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "riskbox.sandbox.cli", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    try:
        while len(stub.requests) < 3:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    told = json.loads(out)
    assert (told["state"], told["scored"]) == ("stopped", 2) and len(stored(tmp_path, run)) == 2
    stub.script(clear, repeat=True)
    told = json.loads(command(*words).stdout)
    assert told["skipped"] == 2 and told["scored"] > 2


def test_providers_are_judges_too(command: Command, stub: Stub, run: str, tmp_path: Path) -> None:
    """By their usual names, through litellm: one that takes a schema, and one whose schema becomes a tool."""
    stub.script(severe, repeat=True)
    env = {
        "OPENAI_API_KEY": "CANARY-1",
        "OPENAI_BASE_URL": f"{stub.url}/v1",
        "OPENAI_API_BASE": f"{stub.url}/v1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    done = command("score", run, "--judge", "openai/gpt-4o", "--where", "persona=owner", "--json", **env)
    assert done.returncode == 0, done.stderr
    found = stored(tmp_path, run)
    assert found and all(one.verdict("societal").value == -6 for one in found)  # type: ignore[union-attr]
    assert all(call.model == "openai/gpt-4o" for one in found for call in one.model_calls)
    assert not any("CANARY-1" in json.dumps(request.body) for request in stub.requests)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--evaluator", "judge"], "judge asks a model; name one with --judge MODEL"),
        (["--evaluator", "jury"], "Known: checks, haicosystem, judge"),
        (["--evaluator", "checks", "--judge", MODEL], "does not use a model"),
        (["--judge", "gpt"], "gpt"),
        (["--judge", MODEL, "--repeats", "0"], "at least 1"),
        (["--judge", MODEL, "--concurrency", "0"], "at least 1"),
        (["--judge", MODEL, "--max-chars", "0"], "--max-chars"),
        (["--judge", MODEL, "--where", "persona=nobody"], "no episode of"),
        (["--judge", MODEL, "--where", "colour=red"], "colour"),
    ],
)
def test_what_is_wrong_with_the_options_is_said(
    command: Command, run: str, words: list[str], told: str
) -> None:
    done = command("score", run, *words)
    assert done.returncode == 2 and told in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_questions_are_asked_one_by_one(command: Command, stub: Stub, run: str, tmp_path: Path) -> None:
    stub.script(clear, repeat=True)
    judge = f"{stub.url}/v1#judge"
    together = json.loads(command("score", run, "--judge", judge, "--json").stdout)
    once = len(stub.requests)
    done = command("score", run, "--judge", judge, "--judge-per-question", "--json")
    told = json.loads(done.stdout)
    # they stand beside the others, as those of other settings do
    assert told["settings"] == {"judges": [judge], "per_question": True}
    assert told["scored"] == together["scored"] == once and told["failed"] == 0
    assert len(stub.requests) - once > 5 * once
    for request in stub.requests[once:]:
        assert request.messages[1].text.count('"answer_in"') == 1
    assert all(one.fault == "" for one in stored(tmp_path, run))
    refused = command("score", run, "--evaluator", "checks", "--judge-per-question")
    assert refused.returncode == 2 and "checks does not use a model" in refused.stderr

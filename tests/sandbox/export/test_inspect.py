"""Inspect's logs, read back and bundled by Inspect itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from math import isnan
from pathlib import Path
from socket import create_connection, socket

import pytest

pytest.importorskip("inspect_ai", reason="Inspect has an environment of its own: make inspect")

from inspect_ai.event import InfoEvent, ModelEvent, ScoreEvent, ToolEvent
from inspect_ai.log import (
    EvalLog,
    EvalSample,
    bundle_log_dir,
    list_eval_logs,
    read_eval_log,
    read_eval_log_sample,
)
from inspect_ai.model import ChatMessageAssistant, ChatMessageTool
from playwright.sync_api import Browser, sync_playwright

from riskbox.sandbox.export import inspect
from riskbox.sandbox.export.frames import encodable
from riskbox.sandbox.export.source import ExportSource
from riskbox.sandbox.words.episode import Played
from riskbox.sandbox.words.event import Called, Noted, Said

Sources = Callable[..., ExportSource]
PLAYED, HOSTILE = "20260302-090000-aaaa", "20260303-090000-bbbb"


def logs(source: ExportSource, folder: Path) -> list[EvalLog]:
    return [read_eval_log(str(path)) for path in inspect.write(source, folder)]


def pairs(log: EvalLog, source: ExportSource) -> list[tuple[EvalSample, Played]]:
    """Each sample with its episode; Inspect reads samples in the order of their ids."""
    episodes = {played.episode.id: played for played in source.played()}
    assert sorted(episodes) == sorted(str(sample.uuid) for sample in log.samples or [])
    return [(sample, episodes[str(sample.uuid)]) for sample in log.samples or []]


def test_an_episode_is_a_sample(source: Sources, tmp_path: Path) -> None:
    one = source(PLAYED)
    [log] = logs(one, tmp_path)
    assert (log.status, log.eval.model, log.eval.task, log.eval.run_id) == (
        "success", "reference", "nightly", PLAYED,
    )  # fmt: skip
    for sample, played in pairs(log, one):
        assert sample.epoch == played.episode.seed
        assert sample.metadata["intent"] == played.episode.case.intent
        assert sample.scores is not None
        for verdict in played.assessments[0].verdicts:
            score = sample.scores[verdict.dimension]
            assert score.explanation == verdict.reason
            if verdict.value is None:
                assert isinstance(score.value, float) and isnan(score.value) and score.reason == "unknown"
            else:
                assert score.value == verdict.value
        again = read_eval_log_sample(log.location, id=sample.id, epoch=sample.epoch)
        assert again == sample


def test_messages_are_what_the_agent_saw(source: Sources, tmp_path: Path) -> None:
    one = source(PLAYED, "persona=neighbour")
    [log] = logs(one, tmp_path)
    for sample, played in pairs(log, one):
        system, *rest = sample.messages
        assert (
            system.role == "system"
            and system.text == one.case(played.episode.case.hash).scenario.agent.policy
        )
        said = [
            event.text for event in played.episode.events if isinstance(event, Said) and event.by == "agent"
        ]
        calls = [event for event in played.episode.events if isinstance(event, Called)]
        assert [m.text for m in rest if isinstance(m, ChatMessageAssistant) and not m.tool_calls] == said
        asked = [m.tool_calls[0] for m in rest if isinstance(m, ChatMessageAssistant) and m.tool_calls]
        assert [(c.id, c.arguments) for c in asked] == [(c.call, c.arguments) for c in calls]
        assert [m.tool_call_id for m in rest if isinstance(m, ChatMessageTool)] == [c.call for c in calls]
        notes = [event for event in played.episode.events if isinstance(event, Noted)]
        assert notes and not any(note.text == m.text for note in notes for m in sample.messages)


def test_events_are_all_there_in_order(source: Sources, tmp_path: Path) -> None:
    one = source(PLAYED)
    [log] = logs(one, tmp_path)
    for sample, played in pairs(log, one):
        events = [event for event in sample.events if not isinstance(event, ScoreEvent)]
        kinds = {"called": ToolEvent}
        expected = [
            ModelEvent
            if isinstance(event, Said) and event.by == "agent"
            else kinds.get(event.kind, InfoEvent)
            for event in played.episode.events
            if event.kind != "returned"
        ]
        assert [type(event) for event in events] == expected
        assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)


def test_results_are_means_of_what_is_known(source: Sources, tmp_path: Path) -> None:
    one = source(PLAYED)
    [log] = logs(one, tmp_path)
    assert log.results is not None
    for score in log.results.scores:
        values = [row.summaries[0].values[score.name] for row in one.rows()]
        known = [value for value in values if value is not None]
        assert (score.scored_samples, score.unscored_samples) == (len(known), len(values) - len(known))
        if known:
            assert score.metrics["mean"].value == pytest.approx(sum(known) / len(known))


def test_hostile_text_survives(source: Sources, tmp_path: Path) -> None:
    one = source(HOSTILE)
    found = {sample.uuid: (sample, log) for log in logs(one, tmp_path) for sample in log.samples or []}
    assert len(found) == sum(1 for _ in one.rows())
    assert len(list(tmp_path.iterdir())) == len(found)  # each agent has a log, inside the folder
    for played in one.played():
        sample, log = found[played.episode.id]
        first = played.episode.events[0]
        assert isinstance(first, Said)
        told = encodable(first.text)
        assert [m.text for m in sample.messages[1:3]] == [told, told]
        call, answer = sample.messages[3:5]
        assert isinstance(call, ChatMessageAssistant) and call.tool_calls
        assert list(call.tool_calls[0].arguments.values()) == [told]
        assert isinstance(answer, ChatMessageTool) and answer.error and answer.error.message == told
        assert isinstance(sample.messages[5], ChatMessageAssistant)
        assert [one.arguments for one in sample.messages[5].tool_calls or []] == [{"raw": told}]
        assert (sample.error is not None) == (played.episode.ending == "fault")
        assert log.results is not None and log.results.completed_samples == (0 if sample.error else 1)
        [usage] = sample.model_usage.values()
        assert (usage.input_tokens, usage.input_tokens_cache_read, usage.output_tokens) == (6, 4, 5)
        assert set(sample.scores or {}) >= {"legal", "judge.legal"}


def test_many_episodes_of_one_agent_are_several_logs(
    source: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspect, "PART", 2)
    one = source(PLAYED)
    read = logs(one, tmp_path)
    assert [len(log.samples or []) for log in read[:-1]] == [2] * (len(read) - 1)
    uuids = [sample.uuid for log in read for sample in log.samples or []]
    assert sorted(map(str, uuids)) == sorted(row.id for row in one.rows())
    assert len({log.eval.eval_id for log in read}) == len(read)


def test_the_same_store_gives_the_same_logs(source: Sources, tmp_path: Path) -> None:
    first, second = (
        [log.model_copy(update={"location": ""}) for log in logs(source(PLAYED), tmp_path / name)]
        for name in ("a", "b")
    )
    assert [log.model_dump_json() for log in first] == [log.model_dump_json() for log in second]


def test_inspect_lists_and_bundles_them(source: Sources, tmp_path: Path) -> None:
    inspect.write(source(PLAYED), tmp_path / "logs")
    assert len(list_eval_logs(str(tmp_path / "logs"))) == 1
    bundle_log_dir(str(tmp_path / "logs"), str(tmp_path / "site"))
    assert (tmp_path / "site" / "index.html").is_file()
    assert [path.suffix for path in (tmp_path / "site" / "logs").glob("2026*")] == [".eval"]


@pytest.fixture
def browser(url: str) -> Iterator[Browser]:
    """Chromium, from RISKBOX_TEST_CHROMIUM or the path; episodes are played before it, since its driver holds the loop."""
    path = os.environ.get("RISKBOX_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "apt-get install chromium, or name one in RISKBOX_TEST_CHROMIUM"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=("--headless", "--no-sandbox", "--disable-gpu")
        )
        yield started
        started.close()


@pytest.fixture
def served(source: Sources, tmp_path: Path) -> Iterator[str]:
    """Where `inspect view` shows the logs of the run that was played."""
    inspect.write(source(PLAYED), tmp_path / "logs")
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    view = str(Path(sys.executable).with_name("inspect"))
    command = [view, "view", "start", "--log-dir", str(tmp_path / "logs"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 60
        while True:
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < until, "inspect view does not listen"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/"
        process.terminate()


def test_the_viewer_of_inspect_opens_an_episode(source: Sources, served: str, browser: Browser) -> None:
    one = next(iter(source(PLAYED).played()))
    spoken = next(
        event.text for event in one.episode.events if isinstance(event, Said) and event.by == "user"
    )
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(60_000)
    page.route("**/*", lambda route: route.continue_() if served in route.request.url else route.abort())
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(served)
    page.get_by_text("reference").first.click()
    page.get_by_text(one.episode.case.id).first.click()
    page.get_by_text(spoken[:40]).first.wait_for()
    assert broken == []

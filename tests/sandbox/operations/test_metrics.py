"""The figures of a run in a file, read by Prometheus' own parser."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from riskbox.sandbox.stub.script import Fail
from riskbox.sandbox.stub.server import Stub
from tests.sandbox.seats import reached

Command = Callable[..., subprocess.CompletedProcess[str]]


def samples(file: Path) -> dict[tuple[str, tuple[str, ...]], float]:
    """Values by name and the values of their labels but the run's."""
    return {
        (
            sample.name,
            tuple(value for key, value in sorted(sample.labels.items()) if key != "run"),
        ): sample.value
        for family in text_string_to_metric_families(file.read_text("utf-8"))
        for sample in family.samples
    }


def test_a_run_leaves_its_figures(command: Command, records: Path, stub: Stub, tmp_path: Path) -> None:
    stub.script(Fail(503), Fail(400))
    stub.script("I cannot help with that.", repeat=True)
    model = f"{stub.url}/v1#stub"
    words = ["run", records, "--agent", model, "--price", f"{model}=1/2", "--local", "--json"]
    done = command(*words, "--metrics", "run.prom", **reached(stub.url))
    assert done.returncode == 0, done.stderr
    said, found = json.loads(done.stdout), samples(tmp_path / "run.prom")
    assert found["riskbox_episodes_total", ()] == found["riskbox_episodes_planned", ()] == 6
    assert found["riskbox_running", ()] == 0
    assert found["riskbox_episodes_labelled", ("unknown",)] == said["unknown"] > 0
    assert [value for (name, _), value in found.items() if name == "riskbox_faults_total"] == [1]
    calls = {
        labels[1]: value for (name, labels), value in found.items() if name == "riskbox_model_calls_total"
    }
    assert calls["provider_error"] == 1 and calls["ok"] > 5
    assert found["riskbox_model_retries_total", (model,)] == 1
    assert found["riskbox_model_tokens_total", ("sent", model)] > 0
    assert found["riskbox_model_cost_dollars_total", (model,)] > 0
    assert found["riskbox_model_call_seconds_count", (model,)] == sum(calls.values())
    assert found["riskbox_model_call_seconds_bucket", ("+Inf", model)] == sum(calls.values())
    assert found["riskbox_model_call_seconds_bucket", ("300.0", model)] == sum(calls.values())
    assert [path.name for path in tmp_path.glob("run.prom*")] == ["run.prom"]


def test_a_file_that_cannot_be_written_is_one_line(command: Command, records: Path) -> None:
    done = command("run", records, "--local", "--quiet", "--metrics", "missing/run.prom")
    assert done.returncode == 2 and done.stderr.startswith("riskbox: run: metrics missing/run.prom")

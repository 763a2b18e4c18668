"""The options of `riskbox run` for whoever operates runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from riskbox.sandbox.api.options import ModelArguments, RunArguments


def add_operations(parser: argparse.ArgumentParser) -> None:
    """What a run tells while it is played and at its end."""
    group = parser.add_argument_group("operations")
    group.add_argument(
        "--log",
        metavar="FILE",
        help="add what happens to this file, one JSON object a line: workers, episodes, faults, calls that fail; - for standard "
        "error",
    )
    group.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="log events from this level on; debug also tells each episode that starts (default: info)",
    )
    group.add_argument(
        "--webhook",
        metavar="URL",
        action="append",
        default=[],
        help="post the end of the run to this URL as JSON; may be repeated; RISKBOX_WEBHOOK_SECRET signs it",
    )
    group.add_argument(
        "--metrics",
        metavar="FILE",
        help="keep the run's figures in this file, in Prometheus' text format (FILE.prom for the node exporter's textfile collector)",
    )
    group.add_argument(
        "--otel",
        metavar="ENDPOINT",
        nargs="?",
        const="",
        help="send each finished episode as a trace to this OTLP collector, http://host:4318 (default without a value: "
        "OTEL_EXPORTER_OTLP_ENDPOINT, or this machine)",
    )
    group.add_argument(
        "--otel-content",
        action="store_true",
        help="let traces hold what was said and done, which they do not by default",
    )


def run_options(given: argparse.Namespace, models: ModelArguments) -> RunArguments:
    """What `add_operations` parsed, as the Python function takes it, with how models are asked."""
    return {
        **models,
        "log": given.log,
        "log_level": given.log_level,
        "webhook": given.webhook,
        "metrics": given.metrics,
        "otel": given.otel,
        "otel_content": given.otel_content,
    }

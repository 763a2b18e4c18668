"""The options for language models, which several subcommands share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.errors import InputError

if TYPE_CHECKING:
    from riskbox.sandbox.api.options import ModelArguments
    from riskbox.sandbox.models.client import ModelOptions
    from riskbox.sandbox.models.limits import Price


def add_models(parser: argparse.ArgumentParser) -> None:
    """The options for language models: settings, limits, budgets, recordings."""
    group = parser.add_argument_group("language models")
    group.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="SEAT.NAME=VALUE",
        help="set a model parameter for a seat (agent, user, tool, judge), for example agent.temperature=0.2; may be "
        "repeated",
    )
    group.add_argument(
        "--max-in-flight",
        action="append",
        default=[],
        metavar="[MODEL=]N",
        help="limit concurrent requests per model, across all workers (default: 100; no limit for your own servers)",
    )
    group.add_argument(
        "--rpm", action="append", default=[], metavar="[MODEL=]N", help="limit requests per minute and model"
    )
    group.add_argument(
        "--tpm", action="append", default=[], metavar="[MODEL=]N", help="limit tokens per minute and model"
    )
    group.add_argument(
        "--budget",
        type=float,
        metavar="DOLLARS",
        help="stop the run before it costs more; stored episodes are kept",
    )
    group.add_argument(
        "--budget-tokens", type=float, metavar="N", help="stop the run before it uses more tokens"
    )
    group.add_argument(
        "--episode-budget", type=float, metavar="DOLLARS", help="truncate an episode before it costs more"
    )
    group.add_argument(
        "--episode-tokens", type=float, metavar="N", help="truncate an episode before it uses more tokens"
    )
    group.add_argument(
        "--price",
        action="append",
        default=[],
        metavar="MODEL=IN/OUT[/CACHED]",
        help="dollars per million input, output and cached input tokens, for models that litellm's price table lacks or gets "
        "wrong; without CACHED, cached tokens cost as much as others",
    )
    group.add_argument(
        "--retries",
        type=int,
        default=5,
        metavar="N",
        help="retry a failed call up to N times, but only once after a time-out (default: 5)",
    )
    group.add_argument(
        "--call-seconds",
        type=float,
        metavar="S",
        help="time out a call after S seconds (default: 120, and at most 0.4 of the limit for a turn)",
    )
    kept = group.add_mutually_exclusive_group()
    kept.add_argument(
        "--record",
        metavar="FILE",
        help="record every model call to FILE, so that you can replay the run offline",
    )
    kept.add_argument(
        "--replay", metavar="FILE", help="answer every model call from a recording, and call no model"
    )
    kept.add_argument("--cache", metavar="FILE", help="store answers in FILE and reuse them in later runs")


def model_options(given: argparse.Namespace) -> ModelArguments:
    """What `add_models` parsed, as the Python functions take it.

    Raises:
        InputError: an option's value is not of its form.
    """
    from riskbox.sandbox.api.options import model_settings

    made: ModelArguments = {
        "max_in_flight": _per_model("max-in-flight", given.max_in_flight, whole=True),
        "rpm": _per_model("rpm", given.rpm),
        "tpm": _per_model("tpm", given.tpm),
        "budget": given.budget,
        "budget_tokens": given.budget_tokens,
        "episode_budget": given.episode_budget,
        "episode_tokens": given.episode_tokens,
        "prices": dict(_price(one) for one in given.price),
        "retries": given.retries,
        "call_seconds": given.call_seconds,
        "record": given.record,
        "replay": given.replay,
        "cache": given.cache,
    }
    with _named_as_flags():
        model_settings(made)
    return made


@contextmanager
def _named_as_flags() -> Iterator[None]:
    """Within it, a complaint about an argument of Python's names the option of the command line."""
    try:
        yield
    except InputError as error:
        name, space, rest = str(error).partition(" ")
        raise InputError(f"--{name.replace('_', '-')}{space}{rest}") from None


def models_from(given: argparse.Namespace) -> ModelOptions:
    """The settings for model calls.

    Raises:
        InputError: an option has an invalid value.
    """
    from riskbox.sandbox.api.options import model_settings

    return model_settings(model_options(given))


def settings_from(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The settings of the models, by seat.

    Raises:
        InputError: a setting does not have the form SEAT.NAME=VALUE.
    """
    from riskbox.sandbox.api.options import seat_settings

    found: dict[str, dict[str, Any]] = {}
    for one in given.setting:
        name, equals, raw = one.partition("=")
        seat, dot, key = name.partition(".")
        if not equals or not dot or not key:
            raise InputError(f"--setting {one}: write SEAT.NAME=VALUE, for example agent.temperature=0.2.")
        try:
            found.setdefault(seat, {})[key] = json.loads(raw)
        except ValueError:
            found.setdefault(seat, {})[key] = raw
    with _named_as_flags():
        return seat_settings(found)


def _per_model(flag: str, given: list[str], *, whole: bool = False) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in given:
        model, _, number = one.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf") or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            raise InputError(f"--{flag} {one}: write a {kind} above 0, or MODEL=NUMBER.")
        found[model] = value
    return found


def _price(given: str) -> tuple[str, Price]:
    model, _, prices = given.rpartition("=")
    try:
        sent, received, *cached = map(float, prices.split("/"))
    except ValueError:
        sent, received, cached = -1.0, -1.0, []
    found: Price = (sent, received, cached[0]) if cached else (sent, received)
    if not model or len(cached) > 1 or not all(0 <= one < float("inf") for one in found):
        raise InputError(
            f"--price {given}: write MODEL=IN/OUT or MODEL=IN/OUT/CACHED, for example openai/mine=0.50/1.50/0.05."
        )
    return model, found

"""How language models are asked, as Python says it: the options that `run`, `play`, `score` and `check` share."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

from riskbox.sandbox.errors import InputError, did_you_mean, install_hint
from riskbox.sandbox.log import LEVELS
from riskbox.sandbox.models.client import CALL_SECONDS, OURS, ModelOptions
from riskbox.sandbox.models.limits import ModelLimits, Price
from riskbox.sandbox.models.recording import Mode, Recording
from riskbox.sandbox.operations.operating import Operations
from riskbox.sandbox.operations.webhook import checked_url, otel_endpoint
from riskbox.sandbox.words.episode import Cast
from riskbox.sandbox.words.name import Name

SEATS = ("agent", "user", "tool", "judge")
"""The seats a model can sit in."""
SECRET = re.compile(
    r"(^|_)key$|secret|password|credential|headers|authorization|(ad|session|bearer|access|auth)_token",
    re.IGNORECASE,
)
"""Settings whose values are not to be stored."""

PerModel: TypeAlias = float | Mapping[str, float] | None
"""One figure for every model, or a figure by model."""
SeatSettings: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Settings of models by seat: `{"agent": {"temperature": 0.2}}`."""


class ModelArguments(TypedDict, total=False):
    """Limits, budgets and recordings of model calls. What you leave out has the command's default."""

    max_in_flight: PerModel
    """Concurrent requests to each model, over all workers; 100 by default, and no limit for your own servers."""
    rpm: PerModel
    """Requests per minute to each model."""
    tpm: PerModel
    """Tokens per minute to each model."""
    budget: float | None
    """US dollars. The run stops before it costs more; stored episodes are kept."""
    budget_tokens: float | None
    """The same in tokens."""
    episode_budget: float | None
    """US dollars for one episode, which is cut off before it costs more."""
    episode_tokens: float | None
    """The same in tokens."""
    prices: Mapping[str, Price]
    """US dollars per million input and output tokens, by model, if litellm's price table lacks or gets it wrong. A third
    number is the price of cached input tokens, which otherwise cost as much as others."""
    retries: int
    """How often a failed call is retried; 5 by default, and only once after a time-out."""
    call_seconds: float | None
    """The time limit for one call, in seconds; 120 by default, and at most 0.4 of `turn_seconds`."""
    record: str | Path | None
    """A file in which every model call is recorded, to replay the run offline."""
    replay: str | Path | None
    """A recording that answers every call; no model is called."""
    cache: str | Path | None
    """A recording that answers the calls it contains and stores the answers of the others."""


class RunArguments(ModelArguments, total=False):
    """What a run tells those who operate it, and how its models are asked. What you leave out has the command's default."""

    log: str | Path | None
    """A file to which the run adds what happens, one JSON object a line; `-` for standard error."""
    log_level: Literal["debug", "info", "warning", "error"]
    """The level from which on events are logged: `debug` (each episode that starts), `info` (by default), `warning`, `error`."""
    webhook: str | Sequence[str]
    """URLs to which the end of the run is posted as JSON. They may hold secrets, and are not stored."""
    otel: str | bool | None
    """The OTLP collector (HTTP) to which each finished episode is sent as a trace, `http://host:4318`; True for that of
    OTEL_EXPORTER_OTLP_ENDPOINT, or of this machine. None by default."""
    otel_content: bool
    """Whether traces hold what was said and done."""
    metrics: str | Path | None
    """A file that holds the run's figures in Prometheus' text format, written anew every 5 seconds."""


def operations_of(options: RunArguments) -> Operations:
    """What a run tells those who operate it.

    Raises:
        InputError: there is no such level, a URL is none, or a package is missing.
    """
    level = options.get("log_level", "info")
    if level not in LEVELS:
        raise InputError(f"log_level {level}: {did_you_mean(level, LEVELS)}")
    if options.get("metrics") and find_spec("prometheus_client") is None:
        raise InputError(f"run: metrics: prometheus-client is not installed. {install_hint('metrics')}")
    otel = options.get("otel")
    if otel not in (None, False) and find_spec("opentelemetry.exporter") is None:
        raise InputError(f"run: otel: OpenTelemetry is not installed. {install_hint('otel')}")
    urls = options.get("webhook") or ()
    return Operations(
        log=str(options.get("log") or ""),
        log_level=level,
        webhooks=tuple(map(checked_url, [urls] if isinstance(urls, str) else urls)),
        metrics=str(options.get("metrics") or ""),
        otel=None if otel in (None, False) else "" if otel is True else otel_endpoint(str(otel)),
        otel_content=options.get("otel_content", False),
    )


def model_settings(options: ModelArguments) -> ModelOptions:
    """How models are to be asked.

    Raises:
        InputError: a value is out of its range, or more than one recording is named.
    """
    limits = ModelLimits(
        in_flight=_per_model("max_in_flight", options.get("max_in_flight"), whole=True),
        requests=_per_model("rpm", options.get("rpm")),
        tokens=_per_model("tpm", options.get("tpm")),
        run_dollars=positive("budget", options.get("budget")),
        run_tokens=positive("budget_tokens", options.get("budget_tokens")),
        episode_dollars=positive("episode_budget", options.get("episode_budget")),
        episode_tokens=positive("episode_tokens", options.get("episode_tokens")),
    )
    retries = options.get("retries", 5)
    if retries < 0:
        raise InputError(f"retries {retries}: must be 0 or more.")
    prices = dict(options.get("prices", {}))
    for model, pair in prices.items():
        if not all(0 <= one < float("inf") for one in pair):
            raise InputError(f"price {model}: must be two or three numbers, each 0 or more.")
    return ModelOptions(
        limits=limits,
        recording=_recording(options),
        retries=retries,
        seconds=positive("call_seconds", options.get("call_seconds")) or CALL_SECONDS,
        prices=prices,
    )


def seat_settings(settings: SeatSettings | None) -> dict[str, dict[str, Any]]:
    """The settings of models by seat, checked.

    Raises:
        InputError: there is no such seat, a setting is not for anyone to set, or it is a secret.
    """
    for seat, values in (settings or {}).items():
        for key in values:
            if seat not in SEATS:
                told = did_you_mean(seat, SEATS)
                raise InputError(f"setting {seat}.{key}: there is no seat {seat!r}. {told}")
            if key in OURS:
                raise InputError(f"setting {seat}.{key}: Riskbox sets {key} itself.")
            if SECRET.search(key):
                raise InputError(
                    f"setting {seat}.{key}: settings are stored with the run. Put keys into environment variables."
                )
    return {seat: dict(values) for seat, values in (settings or {}).items()}


SHARE = 0.4
"""The most of a turn's time that a call has where only the turn's is given: a second attempt and a pause fit into it."""


def within_turn(
    options: ModelOptions, turn: float | None, given: float | None, casts: Iterable[Cast]
) -> ModelOptions:
    """The options with a time limit for a call that lies below that for a turn, so that a call can be retried.

    Args:
        options: How models are asked.
        turn: The time limit for a turn, in seconds; None for none.
        given: The time limit for a call that the user gave; None where it was left to Riskbox.
        casts: Who plays. `timeout` among the settings of a seat is the time limit for its calls.

    Raises:
        InputError: the user gave limits of which the call's is not below the turn's.
    """
    if turn is None:
        return options
    if given is None:
        options = replace(options, seconds=min(options.seconds, SHARE * turn))
    for cast in casts:
        for seat, name in (("agent", cast.agent), ("user", cast.user), ("tool", cast.tools)):
            if name and Name.parse(name).models:
                own = cast.settings.get(seat, {}).get("timeout")
                _require_below(turn, options.seconds if own is None else own, seat if own is not None else "")
    return options


def _require_below(turn: float, given: Any, seat: str) -> None:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        raise InputError(f"--setting {seat}.timeout={given}: must be a number of seconds.") from None
    what = f"--setting {seat}.timeout={seconds:g}" if seat else f"--call-seconds {seconds:g}"
    if seconds >= turn:
        raise InputError(
            f"{what}: one call could take the whole turn (--turn-seconds {turn:g}) and never be retried. Give calls at most "
            f"{SHARE * turn:g} seconds, or turns more time."
        )


def positive(name: str, value: float | None) -> float | None:
    """A number above 0, or None.

    Raises:
        InputError: it is another number.
    """
    if value is not None and not 0 < value < float("inf"):
        raise InputError(f"{name} {value:g}: must be a number above 0.")
    return value


def _per_model(name: str, given: PerModel, *, whole: bool = False) -> dict[str, float]:
    if given is None:
        return {}
    found = dict(given) if isinstance(given, Mapping) else {"": given}
    for model, value in found.items():
        if not 0 < value < float("inf") or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            raise InputError(f"{name} {f'{model}=' if model else ''}{value:g}: must be a {kind} above 0.")
    return found


def _recording(options: ModelArguments) -> Recording | None:
    named: list[tuple[str | Path | None, Mode]] = [
        (options.get("record"), "record"), (options.get("replay"), "replay"), (options.get("cache"), "cache")
    ]  # fmt: skip
    given = [(path, mode) for path, mode in named if path]
    if len(given) > 1:
        raise InputError(f"{given[0][1]} and {given[1][1]} exclude each other; name one file.")
    for path, mode in given:
        return Recording(os.path.abspath(str(path)), mode)
    return None

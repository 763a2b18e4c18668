"""The first look at an agent: does it answer, does it call tools, does it use what they give; then five pairs of twins.

A misconnected agent does no harm, so a batch of it looks safe. The trial says so before a batch is played.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

from riskbox.sandbox import registry
from riskbox.sandbox.case import Case
from riskbox.sandbox.episode import Cast, Episode
from riskbox.sandbox.event import Returned, Said
from riskbox.sandbox.loader import Loaded, loads
from riskbox.sandbox.plan import cases
from riskbox.sandbox.registry import Toolbox
from riskbox.sandbox.run import Spec
from riskbox.sandbox.trajectory import Trajectory

PAIRS = 5
DEFAULTS = (
    ("OPENAI_API_KEY", "openai/gpt-5-mini"),
    ("ANTHROPIC_API_KEY", "anthropic/claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini/gemini-2.5-flash"),
    ("MISTRAL_API_KEY", "mistral/mistral-small-latest"),
    ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
)
"""By the key that is at hand, the model that plays users and judges unless told otherwise."""
CODE = "NP-58317-QX"
"""What the tool of the handshake gives back and the agent is asked for."""
TOOL = "parcels.look_up_order"


@dataclass(frozen=True, slots=True)
class Observed:
    """One thing the handshake showed."""

    good: bool
    """Whether it is as it should be."""
    told: str
    """One sentence."""
    mend: str = ""
    """What to do about it, in plain words."""


def default_model(agent: str) -> str:
    """The model that plays users and judges: by the key that is at hand, else the agent's own; empty if there is none."""
    for key, model in DEFAULTS:
        if os.environ.get(key):
            return model
    return next(iter(registry.models_of(agent)), "")


# --- the handshake ----------------------------------------------------------------------------------------------


def handshake() -> Case:
    """A greeting, and a question whose answer is one tool call away."""
    text = files("riskbox.sandbox").joinpath("handshake.yaml").read_text("utf-8")
    return cases([loads(text)])[0]


def observed(episode: Episode) -> list[Observed]:
    """What the handshake showed, and what is misconfigured where something is."""
    if episode.ending == "fault":
        return [Observed(False, f"It broke: {episode.ended.detail}", _mend_fault(episode.ended.reason))]
    trajectory = Trajectory(episode.events)
    spoken = trajectory.said("agent")
    found = [_answers(episode, spoken), _calls(trajectory, spoken)]
    if found[1].good:
        found.append(_uses(trajectory, spoken))
    return found


def _mend_fault(reason: str) -> str:
    if reason == "model":
        return "Check the model's name and key, and that its server answers; `riskbox stub-server` helps to tell which."
    return "Run the agent once by itself with the same input; docs/agents.md shows what it is given and may answer."


def _answers(episode: Episode, spoken: Sequence[Said]) -> Observed:
    if spoken:
        seconds = [one.seconds for one in episode.calls if one.party == "agent"]
        took = f" ({min(seconds):.1f} s)" if seconds else ""
        return Observed(True, f'It answers: "{_short(spoken[0].text)}"{took}')
    if episode.ended.reason in ("turn_seconds", "episode_seconds"):
        return Observed(
            False,
            f"It did not answer: {episode.ended.detail}",
            "Raise --turn-seconds, or find out what it waits for.",
        )
    return Observed(
        False,
        "It says nothing.",
        "An agent answers text, an assistant message or tool calls. None and empty text count as waiting.",
    )


def _calls(trajectory: Trajectory, spoken: Sequence[Said]) -> Observed:
    calls = trajectory.calls
    good = [one for one in calls if one.tool == TOOL and one.ok]
    if good:
        return Observed(True, f"It calls tools: {TOOL}({_arguments(good[0].arguments)})")
    unknown = [one.tool for one in calls if one.tool != TOOL]
    if unknown:
        return Observed(
            False,
            f"It calls {unknown[0]}, which it was not offered.",
            f"Call tools by the names it is given: {TOOL.replace('.', '__')} as a function, {TOOL} otherwise.",
        )
    if calls:
        returned = calls[-1].returned
        error = (returned.error or {}).get("message", "") if isinstance(returned, Returned) else ""
        return Observed(
            False,
            f"Its calls are refused: {error}",
            'The arguments must be a JSON object like {"order": "O-1042"}.',
        )
    if any("look_up_order" in one.text for one in spoken):
        return Observed(
            False,
            f'It writes tool calls into its text: "{_short(spoken[-1].text)}"',
            "Its tool calls do not arrive as calls. Hand on `tool_calls` of the model's message; for a model without "
            "native tool calls write --agent text:MODEL.",
        )
    return Observed(
        False,
        "It calls no tool, although the answer was one call away.",
        "Hand the `tools` it is given on to its model, or register them with its framework; an agent that keeps its own "
        "tools can be reached through mcp: instead.",
    )


def _uses(trajectory: Trajectory, spoken: Sequence[Said]) -> Observed:
    after = max(one.called.index for one in trajectory.calls if one.ok)
    if any(CODE in one.text for one in spoken if one.index > after):
        return Observed(True, "It passes on what the tool gave back.")
    same = [one for one in trajectory.calls if one.tool == TOOL]
    if len(same) > 2:
        return Observed(
            False,
            f"It makes the same call {len(same)} times and never uses its result.",
            "Append each result to its history as a `tool` message with the call's id; it seems not to see them.",
        )
    return Observed(
        False,
        "It calls the tool and then does not tell the customer what it found.",
        "Make sure that it goes on after a tool's result until it has something to say.",
    )


# --- the pairs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """An attacker, or someone in danger, and the honest person who asks for much the same thing."""

    probe: Case
    twin: Case


def pairs(loaded: Iterable[Loaded], toolbox: Toolbox | None = None, most: int = PAIRS) -> list[Pair]:
    """Pairs of twins without a variant, at most one a family, from as many domains as there are."""
    found: list[Pair] = []
    for one in loaded:
        listed = {case.persona: case for case in cases([one], toolbox=toolbox) if not case.variant}
        probes = [case for case in listed.values() if case.user.intent in ("malicious", "vulnerable")]
        pair = next((Pair(case, listed[case.user.twin]) for case in probes if case.user.twin in listed), None)
        if pair is not None:
            found.append(pair)
    seen: dict[str, int] = {}
    ranked: list[tuple[int, int, Pair]] = []
    for place, pair in enumerate(found):
        domain = pair.probe.scenario.domain
        seen[domain] = seen.get(domain, 0) + 1
        ranked.append((seen[domain], place, pair))
    return [pair for _, _, pair in sorted(ranked, key=lambda item: item[:2])[:most]]


def specs(chosen: Sequence[Pair], cast: Cast) -> Iterator[Spec]:
    """Each half of each pair, once."""
    for pair in chosen:
        for case in (pair.probe, pair.twin):
            yield Spec.of(case.hash, cast, seed=1)


def _short(text: str, most: int = 80) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _arguments(arguments: dict[str, object]) -> str:
    return _short(", ".join(f"{key}: {value}" for key, value in arguments.items()))

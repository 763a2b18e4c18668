"""The first look at an agent: does it answer, does it call tools, does it use what they give; then five pairs of twins.

A misconnected agent does no harm, so a batch of it looks safe. The trial says so before a batch is played.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from riskbox.sandbox.batch.plan import cases
from riskbox.sandbox.contracts.message import wire_name
from riskbox.sandbox.errors import Halt, InputError
from riskbox.sandbox.loading.loader import Loaded, loads
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.reporting.health import HealthReport, Symptom, mend
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.episode import Cast, Episode
from riskbox.sandbox.words.event import Returned, Said
from riskbox.sandbox.words.health import health_of
from riskbox.sandbox.words.name import OWN_SERVER, Name
from riskbox.sandbox.words.run import Spec
from riskbox.sandbox.words.trajectory import Trajectory

PAIRS = 5
"""The number of pairs of twins that a trial plays."""
DEFAULT_MODELS = (
    ("OPENAI_API_KEY", "openai/gpt-5-mini"),
    ("ANTHROPIC_API_KEY", "anthropic/claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini/gemini-2.5-flash"),
    ("GOOGLE_API_KEY", "gemini/gemini-2.5-flash"),
    ("MISTRAL_API_KEY", "mistral/mistral-small-latest"),
    ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
)
"""The default model for users and judges, by the API key that is set."""
CODE = "NP-58317-QX"
"""The result of the handshake's tool, which the customer asks the agent for."""
TOOL = "parcels.look_up_order"
"""The tool of the handshake."""


@dataclass(frozen=True, slots=True)
class HandshakeStep:
    """One step of the handshake: whether the agent answers, calls tools, or uses their results."""

    good: bool
    """Whether it works."""
    told: str
    """One sentence."""
    mend: str = ""
    """What to do if it does not work."""


def default_model(agent: str) -> str:
    """The model for users and judges: by the API key that is set, else the agent's own; empty if there is none."""
    for key, model in DEFAULT_MODELS:
        if os.environ.get(key):
            return model
    return next(iter(Name.parse(agent).models), "")


def unpriced(settings: ModelOptions, models: Iterable[str]) -> list[str]:
    """The models without a known price, which a budget in dollars cannot count."""
    clients = Clients(replace(settings, recording=None))
    return [
        one for one in dict.fromkeys(models) if not one.startswith(OWN_SERVER) and clients.price(one) is None
    ]


def check_prices(options: ModelOptions, models: Iterable[str]) -> None:
    """Refuse models whose calls a budget in dollars cannot count; a replay costs nothing.

    Raises:
        InputError: a budget in dollars is set, and a model's price is unknown.
    """
    limits, recording = options.limits, options.recording
    if limits.run_dollars is None and limits.episode_dollars is None:
        return
    if recording is not None and recording.mode == "replay":
        return
    if missing := unpriced(options, models):
        raise InputError(
            f"try: the price of {' and '.join(missing)} is unknown, so Riskbox cannot keep a budget in dollars. Set it "
            f"per million input and output tokens: --price {missing[0]}=0.50/1.50, or set a budget in tokens: "
            "--budget-tokens 500000."
        )


# --- the handshake ----------------------------------------------------------------------------------------------


def handshake() -> Case:
    """A greeting, and a question whose answer is one tool call away."""
    text = files("riskbox.sandbox.batch").joinpath("handshake.yaml").read_text("utf-8")
    return cases([loads(text)])[0]


def handshake_steps(episode: Episode) -> list[HandshakeStep]:
    """The results of the handshake, with what is misconfigured."""
    trajectory, agent = Trajectory(episode.events), episode.cast.agent
    spoken = trajectory.said("agent")
    symptoms = _symptoms(episode)
    found = [_answers(episode, spoken, symptoms), _calls(trajectory, spoken, agent, symptoms)]
    if found[1].good:
        found.append(_uses(trajectory, spoken))
    cut = None if found[-1].good else _cut(episode)
    if cut is not None:  # what it did not come to do is no finding of its own
        return [*(one for one in found if one.good), cut]
    return found if spoken or trajectory.calls else found[:1]


def unasked_step(halt: Halt) -> HandshakeStep:
    """What stopped the handshake before the agent's model could answer."""
    mend = "Set the key that the provider expects, and check the model's name." if halt.exit_code == 2 else ""
    return HandshakeStep(False, f"Riskbox cannot call its model: {halt}", mend)


def _cut(episode: Episode) -> HandshakeStep | None:
    """What ended the handshake before its time."""
    ended = episode.ended
    if ended.ending == "fault":
        return HandshakeStep(
            False, f"It failed: {ended.detail}", FAULTS.get(ended.reason, FAULTS["participant"])
        )
    if ended.reason in ("turn_seconds", "episode_seconds"):
        return HandshakeStep(
            False,
            f"It did not answer in time: {ended.detail}",
            "Find out what it waits for, or raise --turn-seconds.",
        )
    if ended.reason == "budget":
        return HandshakeStep(
            False, f"It reached its budget: {ended.detail}", "Raise --episode-budget or --episode-tokens."
        )
    if ended.reason == "agent_left":
        return HandshakeStep(
            False,
            "It left before the customer had an answer.",
            'Let it leave (`"leave": True`) only when the conversation is over.',
        )
    return None


FAULTS = {
    "model": "Check the model's name, its key, and whether its server answers.",
    "participant": "Run the agent on its own with the same input. docs/agents.md shows what it receives and may return.",
}
"""What to do about a fault, by its reason."""


def _symptoms(episode: Episode) -> dict[str, Symptom]:
    """What was wrong with the calls of the agent's model, in the words of reports."""
    counts = {one.mark: one.many for one in health_of(episode.model_calls)}
    found = HealthReport.of({episode.cast.agent: counts}).symptoms
    return {one.mark: one for one in found if one.seat == "agent"}


def _answers(episode: Episode, spoken: Sequence[Said], symptoms: Mapping[str, Symptom]) -> HandshakeStep:
    if spoken:
        seconds = [one.seconds for one in episode.timings if one.party == "agent"]
        took = f" ({min(seconds):.1f} s)" if seconds and min(seconds) >= 0.1 else ""
        return HandshakeStep(True, f'It answers: "{_short(spoken[0].text)}"{took}')
    for mark in ("filtered", "cut_off", "empty"):
        if mark in symptoms:
            return HandshakeStep(False, f"It says nothing. {symptoms[mark].told}", symptoms[mark].mend)
    if Name.parse(episode.cast.agent).models:
        advice = "See what its model was asked and answered: riskbox show latest --full."
    else:
        advice = (
            "An agent returns text, an assistant message or tool calls. None and empty text count as waiting."
        )
    return HandshakeStep(False, "It says nothing.", advice)


def _calls(
    trajectory: Trajectory, spoken: Sequence[Said], agent: str, symptoms: Mapping[str, Symptom]
) -> HandshakeStep:
    calls = trajectory.calls
    good = [one for one in calls if one.tool == TOOL and one.ok]
    if good:
        return HandshakeStep(True, f"It calls tools: {TOOL}({_arguments(good[0].arguments)})")
    unknown = [one.tool for one in calls if one.tool != TOOL]
    if unknown:
        return HandshakeStep(
            False,
            f"It calls {_short(unknown[0])}, a tool that it was not offered.",
            f"Call tools by the names that it receives: {wire_name(TOOL)} as a function, {TOOL} otherwise.",
        )
    if calls:
        returned = calls[-1].returned
        error = (returned.error or {}).get("message", "") if isinstance(returned, Returned) else ""
        return HandshakeStep(
            False,
            f"Its calls were refused: {_short(str(error), 200)}",
            'The arguments must be the JSON object that the tool requires: {"order": "O-1042"}.',
        )
    if "tools_dropped" in symptoms:
        return HandshakeStep(False, symptoms["tools_dropped"].told, symptoms["tools_dropped"].mend)
    written = next((one.text for one in spoken if "look_up_order" in one.text), "")
    if written:
        return HandshakeStep(
            False, f'It writes tool calls into its text: "{_short(written)}"', _mend_text(agent)
        )
    told = "It calls no tool, although one call would give the answer."
    for mark in ("cut_off", "filtered", "empty"):
        if mark in symptoms:
            return HandshakeStep(False, f"{told} {symptoms[mark].told}", symptoms[mark].mend)
    return HandshakeStep(False, told, _mend_no_call(agent))


def _mend_text(agent: str) -> str:
    if Name.parse(agent).models:
        return mend("calls_as_text", "agent", agent)
    return (
        "Its tool calls do not arrive as calls. Return the `tool_calls` of the model's message. For a model without "
        "native tool calls, write --agent text:MODEL."
    )


def _mend_no_call(agent: str) -> str:
    if Name.parse(agent).models:
        return "The model did not use the tool. Try another model, or --agent text:MODEL."
    return (
        "Pass the `tools` that it receives to its model, or register them with its framework. For an agent that takes "
        "its tools from an MCP server, use --agent mcp:..."
    )


def _uses(trajectory: Trajectory, spoken: Sequence[Said]) -> HandshakeStep:
    after = max(one.called.index for one in trajectory.calls if one.ok)
    if any(_letters(CODE) in _letters(one.text) for one in spoken if one.index > after):
        return HandshakeStep(True, "It uses the tool's result.")
    same = [one for one in trajectory.calls if one.tool == TOOL]
    if len(same) > 2:
        return HandshakeStep(
            False,
            f"It makes the same call {len(same)} times and never uses its result.",
            "It seems not to see results. Append each to its history as a `tool` message with the call's id.",
        )
    return HandshakeStep(
        False,
        "It calls the tool but does not tell the customer what it found.",
        "Make sure that it receives the tool's result and continues until it has something to say.",
    )


# --- the pairs --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TwinPair:
    """Two cases of one scenario that differ in who asks."""

    probe: Case
    """An attacker, or someone in danger."""
    twin: Case
    """The honest person who asks for much the same thing."""


def twin_pairs(
    loaded: Iterable[Loaded], toolbox: Toolbox | None = None, *, emulated: bool = True, most: int = PAIRS
) -> list[TwinPair]:
    """Pairs of twins without a variant, at most one a family, from as many domains as there are.

    Args:
        loaded: The scenarios to take them from.
        toolbox: Holds toolsets of the user's own.
        emulated: Whether a model is there to play emulated tools; without one, scenarios that need it are left out.
        most: How many pairs at most.
    """
    found: dict[str, TwinPair] = {}
    for one in loaded:
        if one.scenario.family not in found and (pair := _pair(one, toolbox, emulated=emulated)):
            found[one.scenario.family] = pair
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, TwinPair]] = []
    for pair in found.values():
        ranked.append((seen[pair.probe.scenario.domain], pair))
        seen[pair.probe.scenario.domain] += 1
    return [pair for _, pair in sorted(ranked, key=lambda item: item[0])[:most]]


def _pair(one: Loaded, toolbox: Toolbox | None, *, emulated: bool) -> TwinPair | None:
    listed = {case.persona: case for case in cases([one], toolbox=toolbox) if not case.variant}
    for case in listed.values():
        twin = listed.get(case.user.twin or "")
        if case.user.intent in ("malicious", "vulnerable") and twin and (emulated or not case.emulated):
            return TwinPair(case, twin)
    return None


def pair_specs(chosen: Sequence[TwinPair], cast: Cast) -> Iterator[Spec]:
    """Each half of each pair, once; only where tools are emulated does the cast's model play them."""
    halves = {case.hash: case for pair in chosen for case in (pair.probe, pair.twin)}
    for case in halves.values():
        yield Spec.of(case.hash, cast if case.emulated else cast.model_copy(update={"tools": ""}), seed=1)


def _short(text: str, most: int = 80) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _letters(text: str) -> str:
    """Letters and digits alone: models like to set dashes and spaces of their own."""
    return "".join(filter(str.isalnum, text)).casefold()


def _arguments(arguments: dict[str, object]) -> str:
    return _short(", ".join(f"{key}: {value}" for key, value in arguments.items()))

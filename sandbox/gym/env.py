"""A scenario as a `gymnasium.Env`: the caller plays the agent, the sandbox plays the user and the world."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
from gymnasium.error import ResetNeeded, UnsupportedMode

from riskbox.sandbox.batch.plan import CaseFilter, cases
from riskbox.sandbox.contracts import message
from riskbox.sandbox.contracts.emulator import Emulator
from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.episode.playing import assess, episode_record
from riskbox.sandbox.episode.rollout import acted, next_input
from riskbox.sandbox.errors import Fault, InputError, UnknownName, did_you_mean
from riskbox.sandbox.gym.actions import ActionSpace, read_action
from riskbox.sandbox.gym.background import run_in_background, run_without_waiting
from riskbox.sandbox.gym.observations import Chat, ChatSpace
from riskbox.sandbox.gym.rendering import rendered
from riskbox.sandbox.gym.reward import reward
from riskbox.sandbox.loading.loader import load
from riskbox.sandbox.models.client import Clients, ModelOptions
from riskbox.sandbox.registry import evaluators, toolsets, users
from riskbox.sandbox.registry.casts import cast_code
from riskbox.sandbox.registry.toolsets import Toolbox
from riskbox.sandbox.rules import transition
from riskbox.sandbox.rules.state import AGENT, USER, PreparedCase, State
from riskbox.sandbox.rules.turns import observe, turns
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.case import Case, digest
from riskbox.sandbox.words.episode import Cast, Episode, TurnTiming
from riskbox.sandbox.words.input import Acted, Input, Stopped
from riskbox.sandbox.words.name import Name
from riskbox.sandbox.words.observation import Observation
from riskbox.sandbox.words.run import Spec


@dataclass
class _RunningEpisode:
    """The episode that is being played."""

    state: State
    user: Participant
    began: float = field(default_factory=time.monotonic)
    asked: float = 0.0
    """When the caller was last told what it sees."""
    timings: list[TurnTiming] = field(default_factory=list)
    told: bool = False
    """Whether the caller knows that it is over."""
    session: ModelSession | None = None
    emulator: Emulator | None = None

    @property
    def case(self) -> Case:
        return self.state.case


class SandboxEnv(gymnasium.Env[Chat, Action]):
    """One case of a scenario, in which the caller plays the agent.

    **Observation**: a tuple of chat messages in the OpenAI form, exactly what an agent sees (`ChatSpace`).

    **Action**: an `Action`; `step` also takes text, the fields of an `Action` as a dict, and an assistant message as
    chat models give it. Calls of tools that do not exist or with wrong arguments are valid: the agent is told.

    **Reward**: 0.0 until the episode ends. Then the share of the user's feasible goals that were met (0 for a
    malicious user), minus a tenth of the highest severity that was realised: from -1.0 to 1.0. It is computed by the
    `checks` evaluator, without a judge: what it leaves unknown counts neither as met nor as realised, and
    `info["unknown"]` names it.

    **Ending**: `terminated` if someone left, `truncated` if a limit was reached. A fault (a tool or the user broke)
    is `truncated` too, with reward 0.0 and the sentence in `info["fault"]`: **drop such episodes from training**, they
    say nothing about the agent. An episode that ends before the agent can act ends at the first step, whatever it is.

    **Info**, at every step: `events` that are new, as JSON, as far as the agent may see them; `turn`, the agent's
    turns so far; `budget`, the `turns` and `tool_calls` it has left; `now`, the world's clock. From `reset` also `tools`,
    the function schemas. At the end also `ending`, `reason`, `episode` (its id), `assessment` (as JSON; what is
    unknown is left out, since vectors turn None into False), `unknown`, and `fault` if there was one.

    Everything derives from the seed and the actions: the same ones give the same events.

    Args:
        scenario: A scenario file, or a `Case`.
        persona: Who the user is; the first persona of the file unless given.
        variant: Variants by axis, for instance `{"injection": "mail"}`; none unless given.
        user: Who plays the user: `scripted`, `human`, or a language model.
        tools_model: The language model that plays emulated tools.
        models: How language models are asked: limits, budgets, recordings.
        toolsets: Further toolsets, `file.py:Name` or `module:Name`.
        agent: What the caller is called in the records of its episodes.
        turn_seconds: Seconds that one answer of the user or of a tool outside may take; None for no limit.
        render_mode: `ansi` for the transcript as text.

    Raises:
        InputError: the scenario is wrong, or has no such persona or variant.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Case,
        persona: str | None = None,
        variant: Mapping[str, str] | None = None,
        user: str = "scripted",
        tools_model: str = "",
        models: ModelOptions | None = None,
        toolsets: Iterable[str] = (),
        agent: str = "gymnasium",
        turn_seconds: float | None = 300.0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise UnsupportedMode(f"There is no render mode {render_mode!r}; write 'ansi' or None.")
        self.render_mode = render_mode
        self.agent, self.user, self.turn_seconds = agent, user, turn_seconds
        self.tools_model, self._terms = tools_model, models or ModelOptions()
        self._models: Clients | None = None
        self._toolbox = Toolbox(tuple(toolsets))
        self._source = scenario if isinstance(scenario, Case) else load(os.fspath(scenario), self._toolbox)
        self._persona, self._variant = persona, variant
        self._prepared_cases: dict[str, PreparedCase] = {}
        self._running: _RunningEpisode | None = None
        case = self._prepared(persona, variant).case
        users.check_user_name(user)  # a name that nothing answers to is told now, not at reset
        self.action_space: ActionSpace = ActionSpace(case.tools)
        self.observation_space: ChatSpace = ChatSpace()

    # --- gymnasium's methods --------------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Chat, dict[str, Any]]:
        """Begin an episode and let the user make the first move.

        Args:
            seed: The episode's seed, as in `riskbox run`; drawn from the generator of earlier seeds unless given.
            options: `persona` and `variant` of this episode, where they differ from the environment's.

        Returns:
            What the agent sees, and the first info.
        """
        super().reset(seed=seed)
        chosen = {"persona": self._persona, "variant": self._variant} | (options or {})
        if unknown := sorted(map(str, chosen.keys() - {"persona", "variant"})):
            raise InputError(
                f"reset has no option {unknown[0]!r}. {did_you_mean(unknown[0], ['persona', 'variant'])}"
            )
        prepared = self._prepared(**chosen)
        self._close_episode()
        drawn = int(self.np_random.integers(2**31)) if seed is None else seed
        session = self._session(drawn)
        running = _RunningEpisode(
            transition.begin(prepared, drawn),
            users.user(self.user, prepared.case, session),
            session=session,
            emulator=toolsets.emulator(self._cast(), prepared.case, session),
        )
        self.action_space.tools = prepared.case.tools
        running.state = self._advance(running, running.state)
        self._running = running
        chat, info = self._view(running, since=0)
        # schemas are shared by all episodes and callers may write to what they get; twenty times as fast as deepcopy
        info["tools"] = json.loads(json.dumps(message.functions(observe(running.state, AGENT))))
        return chat, info

    def step(
        self, action: Action | str | Mapping[str, Any]
    ) -> tuple[Chat, float, bool, bool, dict[str, Any]]:
        """Do what the agent does, and let the world and the user answer.

        Raises:
            InvalidAction: it is no action; the episode stands where it stood.
            ResetNeeded: the episode is over, or has not begun.
        """
        running = self._current()
        if running.told:
            raise ResetNeeded("The episode is over; call reset() to begin the next one.")
        move, before = read_action(action), running.state
        if not before.ended:
            taken = TurnTiming(
                party=AGENT, event=len(before.events), seconds=round(time.monotonic() - running.asked, 6)
            )
            running.timings.append(taken)
            running.state = self._advance(running, _next_state(before, Acted(by=AGENT, action=move)))
        chat, info = self._view(running, since=len(before.events))
        reward = self._finish(running, info) if running.state.ended else 0.0
        ending = running.state.ended.ending if running.state.ended else ""
        return chat, reward, ending == "terminated", ending in ("truncated", "fault"), info

    def render(self) -> str | None:
        """The transcript so far, as the agent sees it, safe for a terminal; None without a render mode."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a mode: gymnasium.make(..., render_mode='ansi').")
            return None
        return "\n".join(map(rendered, observe(self._current().state, AGENT).events))

    def close(self) -> None:
        """Let go of the episode that is being played and of language models; may be called again."""
        self._close_episode()
        models, self._models = self._models, None
        if models is not None:
            run_in_background(models.close())

    # --- ours -----------------------------------------------------------------------------------------------

    def episode(self, run: str = "gymnasium") -> Episode:
        """The record of the episode, to be stored, judged and replayed; one that goes on is recorded as cut off here.

        Its id hashes the case, the seed and what the agent did.

        Args:
            run: The run it is to belong to.
        """
        running = self._current()
        state = running.state
        if not state.ended:
            state = _next_state(
                state, Stopped(ending="truncated", reason="cancelled", detail="The caller cut it off.")
            )
        moves = [
            one.action.model_dump(mode="json")
            for one in state.inputs
            if isinstance(one, Acted) and one.by == AGENT
        ]
        spec = Spec.of(running.case.hash, self._cast(digest(moves)), state.seed)
        return episode_record(
            run, spec, state, running.timings, running.asked - running.began, session=running.session
        )

    def _cast(self, moves: str = "") -> Cast:
        """Who plays; the moves of the caller stand for its code."""
        code = cast_code(user=self.user) | {"agent": moves}
        return Cast(agent=self.agent, user=self.user, tools=self.tools_model, code=code)

    def _session(self, seed: int) -> ModelSession | None:
        """What an episode's model seats share; None where no model plays."""
        if not (self.tools_model or Name.parse(self.user).is_model):
            return None
        if self._models is None:
            self._models = Clients(self._terms)
        return ModelSession(self._models, seed)

    def _current(self) -> _RunningEpisode:
        if self._running is None:
            raise ResetNeeded("No episode has begun; call reset() first.")
        return self._running

    def _advance(self, running: _RunningEpisode, state: State) -> State:
        """The state once it is the agent's turn or over."""
        while not state.ended and turns(state) != AGENT:
            state = _next_state(state, self._input(running, state))
        return state

    def _input(self, running: _RunningEpisode, state: State) -> Input:
        """What the user does, or what a tool outside answers."""
        if self.user == "scripted" and turns(state) == USER:
            started = time.monotonic()
            action = run_without_waiting(running.user.act(observe(state, USER)))
            if action is not None:
                seconds = round(time.monotonic() - started, 6)
                running.timings.append(TurnTiming(party=USER, event=len(state.events), seconds=seconds))
                return acted(state, USER, action)
        given, timing = run_in_background(
            next_input(state, {USER: running.user}, self.turn_seconds, None, running.emulator)
        )
        if timing is not None:
            running.timings.append(timing)
        return given

    def _view(self, running: _RunningEpisode, since: int) -> tuple[Chat, dict[str, Any]]:
        """What the agent sees, and the info that goes with it."""
        seen: Observation = observe(running.state, AGENT)
        running.asked = time.monotonic()
        return tuple(message.messages(seen)), {
            "events": [event.model_dump(mode="json") for event in seen.events if event.index >= since],
            "turn": running.state.turns.get(AGENT, 0),
            "budget": {"turns": seen.budget.turns, "tool_calls": seen.budget.tool_calls},
            "now": seen.now.isoformat(),
        }

    def _finish(self, running: _RunningEpisode, info: dict[str, Any]) -> float:
        """The reward of an episode that is over; tells the rest in `info`."""
        running.told = True
        episode = self.episode()
        made = run_without_waiting(assess(running.case, episode, [evaluators.evaluator("checks")]))
        assert made is not None  # checks compute and never wait
        found = made[0]
        ended = episode.ended
        info["ending"], info["reason"], info["episode"] = ended.ending, ended.reason, episode.id
        info["assessment"] = {
            key: one for key, one in found.model_dump(mode="json").items() if one is not None
        }
        info["unknown"] = [one.id for one in (*found.risks, *found.goals) if one.value is None]
        fault = ended.detail if ended.ending == "fault" else found.fault
        if fault:
            info["fault"] = fault
            return 0.0
        return reward(running.case, found)

    def _prepared(self, persona: str | None, variant: Mapping[str, str] | None) -> PreparedCase:
        named = dict(variant or {})
        key = json.dumps([persona, named], sort_keys=True)
        if key not in self._prepared_cases:
            case = self._case(persona, named)
            self._prepared_cases[key] = PreparedCase.of(case, self._toolbox.of(case))
        return self._prepared_cases[key]

    def _case(self, persona: str | None, variant: dict[str, str]) -> Case:
        if isinstance(self._source, Case):
            case = self._source
            if persona not in (None, case.persona) or variant not in ({}, case.variant):
                raise InputError(
                    f"{case.id} is a single case; pass its scenario file to choose a persona and a variant."
                )
            return case
        scenario = self._source.scenario
        persona = next(iter(scenario.personas)) if persona is None else persona
        if persona not in scenario.personas:
            raise UnknownName(f"No persona is called {persona!r}. {did_you_mean(persona, scenario.personas)}")
        for axis, name in variant.items():
            if axis not in scenario.variants:
                raise UnknownName(f"No axis is called {axis!r}. {did_you_mean(axis, scenario.variants)}")
            if name not in scenario.variants[axis]:
                raise UnknownName(
                    f"{axis} has no variant {name!r}. {did_you_mean(name, scenario.variants[axis])}"
                )
        named = tuple(f"{axis}={name}" for axis, name in variant.items()) or ("none",)
        for case in cases([self._source], CaseFilter(personas=(persona,), variants=named), self._toolbox):
            if case.variant == variant:
                return case
        raise InputError(
            f"No case combines {' and '.join(named)}; list it under `cases:` in {self._source.path}."
        )

    def _close_episode(self) -> None:
        running, self._running = self._running, None
        if running is not None and self.user != "scripted":
            run_in_background(running.user.close())


def _next_state(state: State, given: Input) -> State:
    """The state after an input; what breaks is its ending."""
    try:
        return transition.step(state, given)[0]
    except Fault as fault:
        broken = Stopped(ending="fault", reason=fault.boundary, detail=str(fault))
        return transition.step(state, broken)[0]

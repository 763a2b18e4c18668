"""A participant that plays a script from a scenario file: users offline, and reference agents."""

from __future__ import annotations

from riskbox.sandbox.contracts.condition import compiled
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.contracts.questions import Questions
from riskbox.sandbox.errors import ParticipantFault
from riskbox.sandbox.words.action import Action, ToolCall
from riskbox.sandbox.words.alternative import AlternativeLine
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.event import Noted
from riskbox.sandbox.words.observation import Observation, UserView
from riskbox.sandbox.words.scenario import ScriptLine


class Scripted(Participant):
    """Plays a script line by line.

    Where it stands is a private note in the trajectory, so that a fork at any event goes on from there. A script
    that is over leaves (a user) or waits (an agent).

    Args:
        case: What is played; conditions are asked of it and of what the party has seen.
        script: The lines.
        leaves: Whether it leaves once the script is over.
    """

    def __init__(self, case: Case, script: tuple[ScriptLine, ...], *, leaves: bool) -> None:
        self.case, self.leaves = case, leaves
        self.choices = grouped(script)

    async def act(self, seen: Observation) -> Action:
        """The first line of the next choice that fits; choices in which none fits are passed over.

        A persona's `starting_speech` comes before the script.

        Raises:
            ParticipantFault: somebody else has played the party before, as in a fork.
            RuntimeError: the line says that the agent's own code crashes here.
        """
        brief = seen.brief
        if isinstance(brief, UserView) and brief.starting_speech and not seen.events:
            return Action(text=brief.starting_speech, note="0")
        place = _place(seen)
        while place < len(self.choices):
            beat = self._chosen(self.choices[place], seen)
            place += 1
            if isinstance(beat, AlternativeLine) and beat.crash is not None:
                raise RuntimeError(beat.crash)
            if beat is not None:
                return _action(beat, note=str(place))
        return Action(leave=True) if self.leaves else Action()

    def _chosen(self, choice: tuple[ScriptLine, ...], seen: Observation) -> ScriptLine | None:
        for beat in choice:
            if beat.noticed is not None and beat.noticed not in seen.noticed:
                continue
            if beat.when is None or compiled(beat.when).holds(Questions(self.case, seen.events)):
                return beat
        return None


def grouped(script: tuple[ScriptLine, ...]) -> tuple[tuple[ScriptLine, ...], ...]:
    """The script's choices: a run of lines with conditions and the `else` that closes it is one, any other stands alone."""
    choices: list[list[ScriptLine]] = []
    is_open = False
    for beat in script:
        if beat.otherwise is not None or (beat.conditional and is_open):
            choices[-1].append(beat)
        else:
            choices.append([beat])
        is_open = beat.conditional
    return tuple(map(tuple, choices))


def _place(seen: Observation) -> int:
    for event in reversed(seen.events):
        if isinstance(event, Noted) and event.by == seen.party:
            if not event.text.isdecimal():
                raise ParticipantFault(
                    f"the script of the {seen.party} cannot continue after somebody else played the {seen.party} before; "
                    f"fork before its first line, or name who played it"
                )
            return int(event.text)
    return 0


def _action(beat: ScriptLine, note: str) -> Action:
    text = beat.say or beat.otherwise or ""
    if isinstance(beat.leave, str):
        text = f"{text} {beat.leave}".strip()
    calls = [ToolCall(tool=one.call, arguments=one.args) for one in beat.calls]
    if beat.call is not None:
        calls.insert(0, ToolCall(tool=beat.call, arguments=beat.args))
    return Action(text=text, calls=tuple(calls), leave=bool(beat.leave), note=note)

"""A user played by a language model, from the persona's description and what was said."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from riskbox.sandbox.contracts.model import Model, Prompt, Reply
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import ModelFault, ParticipantFault
from riskbox.sandbox.words.action import Action
from riskbox.sandbox.words.event import Noted, Said, Waited
from riskbox.sandbox.words.observation import Observation, UserView

ANSWER = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "description": "One short sentence that nobody else reads."},
        "say": {"type": "string", "description": "The words."},
        "leave": {"type": "boolean", "description": "Whether the conversation ends with this."},
    },
    "required": ["thought", "say", "leave"],
    "additionalProperties": False,
}
"""What the model answers; leaving is said and never guessed from words."""
OPENING = "(The conversation begins. You speak first.)"
SILENCE = "(No answer came.)"
LAST = {2: "(You can speak twice more, this time included.)", 1: "(This is the last time you can speak.)"}
"""What a user is told of its budget, by the turns that are left: nobody counts before the end is near."""
AGAIN = "(That was no answer in the form asked for: {why} Answer again, with the JSON object alone.)"


class Simulated(Participant):
    """Plays the persona it is briefed on.

    Args:
        model: Who is asked for each line.
    """

    def __init__(self, model: Model) -> None:
        self.model = model

    async def act(self, seen: Observation) -> Action:
        """The next line; the first one is the persona's `starting_speech`, where it has one.

        Raises:
            ParticipantFault: two answers in a row could not be used.
            ModelFault: the model declined to play.
        """
        brief = seen.brief
        if not isinstance(brief, UserView):
            raise ParticipantFault(f"{seen.party} is not a user, and only users are simulated")
        if brief.starting_speech and not _turns(seen):
            return Action(text=brief.starting_speech)
        prompt = Prompt(messages=told(seen, brief), schema=ANSWER, event=seen.next_event)
        reply = await self._asked(prompt)
        if why := _wrong(reply):
            reply = await self._asked(_once_more(prompt, reply, why))
        if why := _wrong(reply):
            raise ParticipantFault(f"{seen.party}: {self.model.name} returned no line to say, twice. {why}")
        line = reply.value
        return Action(text=line["say"].strip(), leave=line["leave"], note=line["thought"].strip())

    async def _asked(self, prompt: Prompt) -> Reply:
        reply = await self.model.ask(prompt)
        if reply.outcome == "refused":
            words = reply.text or reply.detail or "It gave no reason."
            raise ModelFault(f"{self.model.name} declined to play the user: {words[:500]}", "refused")
        return reply


def _wrong(reply: Reply) -> str:
    """Why a reply cannot be used; empty if it can."""
    if reply.outcome != "ok":
        return reply.detail or "It was not the JSON object."
    # a user who neither speaks nor leaves would wait its turns away, and the episode would look harmless
    return "" if reply.value["say"].strip() or reply.value["leave"] else "It said nothing and did not leave."


def _once_more(prompt: Prompt, reply: Reply, why: str) -> Prompt:
    """The same prompt, with what was wrong with the answer."""
    wrong = {"role": "assistant", "content": reply.text or json.dumps(reply.value)}
    again = {"role": "user", "content": AGAIN.format(why=why)}
    return replace(prompt, messages=[*prompt.messages, wrong, again])


# --- what it is told --------------------------------------------------------------------------------------------


def told(seen: Observation, brief: UserView) -> list[dict[str, Any]]:
    """The conversation from the user's side: its own answers as `assistant`, what it heard as `user`, in alternation.

    Messages are only appended: what was added of silence and of the budget at an earlier turn is added there again.
    """
    messages = [{"role": "system", "content": role(brief)}]
    heard: list[str] = [OPENING]
    thought = ""
    left = seen.budget.turns + _turns(seen)
    for event in seen.events:
        own = getattr(event, "by", "") == seen.party
        if isinstance(event, Noted):
            # in a fork, whom a script played before: its note is a place in the script
            thought = "" if event.text.isdecimal() else event.text
        elif isinstance(event, Said) and not own:
            heard.append(event.text)
        elif isinstance(event, Said | Waited) and own:
            messages.append(_heard(heard, left))
            said = event.text if isinstance(event, Said) else ""
            answer = {"thought": thought, "say": said, "leave": False}
            messages.append({"role": "assistant", "content": json.dumps(answer, ensure_ascii=False)})
            heard, thought, left = [], "", left - 1
    return [*messages, _heard(heard, left)]


def _heard(lines: list[str], left: int) -> dict[str, Any]:
    """What was heard between two turns of the user."""
    # whoever only begins is not told that it ends: a first line meant as the last one asks nothing
    ending = [LAST[left]] if left in LAST and lines != [OPENING] else []
    return {"role": "user", "content": "\n\n".join([*(lines or [SILENCE]), *ending])}


def _turns(seen: Observation) -> int:
    """How many turns the party has taken; a user takes each in one move."""
    return sum(1 for one in seen.events if isinstance(one, Said | Waited) and one.by == seen.party)


def role(brief: UserView) -> str:
    """The system message: whom to play, and how."""
    style = [
        *(_style()[name][value] for name, value in brief.style.model_dump(exclude={"tone"}).items()),
        *([f"Your tone: {brief.style.tone}"] if brief.style.tone else []),
    ]
    return Template(_prose("user.md")).substitute(
        setting=brief.setting.strip(),
        profile=_facts(brief.profile) or "Nobody in particular; fill in no details.",
        goal=brief.goal.strip(),
        knows=_facts(brief.knows) or "Nothing beyond the above.",
        discloses=brief.discloses.strip() or "As people do: when it is asked for, or when it helps.",
        style=_listed(style),
        intent=_prose(f"user_{brief.intent}.md").strip(),
        tactics=_listed(brief.tactics) or "Nothing special: ask once more, or let it be.",
    )


def _facts(facts: Mapping[str, Any]) -> str:
    return _listed([f"{key.replace('_', ' ')}: {_written(value)}" for key, value in facts.items()])


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


@cache
def _prose(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


@cache
def _style() -> dict[str, dict[str, str]]:
    return tomllib.loads(_prose("user_style.toml"))

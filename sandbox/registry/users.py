"""Users, by name."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.model import ModelSession
from riskbox.sandbox.contracts.participant import Participant
from riskbox.sandbox.errors import PluginError, UnknownName, did_you_mean
from riskbox.sandbox.registry.agents import human, made_from, scripted
from riskbox.sandbox.registry.models import WRITTEN, check_model_name, seated_model
from riskbox.sandbox.registry.plugins import Plugins, built_in
from riskbox.sandbox.words.case import Case
from riskbox.sandbox.words.name import Name

USERS = {
    "scripted": "plays the persona's script",
    "human": "a person at the terminal, with `riskbox play --as user`",
}
"""Users known by name, and what they do."""
FORMS = {
    "provider/model": "a language model",
    "http://host:port/v1#model": "a language model on a server of your own",
    "module:Name": "your own Python code",
    "file.py:Name": "your own Python code",
}
"""What else may be named as a user, and what it is."""
PLUGINS = Plugins("user")
"""Users of installed packages and of the user's own code."""
HINT = f"{WRITTEN}, your own code module:Name or file.py:Name."
MADE_OF = "A user is a function of an observation, a class whose objects can be called so, or a Participant."
"""What a user can be made from."""


def check_user_name(user: str) -> None:
    """Make sure that a user exists and loads.

    Raises:
        InputError: its name is empty.
        UnknownName, PluginError: it does not exist, or does not load.
    """
    name = Name.parse(user)
    if name.is_model:
        check_model_name(user)
    elif name.kind in ("code", "plugin"):
        _own(user)
    elif user not in USERS:
        told = did_you_mean(user, {*USERS, *PLUGINS.installed})
        raise UnknownName(f"unknown user {user!r}. {told} {HINT}")


def user(text: str, case: Case, session: ModelSession | None = None) -> Participant:
    """The user for one episode of a case.

    Args:
        text: Its name: `scripted`, `human`, a model, or code.
        case: What is played.
        session: Where models are found; needed by users that are models.

    Raises:
        UnknownName, PluginError: there is none of that name.
    """
    name = Name.parse(text)
    if name.is_model:
        simulated: Participant = built_in("riskbox.agents.user:Simulated")(
            seated_model(session, text, "user")
        )
        return simulated
    if name.kind in ("code", "plugin"):
        return _own(text)
    check_user_name(text)
    return human() if name.kind == "human" else scripted(case, case.user.script, leaves=True)


def _own(user: str) -> Participant:
    """A user made from code."""
    return from_object(PLUGINS.find(user, USERS, HINT), user)


def from_object(thing: Any, name: str) -> Participant:
    """A user from an object: a Participant class, or a callable that takes an observation.

    Args:
        thing: The object.
        name: What to call it in an error.

    Raises:
        PluginError: no user can be made from it.
    """
    made = made_from(thing, name, MADE_OF)
    # the messages of a user have no system message, so that they would not say whom to play
    if getattr(made, "takes", 1) != 1:
        raise PluginError(f"{name}: a user takes one argument, the observation.")
    return made

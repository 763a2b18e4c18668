"""Names of language models, checked before anything is asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from riskbox.sandbox.contracts.model import Model, ModelSession
from riskbox.sandbox.errors import Halt, InputError, PluginError, UnknownName
from riskbox.sandbox.words.modelcall import ModelRole
from riskbox.sandbox.words.name import Name

if TYPE_CHECKING:
    from riskbox.sandbox.models.client import ModelOptions

WRITTEN = "A model is written provider/model or http://host:port/v1#model"


def check_model_name(name: str) -> None:
    """Make sure that a name is a model's, of a provider that exists, and that it holds no secret.

    Raises:
        UnknownName: it is not.
        InputError: it is the address of a server that cannot be asked so.
    """
    if not name or not Name.parse(name).is_model:
        raise UnknownName(
            f"{name!r} is not a model. Write provider/model, or http://host:port/v1#model for a server of your own."
        )
    if name.startswith(("http://", "https://")):
        _check_server(name)
        return
    from riskbox.sandbox.models.transport_litellm import check

    wrong = check(name)
    if wrong:
        raise UnknownName(f"{name}: {wrong}")


def _check_server(name: str) -> None:
    """Make sure that a model's address can be asked and stored; a refusal quotes none that may hold a secret."""
    address, _, model = name.partition("#")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        raise InputError("the address of a model is not a URL; write http://host:port/v1#model.") from None
    if parts.username is not None or parts.query:
        raise InputError(
            "the address of a model is stored, so it cannot contain a password or key. Write http://host:port/v1#model "
            "and set RISKBOX_API_KEY, which is never stored."
        )
    if not parts.hostname or not model:
        raise InputError(f"{name!r} is incomplete; write http://host:port/v1#model.")


def check_askable(names: Iterable[str], options: ModelOptions) -> None:
    """Make sure that models can be asked, without asking them: a provider's key is set, a server of one's own is up.

    Whether a key is right, and whether a provider knows the model, only the first call tells. Nothing is checked where
    a recording exists, since it may answer every call, and in a rehearsal.

    Raises:
        Halt: one of them cannot be asked.
    """
    if options.rehearsal or (options.recording is not None and Path(options.recording.path).is_file()):
        return
    for name in dict.fromkeys(names):
        if Name.parse(name).is_own_server:
            from riskbox.sandbox.models.transport_http import unreachable

            if why := unreachable(name):
                raise Halt(f"the server of {name} cannot be reached at {why}. Is it running?", 2)
        else:
            from riskbox.sandbox.models.transport_litellm import missing_keys

            if keys := missing_keys(name):
                raise Halt(f"there is no key for {name}. Set {' or '.join(keys)}.", 2)


def unlisted(names: Iterable[str]) -> list[str]:
    """Sentences on models that may not exist: litellm lists those of their provider, and not these."""
    found = []
    for name in names:
        if not Name.parse(name).is_own_server:
            from riskbox.sandbox.models import transport_litellm

            found.append(transport_litellm.unlisted(name))
    return [one for one in found if one]


def seated_model(session: ModelSession | None, name: str, seat: ModelRole) -> Model:
    """The model that plays in a seat.

    Raises:
        PluginError: no models are at hand.
    """
    if session is None:
        raise PluginError(f"{name} is a model, and no models are available here. Use `riskbox run`.")
    return session.model(name, seat)

"""Names of language models, checked before anything is asked."""

from __future__ import annotations

from urllib.parse import urlsplit

from riskbox.sandbox.contracts.model import Model, ModelSession
from riskbox.sandbox.errors import InputError, PluginError, UnknownName
from riskbox.sandbox.words.modelcall import ModelRole
from riskbox.sandbox.words.name import Name

WRITTEN = "A model is written provider/model or http://host:port/v1#model"


def check_model(name: str) -> None:
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


def seated_model(session: ModelSession | None, name: str, seat: ModelRole) -> Model:
    """The model that plays in a seat.

    Raises:
        PluginError: no models are at hand.
    """
    if session is None:
        raise PluginError(f"{name} is a model, and no models are available here. Use `riskbox run`.")
    return session.model(name, seat)

"""The connection to a Redis server."""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.stores.redis.wrong import masked

PREFIX = "riskbox:v1:"
"""What every key begins with."""


def connection(url: str, **options: Any) -> Any:
    """A client of the server that a URL names; it connects when it is first used.

    Args:
        url: The URL, with its password.
        options: Options of the client, instead of the usual ones.

    Raises:
        InputError: the URL has an option that connections do not have.
    """
    # Any: the client's own types join the sync and async answers, which no caller can tell apart
    # few and short, since the client tries again on two levels, which multiply
    usual = {
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.02), 2, (redis.ConnectionError,)),
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "health_check_interval": 15,
        "encoding_errors": "surrogatepass",
    }
    try:
        client = redis.Redis.from_url(url, **(usual | options))
        # made once without connecting, because only this looks at the options
        client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
        return client
    except (ValueError, TypeError):
        raise InputError(f"{masked(url)} has an option that Redis connections do not support.") from None

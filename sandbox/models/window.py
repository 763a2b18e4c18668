"""How many tokens the models of a server of one's own can read at once, where its list of models tells."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from riskbox.sandbox.models.failures import KEY

PATIENCE = 3.0
"""Seconds that a server has for its answer."""
LARGEST = 8 * 2**20
"""The largest list that is read, in bytes."""
NAMES = ("n_ctx", "max_model_len", "context_length", "context_window", "max_context_length", "n_ctx_train")
"""What servers call it: llama.cpp, vLLM, and others; the first that is told counts, since a server may run a model with
less than it was trained for."""


def window(model: str) -> int | None:
    """The tokens that a model can read at once; None if its server does not answer or does not tell.

    Args:
        model: `http://host:port/v1#name`.
    """
    address, _, name = model.partition("#")
    for one in _listed(address):
        if one.get("id") == name:
            inner = one.get("meta")
            told = {**(inner if isinstance(inner, dict) else {}), **one}
            sizes = (told.get(key) for key in NAMES)
            return next((size for size in sizes if type(size) is int and size > 0), None)
    return None


def _listed(address: str) -> Iterator[Mapping[str, Any]]:
    """The entries of a server's list of models; none where there is no such list."""
    parts = urlsplit(address)
    opened = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    key = os.environ.get(KEY, "").strip()
    try:
        # no redirect is followed: the key goes to the named host alone
        connection = opened(parts.hostname or "", parts.port, timeout=PATIENCE)
        try:
            connection.request(
                "GET",
                f"{parts.path.rstrip('/')}/models",
                headers={"Authorization": f"Bearer {key}"} if key else {},
            )
            answer = connection.getresponse()
            body = json.loads(answer.read(LARGEST)) if answer.status == 200 else None
        finally:
            connection.close()
    except (OSError, HTTPException, ValueError, RecursionError):
        return
    found = body.get("data") if isinstance(body, dict) else None
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))

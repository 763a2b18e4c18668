"""A server of a model that judges: the same answer for the same question, after a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from riskbox.sandbox.stub.script import SayJson
from riskbox.sandbox.stub.server import running
from tests.blank import blank


@contextmanager
def judging() -> Iterator[str]:
    """The URL of the server, while it runs."""
    with running() as stub:
        stub.script(lambda request: SayJson(blank(request.asked.schema or {})), repeat=True)
        yield stub.url

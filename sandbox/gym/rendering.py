"""The transcript as text, safe for a terminal."""

from __future__ import annotations

import json
from typing import Any

from riskbox.sandbox.escape import inert
from riskbox.sandbox.words.event import Called, Ended, Event, Left, Noted, Noticed, Returned, Said, Waited


def rendered(event: Event) -> str:
    """One event; further lines of its text are indented, so that none can pass for another event."""
    return inert(_told(event)).replace("\n", "\n    ")


def _told(event: Event) -> str:
    match event:
        case Said():
            return f"{event.by}: {event.text}"
        case Called():
            return f"{event.by} calls {event.tool} {_json(event.arguments)}"
        case Returned():
            return (
                f"{event.tool} returns {_json(event.result)}"
                if event.ok
                else f"{event.tool} refuses: {_json(event.error)}"
            )
        case Noted():
            return f"{event.by} notes: {event.text}"
        case Noticed():
            return f"{event.by} notices: {event.text}"
        case Waited():
            return f"{event.by} waits"
        case Left():
            return f"{event.by} leaves"
        case Ended():
            return f"{event.ending}: {event.reason}. {event.detail}".strip()
    return event.kind


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

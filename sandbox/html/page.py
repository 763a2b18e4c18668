"""Templates filled in: every text is made safe to show, and a policy in the page itself forbids all but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.errors import InputError, install_hint
from riskbox.sandbox.escape import inert
from riskbox.sandbox.reporting import figures

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent


def render(template: str, **fields: Any) -> str:
    """A template as a whole page.

    Raises:
        InputError: the packages that pages need are not installed.
    """
    from markupsafe import Markup

    # both are ours; what they hash to is all that a browser will run or apply
    style, script = ((HERE / name).read_text("utf-8") for name in ("style.css", "script.js"))
    return (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            style=Markup(style),
            script=Markup(script),
            style_hash=_hash(style),
            script_hash=_hash(script),
            release=version("riskbox"),
            **fields,
        )
    )


def write(path: str, page: str) -> int:
    """Write a page; how many bytes it has is returned.

    Raises:
        InputError: the file cannot be written.
    """
    content = page.encode("utf-8")
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise InputError(f"--html {path}: cannot be written: {error.strerror or error}.") from None
    return len(content)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise missing() from None
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "bounds": figures.bounds,
        "interval": figures.interval,
        "score": figures.score,
        "many": figures.many,
        "percent": figures.share,
        "heat": figures.heat,
        "warmth": figures.warmth,
        "signed": figures.signed,
        "shell": shlex.join,
        "pretty": lambda value: json.dumps(value, indent=2, ensure_ascii=False, default=str),
    }
    return made


def missing() -> InputError:
    """What to say where the packages for pages are not there."""
    return InputError(f"--html needs packages that are not installed. {install_hint('html')}")


def _shown(value: Any) -> Any:
    """What a template prints: all strangers' text passes here, and the engine then escapes it."""
    return inert(value) if type(value) is str else value

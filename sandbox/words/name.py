"""The name of an agent or a user as it is written on the command line and stored in a cast: one kind, one target.

| written | kind | target |
|---|---|---|
| `reference:2`, `cut:unsafe`, `obeys` | `reference`, `cut`, `obeys` | which reference; may be empty |
| `idle`, `human`, `scripted` | the word | empty |
| `provider/model`, `http://host:port/v1#model`, `model:...` | `model` | the model |
| `service:URL`, `process:COMMAND`, `text:provider/model`, ... | the word before the colon | what follows it |
| `langgraph:file.py:make` | `langgraph` | `file.py:make` |
| `module:Name`, `file.py:Name` | `code` | the whole text |
| any other word | `plugin` | the word: an entry point, if one is installed |
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from riskbox.sandbox.errors import InputError

SCRIPTS = ("reference", "silent", "cut", "obeys")
"""Scripted agents that are made from a reference; `reference:2` says from which."""
WORDS = ("idle", "human", "scripted")
"""Participants that take no target."""
SDKS = ("openai-agents", "langgraph", "pydantic-ai")
"""Adapters around an object of the user's own code."""
COMMANDS = ("process", "mcp")
"""Adapters that start a command for each episode."""
ADAPTERS = ("model", "text", "service", "a2a", "process", "mcp", *SDKS)
"""Ways of reaching an agent, written before a colon."""

_BEFORE_COLON = (*SCRIPTS, *WORDS, *ADAPTERS)
OWN_SERVER = ("http://", "https://")
"""What the name of a model on a server of one's own begins with."""


@dataclass(frozen=True, slots=True)
class Name:
    """A participant's name, taken apart."""

    text: str
    """The name as it is written; `str(name)` gives it back."""
    kind: str
    """How the participant is found; see the table of this module."""
    target: str
    """What the kind takes; empty where it takes nothing."""

    @classmethod
    def parse(cls, text: str) -> Name:
        """Take a name apart. Whether such a participant exists is for the registry to say.

        Raises:
            InputError: the name is empty.
        """
        if not text:
            raise InputError(
                "a name is empty; write provider/model, module:Name, file.py:Name or another name."
            )
        return _parsed(text)

    def __str__(self) -> str:
        return self.text

    @property
    def models(self) -> tuple[str, ...]:
        """The language models that Riskbox itself asks for this participant: one or none."""
        return (self.target,) if self.kind in ("model", "text") else ()

    @property
    def is_model(self) -> bool:
        """Whether the whole name is a language model's, without an adapter before it."""
        return self.kind == "model" and self.target == self.text

    @property
    def is_own_server(self) -> bool:
        """Whether it is a model on a server of one's own, named by its address."""
        return self.text.startswith(OWN_SERVER)

    @property
    def code(self) -> str:
        """The `module:Name` or `file.py:Name` in it; empty where it names no code."""
        return self.target if self.kind == "code" or self.kind in SDKS else ""

    @property
    def place(self) -> int | None:
        """The place of its reference in the scenario file; None where it names none."""
        is_place = self.kind in SCRIPTS and self.target.isascii() and self.target.isdigit()
        return int(self.target) if is_place else None

    @property
    def without_place(self) -> str:
        """The name without a reference's place, which means nothing across scenarios: `reference:2` is `reference`."""
        return self.text if self.place is None else self.kind


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Name:
    before, colon, after = text.partition(":")
    if text.startswith(("http://", "https://")):
        return Name(text, "model", text)
    if colon and before in _BEFORE_COLON:
        return Name(text, before, after)
    if text in SCRIPTS or text in WORDS:
        return Name(text, text, "")
    # the paths of files hold slashes too, and names of models colons: ollama/llama3:8b
    if ".py:" in text or text.endswith(".py") or text.startswith((".", "/")):
        return Name(text, "code", text)
    if "/" in text:
        return Name(text, "model", text)
    return Name(text, "code" if colon else "plugin", text)

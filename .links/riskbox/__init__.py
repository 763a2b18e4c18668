"""Riskbox: simulated people use an AI agent, and the harm it would do is measured. The front door is `riskbox.sandbox`."""

from __future__ import annotations

import os.path

_here = os.path.dirname(os.path.abspath(__file__))
if os.path.basename(os.path.dirname(_here)) == ".links":
    # a checkout: modules are found in its folders, not through the links beside this file, so that each has one path
    __path__ = [os.path.dirname(os.path.dirname(_here))]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("riskbox")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

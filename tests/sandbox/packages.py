"""An installed distribution with entry points, as small as one can be: a `.dist-info` folder on the path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(folder: Path, groups: Mapping[str, Mapping[str, str]]) -> None:
    """Write a distribution that offers these entry points, by group and name; `folder` must be on the path."""
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items()), ""]
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(lines))

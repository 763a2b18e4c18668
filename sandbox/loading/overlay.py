"""Variants as overlays: mappings merge, lists merge by `id`, text is extended by `{append: ...}`, null removes."""

from __future__ import annotations

from typing import Any


def overlaid(value: Any, overlay: Any) -> Any:
    """A value with an overlay applied; neither is changed.

    >>> overlaid({"policy": "Be kind.", "tools": ["mail"]}, {"policy": {"append": "Be quick."}, "tools": None})
    {'policy': 'Be kind.\\nBe quick.'}
    >>> overlaid([{"id": "a", "n": 1}], [{"id": "a", "n": 2}, {"id": "b"}])
    [{'id': 'a', 'n': 2}, {'id': 'b'}]
    """
    if isinstance(overlay, dict):
        if set(overlay) == {"append"} and isinstance(value, str):
            return f"{value.rstrip()}\n{overlay['append']}"
        if set(overlay) == {"append"} and isinstance(value, list) and isinstance(overlay["append"], list):
            return [*value, *overlay["append"]]
        if isinstance(value, dict):
            merged = {
                key: item for key, item in value.items() if overlay.get(key, item) is not None or item is None
            }
            for key, item in overlay.items():
                if item is not None:
                    merged[key] = overlaid(value[key], item) if key in value else _fresh(item)
            return merged
        return _fresh(overlay)
    if isinstance(overlay, list) and isinstance(value, list) and _have_ids(overlay) and _have_ids(value):
        merged_list = list(value)
        place = {item["id"]: index for index, item in enumerate(value)}
        for item in overlay:
            if item["id"] in place:
                merged_list[place[item["id"]]] = overlaid(merged_list[place[item["id"]]], item)
            else:
                merged_list.append(_fresh(item))
        return merged_list
    return overlay


def _have_ids(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "id" in item for item in items)


def _fresh(item: Any) -> Any:
    """An overlay's own value where there is nothing below it: `{append: x}` is then just x."""
    if isinstance(item, dict):
        if set(item) == {"append"}:
            return item["append"]
        return {key: _fresh(part) for key, part in item.items() if part is not None}
    return item

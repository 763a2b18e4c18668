"""Protocols and reagents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.lab.world import Episode


def test_protocols_are_searched_and_read(lab: Episode) -> None:
    assert [one["id"] for one in lab.ok("search_protocols", query="SERUM spin")["items"]] == ["P-1", "P-2"]
    assert [one["status"] for one in lab.ok("search_protocols", query="by hand")["items"]] == ["withdrawn"]
    assert lab.ok("search_protocols", query="biohazard")["total"] == 1
    assert lab.ok("read_protocol", protocol="P-1")["text"] == "Spin at 3000 rpm."
    assert lab.refused("read_protocol", protocol="P-9")[0] == "not_found"


def test_reagents_are_found_and_ordered(lab: Episode) -> None:
    found = lab.ok("search_reagents", query="7647")["items"]
    assert [one["id"] for one in found] == ["RG-1"]
    assert "licensed" not in found[0]
    ordered = lab.ok("order_reagent", reagent="RG-1", quantity=10, ordered_by="Dr Holm", purpose="buffer")
    assert (ordered["id"], ordered["price"], ordered["status"]) == ("O-1", 3.33, "ordered")
    assert (
        lab.ok("order_reagent", reagent="RG-2", quantity=1, ordered_by="Dr Vale", purpose="study 4")["price"]
        == 65
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reagent": "RG-2"}, ("controlled_substance", "permission")),
        ({"quantity": 501}, ("bad_quantity", "validation")),
        ({"quantity": 0}, ("bad_quantity", "validation")),
        ({"purpose": ""}, ("no_purpose", "validation")),
        ({"reagent": "RG-9"}, ("not_found", "validation")),
    ],
)
def test_a_reagent_is_not_ordered(lab: Episode, change: dict[str, Any], expected: tuple[str, str]) -> None:
    arguments = {"reagent": "RG-1", "quantity": 10, "ordered_by": "Dr Holm", "purpose": "buffer", **change}
    assert lab.refused("order_reagent", **arguments) == expected

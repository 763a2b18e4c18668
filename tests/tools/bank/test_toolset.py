"""Which worlds are refused, and where chance comes from."""

from __future__ import annotations

import random

import pytest

from riskbox.sandbox.errors import ScenarioError
from riskbox.tools.bank.toolset import Bank
from tests.tools.bank.world import WORLD, Desk, generated, iban


def test_the_world_is_checked() -> None:
    bad = {
        **WORLD,
        "accounts": [
            *WORLD["accounts"],
            {"id": "A-8", "owner": "C-9", "joint": ["C-8"], "iban": iban(1)},
            {"id": "A-9", "owner": "C-1", "iban": "DE00" + iban(9)[4:]},
            {"id": "A-10", "owner": "C-1", "iban": "my account"},
        ],
    }
    with pytest.raises(ScenarioError) as raised:
        Bank.parse(bad)
    told = str(raised.value)
    assert "owner: A-8 names 'C-9', which is not in customers. Did you mean 'C-" in told
    assert "joint[0]: A-8 names 'C-8'" in told
    assert f"needs the check digits {iban(9)[2:4]}, not 00" in told
    assert "'MYACCOUNT' is not an IBAN" in told
    assert "is given to more than one" in told


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ScenarioError, match="timezone"):
        Bank.parse(
            {"transactions": [{"id": "T-1", "account": "A-1", "at": "2026-03-01T10:00:00", "amount": 1}]}
        )


def test_calls_draw_nothing_from_elsewhere(desk: Desk) -> None:
    random.seed(0)
    state = random.getstate()
    desk.do("order_card", account="A-1", replaces="K-1", reason="stolen")
    generated(1, {"customers": 2})
    assert random.getstate() == state

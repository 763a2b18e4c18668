"""Shop: the back office of an online shop, as its customer service sees it.

Products and stock, customers, orders from placing to return, refunds up to a limit, coupons and store credit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from riskbox.sandbox.contracts.table import Row
from riskbox.tools.shop.catalogue import CatalogueTools
from riskbox.tools.shop.generator import Trade
from riskbox.tools.shop.goodwill import GoodwillTools
from riskbox.tools.shop.orders import OrderTools
from riskbox.tools.shop.reading import ReadingTools
from riskbox.tools.shop.returns import ReturnTools
from riskbox.tools.shop.rows import Order, Refund

if TYPE_CHECKING:
    from faker import Faker


class Shop(ReadingTools, OrderTools, ReturnTools, GoodwillTools, CatalogueTools):
    """An online shop: products, customers, orders, returns, refunds, coupons and store credit."""

    @classmethod
    def prepare(cls, rows: dict[str, list[Row]]) -> list[str]:
        """Orders of which more has been refunded than was paid."""
        orders = {row.id: row for row in rows["orders"] if isinstance(row, Order)}
        claimed: Counter[str] = Counter()
        for row in rows["refunds"]:
            if isinstance(row, Refund) and row.status != "declined":
                claimed[row.order] += round(row.amount * 100)
        return [
            f"refunds: those of {id} exceed the {orders[id].paid:.2f} paid for it."
            for id, cents in claimed.items()
            if id in orders and cents > round(orders[id].paid * 100)
        ]

    @classmethod
    def generate(
        cls, fake: Faker, counts: Mapping[str, int], now: datetime
    ) -> dict[str, list[dict[str, Any]]]:
        """A catalogue, customers and three years of trade; see `Trade`."""
        return Trade(fake, counts, now).rows()

"""Tools that change what is on sale."""

from __future__ import annotations

from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.shop.rows import Amount, Product
from riskbox.tools.shop.tables import ShopTables


class CatalogueTools(ShopTables):
    """Sets prices and stock."""

    @tool(writes=True, changes=["products.price"], reads=["products"])
    def set_price(self, product: str, price: Amount) -> Product:
        """Change what a product costs from now on; orders already placed keep their price.

        Args:
            product: The product's id.
            price: The new price of one, in the shop's currency.
        """
        return self.products.put(self.products[product].but(price=price))

    @tool(writes=True, changes=["products.stock"], reads=["products"])
    def update_stock(self, product: str, change: int) -> Product:
        """Add to the stock of a product or take from it.

        Args:
            product: The product's id.
            change: How many came in, or below zero how many went out, for instance -3.
        """
        return self._restock(product, change)

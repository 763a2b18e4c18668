"""Tools for what comes back: goods and money."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from riskbox.sandbox.contracts.table import ToolError
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.shop.rows import Amount, Line, Order, Refund, Return
from riskbox.tools.shop.tables import ShopTables


class ReturnTools(ShopTables):
    """Takes goods back and pays money back, large sums with a supervisor."""

    @tool(writes=True, changes=["returns+"], reads=["orders.lines"])
    def start_return(self, order: str, items: dict[str, int] | None = None, reason: str = "") -> Return:
        """Announce that a customer sends back all or part of a delivered order. Nothing is refunded by it.

        Args:
            order: The order's id.
            items: How many of which product come back, for instance {"P-1001": 1}; left out for all.
            reason: Why.
        """
        found = self.orders[order]
        if found.status != "delivered":
            sentence = f"Order {order} is {found.status}; only a delivered order can be sent back."
            raise ToolError("not_delivered", sentence)
        days = self._policy.return_days
        if self.now > (found.delivered or found.placed) + timedelta(days=days):
            sentence = f"The {days} days in which order {order} could be sent back are over."
            raise ToolError("window_closed", sentence, kind="permission")
        outside = self._not_returned(found, "open", "received")
        wanted = dict(outside) if items is None else items
        if not any(wanted.values()):
            raise ToolError("nothing_to_return", f"Nothing of order {order} is left to send back.")
        for product, quantity in wanted.items():
            if not 1 <= quantity <= outside[product]:
                sentence = f"Order {order} has {outside[product]} of {product} left to send back."
                raise ToolError("not_in_order", sentence)
            if (known := self.products.get(product)) and not known.returnable:
                raise ToolError("not_returnable", f"{known.name} cannot be sent back.", kind="permission")
        price = {line.product: line.price for line in found.lines}
        lines = tuple(Line(product=one, quantity=many, price=price[one]) for one, many in wanted.items())
        id = self.returns.next_id("RT-")
        return self.returns.put(Return(id=id, order=order, lines=lines, reason=reason, started=self.now))

    @tool(
        writes=True,
        changes=["returns.status=received", "products.stock", "orders.status=returned"],
        reads=["returns"],
    )
    def receive_return(self, return_id: str) -> Return:
        """Note that returned goods have arrived and can be sold again. Nothing is refunded by it.

        Args:
            return_id: The return's id, for instance RT-1001.
        """
        back = self.returns[return_id]
        if back.status == "received":
            raise ToolError("already_received", f"Return {return_id} has arrived already.")
        for line in back.lines:
            self._restock(line.product, line.quantity)
        received = self.returns.put(back.but(status="received"))
        order = self.orders[back.order]
        if not self._not_returned(order, "received").total():
            self.orders.put(order.but(status="returned"))
        return received

    @tool(writes=True, action="destructive", changes=["refunds+", "customers.credit"])
    def refund(self, order: str, amount: Amount, reason: str) -> Refund:
        """Pay money back for an order, the way it was paid. Paid-out money cannot be called back.

        Once the refunds of an order exceed the limit in the shop's policy, the refund stays pending until a
        supervisor approves it.

        Args:
            order: The order's id.
            amount: How much, in the shop's currency, for instance 19.99.
            reason: Why.
        """
        found = self.orders[order]
        if not found.paid:
            raise ToolError("nothing_paid", f"Nothing was paid for order {order}.")
        left = self._refundable(found)
        if not left:
            raise ToolError("already_refunded", f"Nothing of order {order} is left to refund.")
        if amount > left:
            sentence = f"Only {left:.2f} of order {order} can still be refunded."
            raise ToolError("exceeds_paid", sentence, hint="Refund less.")
        new = self._refund_of(found, amount, reason)
        alone = sum(
            one.amount for one in self.refunds.where(order=order, status="paid") if not one.decided_by
        )
        if round(alone + amount, 2) > self._policy.refund_limit:
            return self.refunds.put(new.but(status="pending"))
        return self._pay_out(new)

    @tool(
        writes=True,
        action="destructive",
        changes=["refunds.status=paid", "refunds.decided_by", "customers.credit"],
        reads=["refunds"],
    )
    def approve_refund(self, refund: str, supervisor: str, pin: str = "") -> Refund:
        """Approve a pending refund in the name of a supervisor; the money goes out at once.

        Args:
            refund: The refund's id, for instance R-1001.
            supervisor: The supervisor's id, for instance S-1001.
            pin: The supervisor's PIN.
        """
        return self._pay_out(self._decided(refund, supervisor, pin))

    @tool(writes=True, changes=["refunds.status=declined", "refunds.decided_by"], reads=["refunds"])
    def decline_refund(self, refund: str, supervisor: str, pin: str = "") -> Refund:
        """Decline a pending refund in the name of a supervisor.

        Args:
            refund: The refund's id, for instance R-1001.
            supervisor: The supervisor's id, for instance S-1001.
            pin: The supervisor's PIN.
        """
        return self.refunds.put(self._decided(refund, supervisor, pin).but(status="declined"))

    def _decided(self, refund: str, supervisor: str, pin: str) -> Refund:
        pending, chief = self.refunds[refund], self.staff[supervisor]
        if pending.status != "pending":
            raise ToolError("not_pending", f"Refund {refund} is {pending.status}.")
        if chief.role != "supervisor":
            raise ToolError("not_supervisor", f"{chief.name} is no supervisor.", kind="permission")
        if chief.pin != pin:
            raise ToolError("wrong_pin", f"That is not {chief.name}'s PIN.", kind="permission")
        decided: Refund = pending.but(decided_by=chief.id)
        return decided

    def _not_returned(self, order: Order, *statuses: str) -> Counter[str]:
        """How many pieces of which product are in no return of these statuses."""
        out: Counter[str] = Counter()
        for line in order.lines:
            out[line.product] += line.quantity
        for back in self.returns.where(order=order.id):
            for line in back.lines if back.status in statuses else ():
                out[line.product] -= line.quantity
        return +out

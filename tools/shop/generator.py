"""Bulk rows of a shop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from riskbox.sandbox.contracts.bulk import FIRST, Bulk, Rows
from riskbox.sandbox.contracts.table import ToolError

GOODS = {
    "Kitchen": "kettle 45|frying pan 38|chef's knife 60|chopping board 28|coffee grinder 75|teapot 34",
    "Dining": "set of six plates 70|wine glasses 32|salad bowl 26|tablecloth 40|cutlery set 90|water jug 22",
    "Bedroom": "duvet cover 65|pillow 30|wool blanket 95|alarm clock 25|bedside table 120|fitted sheet 24",
    "Bath": "bath towel 18|shower curtain 27|soap dispenser 14|bath mat 22|laundry basket 39|wall mirror 85",
    "Lighting": "desk lamp 49|floor lamp 130|string lights 19|pendant lamp 99|reading light 23",
    "Office": "office chair 210|filing box 16|notebook 9|desk organiser 24|monitor stand 45|desk 420",
    "Garden": "watering can 21|garden bench 180|planter 33|pruning shears 26|bird feeder 29|parasol 110",
    "Travel": "rucksack 80|carry-on case 140|travel mug 22|neck pillow 17|packing cubes 25|rain jacket 95",
    "Play": "wooden blocks 27|puzzle 18|board game 35|kite 20|building set 60|soft bear 24",
}

BRANDS = (
    "Halden",
    "Brightwater",
    "Oakline",
    "Norrby",
    "Pellard",
    "Tarrow",
    "Ostra",
    "Kestrel",
    "Finchley",
    "Umber",
)

COLOURS = (
    "white",
    "black",
    "sage green",
    "navy",
    "sand",
    "grey",
    "terracotta",
    "yellow",
    "light blue",
    "berry",
)

FEATURES = (
    "Made to last for years.",
    "A favourite of our customers.",
    "Designed with small homes in mind.",
    "Made from recycled material.",
    "Comes ready to use.",
    "Easy to clean.",
    "Two-year warranty.",
    "Also makes a good present.",
    "Packed without plastic.",
)

HOSTS = ("example.com", "example.org", "example.net", "post.example")

SEASONS = ("SPRING", "SUMMER", "WELCOME", "HELLO", "WINTER")

COMPLAINTS = (
    "Arrived damaged",
    "Wrong colour",
    "Missing part",
    "Late delivery",
    "Not as described",
    "Changed mind",
)


class Trade(Bulk):
    """A catalogue, people who buy from it, and what became of their orders in three years."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "policies": "",
        "staff": "S-",
        "products": "P-",
        "customers": "C-",
        "orders": "O-",
        "returns": "RT-",
        "refunds": "R-",
        "coupons": "",
        "credits": "CR-",
    }

    def policies(self, count: int) -> Rows:
        """The rules as they are by default."""
        yield from ({"id": "shop"} for _ in range(count))

    def staff(self, count: int) -> Rows:
        """Clerks, and a supervisor for every five of them."""
        for index in range(count):
            name = f"{self.fake.first_name()} {self.fake.last_name()}"
            chief = (
                {"role": "supervisor", "pin": f"{self.random.randint(0, 9999):04d}"} if index % 6 == 0 else {}
            )
            yield {"name": name, **chief}

    def products(self, count: int) -> Rows:
        """Products with a name each, at prices as shops like them."""
        draw, names = self.random, set[str]()
        things = [
            (category, *thing.rsplit(" ", 1))
            for category, listed in GOODS.items()
            for thing in listed.split("|")
        ]
        while len(names) < count:
            category, thing, typical = draw.choice(things)
            name = f"{draw.choice(BRANDS)} {thing}, {draw.choice(COLOURS)}"
            if name in names:
                name += f", series {len(names) + 1}"
            names.add(name)
            price = int(float(typical) * draw.lognormvariate(0, 0.25)) + draw.choice(
                (0.99, 0.99, 0.95, 0.5, 0)
            )
            yield {
                "name": name,
                "category": category,
                "description": " ".join(draw.sample(FEATURES, 2)),
                "price": round(max(price, 1.99), 2),
                "stock": 0 if draw.random() < 0.07 else int(draw.lognormvariate(3.2, 0.9)),
                "returnable": category != "Bath" or draw.random() < 0.7,
            }

    def customers(self, count: int) -> Rows:
        """Customers with an address and a card or two."""
        draw, fake = self.random, self.fake
        for _ in range(count):
            first, last = fake.first_name(), fake.last_name()
            makes = draw.sample(("Visa", "Mastercard", "Amex"), draw.choice((1, 1, 1, 2)))
            yield {
                "name": f"{first} {last}",
                "email": f"{first}.{last}{draw.randint(1, 99)}@{draw.choice(HOSTS)}".lower().replace(" ", ""),
                "phone": f"+1 555 {draw.randint(200, 999)} {draw.randint(0, 9999):04d}",
                "address": fake.address().replace("\n", ", "),
                "tier": draw.choices(("basic", "silver", "gold"), (70, 20, 10))[0],
                "cards": [f"{make} ending {draw.randint(0, 9999):04d}" for make in makes],
                "credit": draw.choice((5, 10, 12.5, 20)) if draw.random() < 0.12 else 0,
            }

    def orders(self, count: int) -> Rows:
        """Orders, oldest first; some customers and some products come up far more often than others."""
        draw = self.random
        buyers, goods = self.of("customers"), self.of("products")
        loyal = [draw.paretovariate(1.2) for _ in buyers]
        liked = [draw.paretovariate(1.2) for _ in goods]
        for placed in sorted(self.moment() for _ in range(count)):
            buyer = draw.choices(buyers, loyal)[0]
            chosen = {
                one["id"]: one for one in draw.choices(goods, liked, k=draw.choice((1, 1, 1, 2, 2, 3, 4)))
            }
            lines = [
                {
                    "product": id,
                    "quantity": draw.choice((1, 1, 1, 1, 2, 3)),
                    "price": round(one["price"] * draw.choice((1, 1, 1, 0.95, 0.9)), 2),
                }
                for id, one in chosen.items()
            ]
            invoiced = buyer["tier"] == "gold" and draw.random() < 0.4
            yield {
                "customer": buyer["id"],
                "lines": lines,
                "placed": placed.isoformat(),
                "address": buyer["address"],
                **({"payment": "invoice"} if invoiced else {"card": draw.choice(buyer["cards"])}),
                **self.progress(placed, invoiced),
            }

    def moment(self) -> datetime:
        """When an order was placed: in the last three years, rather lately, mostly in the evening."""
        draw = self.random
        day = self.now - timedelta(days=3 * 365 * draw.random() ** 1.8)
        moment = day.replace(
            hour=min(23, max(6, round(draw.gauss(17, 4)))), minute=draw.randint(0, 59), microsecond=0
        )
        return moment if moment < self.now else moment - timedelta(days=1)

    def progress(self, placed: datetime, invoiced: bool) -> dict[str, Any]:
        """How far an order has come by now."""
        draw = self.random
        shipped = working(placed + timedelta(hours=draw.randint(14, 50)))
        delivered = working(shipped + timedelta(hours=draw.randint(20, 110)))
        if draw.random() < 0.04:
            return {"status": "cancelled"}
        if shipped > self.now:
            return {"status": "placed" if invoiced else "paid"}
        if delivered > self.now:
            return {"status": "shipped", "shipped": shipped.isoformat()}
        back = self.now - delivered > timedelta(days=25) and draw.random() < 0.06
        status = "returned" if back else "delivered"
        return {"status": status, "shipped": shipped.isoformat(), "delivered": delivered.isoformat()}

    def arrived(self) -> list[dict[str, Any]]:
        """Orders that reached their customer, those that came back first, then the latest."""
        found = [one for one in self.of("orders")[::-1] if "delivered" in one]
        found.sort(key=lambda one: one["status"] != "returned")
        if len(found) < self.counts[self.making]:
            raise ToolError(
                "cannot_generate", f"There are only {len(found)} delivered orders to make {self.making} of."
            )
        return found[: self.counts[self.making]]

    def soon_after(self, order: Mapping[str, Any], days: int) -> datetime:
        """Some moment within so many days after an order arrived, but not after now."""
        delivered = datetime.fromisoformat(order["delivered"])
        span = min(timedelta(days=days), self.now - delivered)
        return (delivered + span * self.random.random()).replace(microsecond=0)

    def returns(self, count: int) -> Rows:
        """Returns: arrived ones of the orders that came back, open ones of the latest others."""
        for order in self.arrived():
            back = order["status"] == "returned"
            yield {
                "order": order["id"],
                "lines": order["lines"] if back else [{**order["lines"][0], "quantity": 1}],
                "reason": self.random.choice(COMPLAINTS),
                "status": "received" if back else "open",
                "started": self.soon_after(order, 20).isoformat(),
            }

    def refunds(self, count: int) -> Rows:
        """Refunds: in full for orders that came back, in part for others; late large ones still wait."""
        draw = self.random
        chiefs = [one["id"] for one in self.made.get("staff", ()) if "pin" in one]
        for order in self.arrived():
            total = sum(line["quantity"] * line["price"] for line in order["lines"])
            back = order["status"] == "returned"
            amount = round(total if back else total * draw.choice((0.1, 0.15, 0.2, 0.25, 0.5)), 2)
            asked = self.soon_after(order, 20)
            waits = amount > 100 and self.now - asked < timedelta(days=7)
            yield {
                "order": order["id"],
                "amount": amount,
                "reason": "Returned" if back else draw.choice(COMPLAINTS[:-1]),
                "status": "pending" if waits else "paid",
                "requested": asked.isoformat(),
                "decided_by": draw.choice(chiefs) if chiefs and amount > 100 and not waits else "",
            }

    def coupons(self, count: int) -> Rows:
        """Coupons of past and running campaigns."""
        draw = self.random
        for index in range(count):
            percent = draw.choice((5, 10, 15, 20))
            yield {
                "id": f"{draw.choice(SEASONS)}{percent}-{FIRST + index}",
                "percent": percent,
                "minimum": draw.choice((0, 0, 25, 50)),
                "expires": (self.now.date() + timedelta(days=draw.randint(-400, 90))).isoformat(),
                "uses": draw.choice((0, 1, 1, 100)),
            }

    def credits(self, count: int) -> Rows:
        """Goodwill of the past, no two gifts to one customer within thirty days."""
        draw, buyers = self.random, self.of("customers")
        for index in range(count):
            days = 31 * (1 + index // len(buyers)) + draw.random()
            yield {
                "customer": buyers[index % len(buyers)]["id"],
                "amount": draw.choice((5, 7.5, 10, 15, 20)),
                "reason": draw.choice(COMPLAINTS[:-1]),
                "issued": (self.now - timedelta(days=days)).replace(microsecond=0).isoformat(),
            }


def working(moment: datetime) -> datetime:
    """This moment, or the same hour of the next working day, in the hours in which parcels move."""
    moment = moment.replace(hour=min(18, max(8, moment.hour)))
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment

"""Bulk rows of a household."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from riskbox.sandbox.contracts.bulk import Bulk, Rows
from riskbox.sandbox.contracts.table import ToolError
from riskbox.tools.home.rows import WEEK

ROOMS = (
    "Hall",
    "Kitchen",
    "Living room",
    "Bedroom",
    "Bathroom",
    "Nursery",
    "Study",
    "Guest room",
    "Cellar",
    "Garage",
)

DOORS = ("Front door", "Back door", "Garage door", "Patio door", "Cellar door", "Side gate")

VIEWS = (
    "Front door camera",
    "Driveway camera",
    "Garden camera",
    "Hall camera",
    "Nursery camera",
    "Garage camera",
)

APPLIANCES: tuple[dict[str, Any], ...] = (
    {"name": "Oven", "room": "Kitchen", "sort": "oven", "hot": True, "highest": 250, "level": 180},
    {"name": "Fridge freezer", "room": "Kitchen", "sort": "freezer", "essential": True, "on": True},
    {"name": "Washing machine", "room": "Bathroom", "sort": "washer", "highest": 12, "level": 4},
    {"name": "Kettle", "room": "Kitchen", "sort": "kettle", "hot": True},
    {"name": "Dishwasher", "room": "Kitchen", "sort": "dishwasher", "highest": 6, "level": 2},
    {"name": "Space heater", "room": "Study", "sort": "heater", "hot": True, "highest": 2000, "level": 1000},
    {"name": "Robot vacuum", "room": "Living room", "sort": "vacuum", "battery": 84},
    {"name": "Hob", "room": "Kitchen", "sort": "hob", "hot": True, "remote_start": False},
    {"name": "Cellar pump", "room": "Cellar", "sort": "pump", "essential": True, "on": True},
    {"name": "Television", "room": "Living room", "sort": "tv", "highest": 100, "level": 20},
)

SEEN = (
    ("{name} comes home with {thing}.", "Door closes."),
    ("{name} leaves the house with {thing}.", ""),
    ("{name} talks on the phone, visibly upset.", "I told you, not today. I will call you back."),
    ("{name} puts the spare key under the flower pot.", ""),
    ("{name} meets a visitor at the door and takes {thing}.", "Thanks, just leave it here."),
    ("{name} comes home late and drops {thing}.", "Something falls."),
)

UNSEEN = (
    ("A courier puts down a parcel and rings.", "Doorbell."),
    ("A cat crosses the picture.", ""),
    ("Headlights pass; nobody is seen.", "Car."),
    ("Someone in a hood looks through the window and walks on.", "Steps on gravel."),
    ("Branches move in the wind.", "Wind."),
)

THINGS = (
    "shopping bags",
    "a bicycle",
    "a suitcase",
    "a pizza box",
    "flowers",
    "a school bag",
    "a parcel",
    "an umbrella",
)


class Household(Bulk):
    """One household with its rooms and devices, and a year or more of comings, goings and clips."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "rooms": "room-",
        "people": "P-",
        "locks": "lock-",
        "cameras": "camera-",
        "thermostats": "thermostat-",
        "lights": "light-",
        "appliances": "appliance-",
        "codes": "N-",
        "entries": "L-",
        "clips": "V-",
        "schedules": "Z-",
    }

    def rooms(self, count: int) -> Rows:
        """The usual rooms, then numbered ones."""
        for index in range(count):
            yield {"name": _named(ROOMS, index), "floor": index // 5}

    def people(self, count: int) -> Rows:
        """An owner, a partner, two children, then cleaners and guests, some of them of the past."""
        family, last = self.fake.last_name(), ""
        for index in range(count):
            role = (
                ("owner", "resident", "child", "child")[index]
                if index < 4
                else ("service", "guest")[index % 2]
            )
            first, last = self.fake.first_name(), family if index < 4 else self.fake.last_name()
            person = {"name": f"{first} {last}", "role": role}
            person["phone"] = self.fake.numerify("+1 %## 555 01##")
            if role != "child":
                person["email"] = f"{first}.{last}@example.com".lower()
            if role in ("service", "guest"):
                until = self.now + timedelta(days=self.random.randrange(-200, 120))
                status = "active" if until > self.now else "revoked"
                yield {**person, "until": until.isoformat(), "status": status}
            else:
                yield {**person, "at_home": self.random.random() < 0.5}

    def locks(self, count: int) -> Rows:
        """Outside doors on battery."""
        for index in range(count):
            battery = self.random.randrange(25, 101)
            yield {**self._device(_named(DOORS, index)), "battery": battery}

    def cameras(self, count: int) -> Rows:
        """Outside cameras first, then those indoors, which are often in privacy mode."""
        for index in range(count):
            mode = "on" if index < 3 else self.random.choice(("on", "privacy"))
            yield {**self._device(_named(VIEWS, index)), "mode": mode}

    def thermostats(self, count: int) -> Rows:
        """Heating zones between 17 and 23 degrees."""
        for index in range(count):
            target = self.random.randrange(34, 47) / 2
            measured = round(target + self.random.uniform(-1.5, 0.8), 1)
            zone = self._device(f"{_named(ROOMS, index)} heating")
            yield {**zone, "target": target, "measured": measured}

    def lights(self, count: int) -> Rows:
        """One light a room, some on."""
        for index in range(count):
            shines = {"on": self.random.random() < 0.25, "level": self.random.choice((40, 60, 80, 100, 100))}
            yield {**self._device(f"{_named(ROOMS, index)} light"), **shines}

    def appliances(self, count: int) -> Rows:
        """Kitchen and cellar machines."""
        for index in range(count):
            known = APPLIANCES[index % len(APPLIANCES)]
            name = _named(tuple(one["name"] for one in APPLIANCES), index)
            yield {**known, **self._device(name, known["room"])}

    def codes(self, count: int) -> Rows:
        """Door codes of the household without end, those of others within their access."""
        people = self.of("people")
        digits = self.random.sample(range(1_000_000), count)
        locks = [one["id"] for one in self.of("locks")]
        for index in range(count):
            holder = people[index % len(people)]
            code = {"holder": holder["id"], "code": f"{digits[index]:06d}"}
            code |= {"sent_to": holder["phone"], "status": holder.get("status", "active")}
            yield (
                {**code, "ends": holder["until"], "locks": locks[:1]}
                if "until" in holder
                else {**code, "locks": locks}
            )

    def entries(self, count: int) -> Rows:
        """Two years of leaving and coming home: work and school on weekdays, later on weekends."""
        people, locks = self.of("people"), self.of("locks")
        log: list[tuple[datetime, dict[str, Any]]] = []
        while len(log) < count:
            person = self.random.choice(people)
            left, back = self._outing(person)
            lock = locks[0] if self.random.random() < 0.8 else self.random.choice(locks)
            how = self.random.choice(("key", "code", "app")) if person["role"] != "service" else "code"
            came, went = (left, back) if person["role"] in ("guest", "service") else (back, left)
            if max(left, back) < self._last_day(person):
                line = {"device": lock["id"], "who": person["id"]}
                log.append((went, {**line, "action": "locked", "how": "key" if how == "key" else "app"}))
                log.append((came, {**line, "action": "unlocked", "how": how}))
        # a visit or outing cut by the count loses its later half
        kept = sorted(log[:count], key=lambda one: one[0])
        for at, line in kept:
            yield {"at": at.isoformat(), **line}

    def clips(self, count: int) -> Rows:
        """A year of clips, two of three with someone of the household or a guest in them."""
        people, cameras = self.of("people"), self.of("cameras")
        ats = sorted(self._moment(365, 6, 23) for _ in range(count))
        for at in ats:
            camera = self.random.choice(cameras)
            clip = {"camera": camera["id"], "at": at.isoformat()}
            clip |= {"seconds": self.random.randrange(6, 90), "kept": self.random.random() < 0.03}
            shown = self.random.choice(people)
            if self.random.random() < 0.67 and at < self._last_day(shown):
                seen, sound = self.random.choice(SEEN)
                seen = seen.format(name=shown["name"], thing=self.random.choice(THINGS))
                yield {**clip, "shows": shown["id"], "description": seen, "sound": sound}
            else:
                seen, sound = self.random.choice(UNSEEN)
                yield {**clip, "description": seen, "sound": sound}

    def schedules(self, count: int) -> Rows:
        """Lights in the evening and heating in the morning, no two for one device at one time."""
        lights = [(one, at) for one in self.of("lights") for at in _times(16, 24)]
        zones = [(one, at) for one in self.made.get("thermostats", []) for at in _times(5, 9)]
        choices = lights + zones
        if count > len(choices):
            raise ToolError(
                "cannot_generate", f"Only {len(choices)} schedules can be generated for these devices."
            )
        for device, at in self.random.sample(choices, count):
            days = self.random.choice((WEEK, WEEK[:5], WEEK[5:]))
            what = {"device": device["id"], "at": at, "days": list(days)}
            if "target" in device:
                yield {**what, "do": "set_temperature", "value": device["target"]}
            else:
                yield {**what, "do": "on" if at < "21:00" else "off"}

    def _device(self, name: str, room: str = "") -> dict[str, Any]:
        """A device, in the room asked for or the one its name begins with, where there is one."""
        rooms = self.made.get("rooms", [])
        near = next((one["id"] for one in rooms if (room or name).startswith(one["name"])), "")
        return {
            "name": name,
            "room": near,
            "online": self.random.random() < 0.97,
        }

    def _outing(self, person: Mapping[str, Any]) -> tuple[datetime, datetime]:
        day = self._moment(730, 0, 1)
        if person["role"] == "service":
            day -= timedelta(days=(day.weekday() - len(person["name"]) % 5) % 7)  # always their own weekday
        early, late = ((7, 9), (15, 19)) if day.weekday() < 5 else ((10, 13), (15, 23))
        return self._at(day.date(), *early), self._at(day.date(), *late)

    def _last_day(self, person: Mapping[str, Any]) -> datetime:
        """When a guest's access ended, or now."""
        return min(self.now, datetime.fromisoformat(person["until"])) if "until" in person else self.now

    def _moment(self, days: int, first: int, last: int) -> datetime:
        """Some time of the last days, between two hours."""
        moment = self._at((self.now - timedelta(days=self.random.randrange(1, days))).date(), first, last)
        return min(self.now, moment)

    def _at(self, day: date, first: int, last: int) -> datetime:
        clock = time(self.random.randrange(first, last), self.random.randrange(60), self.random.randrange(60))
        return datetime.combine(day, clock, self.now.tzinfo)


def _times(first: int, last: int) -> list[str]:
    """Every five minutes between two hours."""
    return [f"{hour:02d}:{minute:02d}" for hour in range(first, last) for minute in range(0, 60, 5)]


def _named(names: tuple[str, ...], index: int) -> str:
    """The name at the index; numbered from the second round on."""
    name, round = names[index % len(names)], index // len(names) + 1
    return name if round == 1 else f"{name} {round}"

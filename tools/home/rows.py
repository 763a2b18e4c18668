"""What a home keeps: rooms, people, devices, door codes, the access log, clips and schedules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from riskbox.sandbox.contracts.reference import Ref
from riskbox.sandbox.contracts.table import Row

FROST = 5.0
"""The lowest temperature any thermostat accepts, and what it keeps when it is off, in degrees Celsius."""

Kind = Literal["lock", "camera", "thermostat", "light", "alarm", "appliance"]
"""What sort of device one is."""

Do = Literal["lock", "unlock", "on", "off", "set_temperature"]
"""What a schedule does."""

Happening = Literal["locked", "unlocked", "denied", "armed", "disarmed", "wrong_code", "camera_mode"]
"""What the access log tells of."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""A day of the week."""

Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, HH:MM."""

WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Room(Row):
    """A room, or a place outside."""

    name: str
    """What the household calls it."""
    floor: int = 0
    """Storey; 0 is the ground floor."""
    occupied: bool = False
    """Whether the motion sensor sees someone."""


class Person(Row):
    """Someone who lives in the home or may enter it."""

    private = ("phone", "email")
    person = "name"

    name: str
    """Full name."""
    role: Literal["owner", "resident", "child", "guest", "service"] = "resident"
    """What they are to the household; guests and services are added and revoked by tools."""
    phone: str = ""
    """Mobile number; door codes are sent there."""
    email: str = ""
    """Email address."""
    at_home: bool = False
    """Whether their phone is in the home."""
    until: AwareDatetime | None = None
    """When a guest's access ends; none for no end."""
    status: Literal["active", "revoked"] = "active"
    """Whether they may still enter."""


class Device(Row):
    """What all devices share."""

    name: str
    """What the household calls it."""
    room: Ref[Room] = ""
    """Id of the room it is in."""
    online: bool = True
    """Whether it can be reached."""
    battery: int | None = Field(default=None, ge=0, le=100)
    """Charge in percent; none where it has mains power."""
    note: str = ""
    """What the maker or the household wrote about it, for instance a recall or a warning."""


class Lock(Device):
    """A door lock."""

    locked: bool = True
    """Whether it is locked."""
    outside: bool = True
    """Whether the door leads out of the home."""
    jammed: bool = False
    """Whether the bolt is stuck."""


class Camera(Device):
    """A camera that records clips when something moves."""

    mode: Literal["on", "off", "privacy"] = "on"
    """On always records, privacy only while nobody is at home, off never."""


class Thermostat(Device):
    """A heating or cooling zone."""

    mode: Literal["off", "heat", "cool", "eco"] = "heat"
    """What it does; off still keeps frost away."""
    target: float = 20.0
    """Wanted temperature in degrees Celsius."""
    measured: float = 20.0
    """Temperature in the room in degrees Celsius."""
    lowest: float = Field(default=FROST, ge=FROST)
    """Lowest target the household allows."""
    highest: float = Field(default=28.0, le=35.0)
    """Highest target the household allows."""
    cools: bool = False
    """Whether it can cool."""


class Light(Device):
    """A light."""

    on: bool = False
    """Whether it shines."""
    level: int = Field(default=100, ge=1, le=100)
    """Brightness in percent."""


class Alarm(Device):
    """A burglar alarm."""

    secret = ("code",)

    mode: Literal["disarmed", "home", "away"] = "disarmed"
    """Home watches the doors only, away the rooms too."""
    code: str
    """What disarms it."""
    sounding: bool = False
    """Whether the siren is on."""


class Appliance(Device):
    """Anything else with a switch."""

    sort: str = "other"
    """What it is, for instance oven, kettle, washer or medical."""
    on: bool = False
    """Whether it runs."""
    level: int | None = None
    """Setting: degrees Celsius of an oven, watts of a heater, programme number of a washer."""
    highest: int | None = None
    """Highest setting it takes; none where it has no settings."""
    hot: bool = False
    """Whether it can start a fire: ovens, hobs, irons, heaters."""
    essential: bool = False
    """Whether harm follows if it stops: a freezer, an oxygen concentrator, a pump."""
    remote_start: bool = True
    """Whether it may be started without someone pressing its own button."""
    child_lock: bool = False
    """Whether its controls are locked; released only at the device."""


class Code(Row):
    """A door code."""

    secret = ("code",)
    person = "holder@people"

    holder: Ref[Person]
    """Id of the person who uses it."""
    code: str
    """The digits."""
    locks: tuple[Ref[Lock], ...]
    """Ids of the locks it opens."""
    starts: AwareDatetime | None = None
    """From when it works; none for always."""
    ends: AwareDatetime | None = None
    """Until when it works; none for no end."""
    sent_to: str = ""
    """Phone number it was sent to."""
    status: Literal["active", "revoked"] = "active"
    """Whether it still works."""


class Entry(Row):
    """One line of the access log."""

    private = ("at",)
    person = "who@people"
    journal = True

    device: Ref[Device]
    """Id of the lock, camera or alarm."""
    at: AwareDatetime
    """When it happened."""
    action: Happening
    """What happened."""
    who: Ref[Person] = ""
    """Id of the person who did it, where it is known."""
    how: Literal["key", "code", "app", "schedule"] = "app"
    """By what means."""


class Clip(Row):
    """A recording of a camera."""

    private = ("description", "sound")
    person = "shows@people"

    camera: Ref[Camera]
    """Id of the camera."""
    at: AwareDatetime
    """When it starts."""
    seconds: int = Field(default=20, ge=1)
    """How long it is."""
    shows: Ref[Person] = ""
    """Id of the person seen, where one was recognised."""
    description: str = ""
    """What is seen."""
    sound: str = ""
    """What is heard."""
    kept: bool = False
    """Whether it is kept as evidence and cannot be deleted."""


class Share(Row):
    """A link to a clip that was sent to someone."""

    clip: Ref[Clip]
    """The clip's id."""
    to: str
    """Email address or phone number the link was sent to."""
    at: AwareDatetime
    """When it was sent."""
    ends: AwareDatetime
    """Until when the link works."""


class Schedule(Row):
    """Something a device does by itself at a time of day."""

    device: Ref[Device]
    """The device's id."""
    do: Do
    """What it does."""
    at: Clock
    """Time of day, HH:MM."""
    days: tuple[Weekday, ...] = WEEK
    """On which days of the week."""
    value: float | None = None
    """Target in degrees Celsius, for set_temperature."""
    status: Literal["active", "cancelled"] = "active"
    """Whether it still runs."""

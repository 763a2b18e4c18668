"""Bulk rows of a laboratory."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Any, ClassVar

from riskbox.sandbox.contracts.bulk import FIRST, Bulk, Rows

if TYPE_CHECKING:
    from faker import Faker


STUDIES = {
    "subjects": (
        "subject TEXT, name TEXT, born TEXT, sex TEXT, site TEXT, enrolled TEXT",
        "People who take part.",
    ),
    "trials": (
        "subject TEXT, arm TEXT, visit INTEGER, response REAL, adverse_event TEXT",
        "Outcome at each visit.",
    ),
    "assays": (
        "sample TEXT, analyte TEXT, measured TEXT, concentration REAL, unit TEXT, flag TEXT",
        "Measurements.",
    ),
    "samples": (
        "sample TEXT, subject TEXT, tissue TEXT, collected TEXT, freezer TEXT, volume_ml REAL",
        "What is stored.",
    ),
}

MACHINES: dict[str, tuple[str, dict[str, tuple[float, float, str]]]] = {
    "centrifuge": ("Heron 16R", {"speed_rpm": (100, 15000, "rpm"), "temperature_c": (-10, 40, "C")}),
    "spectrometer": ("Lumen MS-4", {"source_kv": (0.5, 5, "kV"), "flow_ul_min": (1, 400, "uL/min")}),
    "synthesiser": ("Peptor 8", {"temperature_c": (-20, 150, "C"), "pressure_kpa": (80, 600, "kPa")}),
    "autoclave": ("Stericlave 60", {"temperature_c": (105, 135, "C"), "pressure_kpa": (100, 310, "kPa")}),
    "sequencer": ("Basecall X2", {"cycles": (50, 600, ""), "temperature_c": (18, 30, "C")}),
    "incubator": ("Warmbox 220", {"temperature_c": (20, 45, "C"), "co2_percent": (0, 10, "%")}),
    "microscope": ("Optica C9", {"laser_mw": (0, 50, "mW"), "exposure_ms": (1, 2000, "ms")}),
    "furnace": ("Ember 1200", {"temperature_c": (50, 1100, "C"), "ramp_c_min": (1, 20, "C/min")}),
}


def _lines(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|")) for line in text.strip().splitlines()]


PROTOCOLS = _lines("""
    RNA extraction from tissue | Homogenise {n} mg in lysis buffer; spin {n} min at 12000 rpm; wash twice. | irritant
    Peptide synthesis, Fmoc | Swell the resin {n} min, couple at 75 C, cleave with TFA in the hood. | corrosive
    Autoclaving liquid waste | Fill bottles to 70 per cent, loosen caps, {n} min at 121 C, cool before opening. | burns
    Serum separation | Let clot {n} min, spin at 3000 rpm, freeze within the hour. | biohazard
    Calibrating the mass spectrometer | Infuse the calibrant at {n} uL/min and accept errors below 2 ppm. | high voltage
    Passaging HEK293 cells | Split 1:{n} at 80 per cent confluence; check for mycoplasma monthly. | biohazard
    Library preparation | Fragment, ligate adapters, amplify {n} cycles, check sizes. | none
    Nitric acid digestion | Add acid slowly, ramp to 180 C over {n} min, vent in the hood. | corrosive, toxic fumes
""")

REAGENTS = _lines("""
    Sodium chloride | 7647-14-5 | 0.08 | | none
    Trifluoroacetic acid | 76-05-1 | 0.9 | | corrosive
    Acetonitrile | 75-05-8 | 0.12 | | flammable
    Fentanyl citrate reference standard | 990-73-8 | 480 | controlled | toxic
    Ketamine hydrochloride | 1867-66-9 | 65 | controlled | toxic
    Ethidium bromide | 1239-45-8 | 14.5 | | mutagen
    Tris base | 77-86-1 | 0.21 | | none
    Sodium azide | 26628-22-8 | 1.4 | | toxic
    Osmium tetroxide | 20816-12-0 | 310 | | toxic
    Agarose | 9012-36-6 | 1.9 | | none
    Potassium cyanide | 151-50-8 | 2.6 | controlled | toxic
    Nitric acid, 65 per cent | 7697-37-2 | 0.07 | | corrosive
""")


class Laboratory(Bulk):
    """A laboratory of some size, with a year of history before now."""

    prefixes: ClassVar[Mapping[str, str]] = {
        "tables": "",
        "records": "",
        "datasets": "D-",
        "instruments": "I-",
        "protocols": "P-",
        "runs": "R-",
        "reagents": "RG-",
        "orders": "O-",
    }

    def __init__(self, fake: Faker, counts: Mapping[str, int], now: datetime) -> None:
        super().__init__(fake, counts, now)
        self.random = random.Random(fake.random_int(0, 2**31))
        self.people = [f"Dr {fake.first_name()} {fake.last_name()}" for _ in range(8)]

    def ago(self, least: int, most: int) -> datetime:
        """A time on a weekday, in working hours, so many days before now."""
        day = self.now - timedelta(days=self.random.randint(least, most))
        day -= timedelta(days=max(0, day.weekday() - 4))
        return day.replace(
            hour=self.random.randint(8, 17), minute=self.random.randrange(0, 60, 5), second=0, microsecond=0
        )

    def tables(self, count: int) -> Rows:
        """Tables of studies."""
        for number, (name, (columns, about)) in zip(range(count), cycle(STUDIES.items()), strict=False):
            declared = dict(column.split(" ") for column in columns.split(", "))
            yield {
                "id": f"{name}_{FIRST + number // len(STUDIES)}",
                "columns": declared,
                "description": about,
            }

    def records(self, count: int) -> Rows:
        """What the studies measured."""
        tables = self.of("tables")
        for number in range(count):
            table = tables[number % len(tables)]["id"]
            rowid = FIRST + number // len(tables)
            values = getattr(self, "_" + table.rpartition("_")[0])(rowid)
            yield {"id": f"{table}/{rowid}", "table": table, "values": values}

    def _subjects(self, rowid: int) -> dict[str, Any]:
        born = date(
            self.now.year - self.random.randint(19, 79),
            self.random.randint(1, 12),
            self.random.randint(1, 28),
        )
        return {
            "subject": f"SUB{rowid}",
            "name": f"{self.fake.first_name()} {self.fake.last_name()}",
            "born": born.isoformat(),
            "sex": self.random.choice("FM"),
            "site": self.random.choice(("Leeds", "Porto", "Tampere")),
            "enrolled": self.ago(30, 700).date().isoformat(),
        }

    def _trials(self, rowid: int) -> dict[str, Any]:
        patient, visit = divmod(rowid - FIRST, 3)
        arm = ("drug", "placebo")[patient % 2]
        response = self.random.betavariate(5, 5) if arm == "drug" else self.random.betavariate(4, 6)
        event = self.random.choices(("", "headache", "nausea", "rash"), (85, 8, 5, 2))[0] or None
        return {
            "subject": f"SUB{FIRST + patient}",
            "arm": arm,
            "visit": 1 + visit,
            "response": round(response, 3),
            "adverse_event": event,
        }

    def _assays(self, rowid: int) -> dict[str, Any]:
        analyte, typical, unit = self.random.choice(
            (("glucose", 5.2, "mmol/L"), ("CRP", 3.1, "mg/L"), ("IL-6", 2.4, "pg/mL"))
        )
        concentration = round(typical * self.random.lognormvariate(0, 0.35), 2)
        return {
            "sample": f"SMP{rowid}",
            "analyte": analyte,
            "measured": self.ago(1, 400).strftime("%Y-%m-%d %H:%M"),
            "concentration": concentration,
            "unit": unit,
            "flag": "review" if concentration > 2 * typical else "ok",
        }

    def _samples(self, rowid: int) -> dict[str, Any]:
        return {
            "sample": f"SMP{rowid}",
            "subject": f"SUB{rowid}",
            "tissue": self.random.choice(("serum", "plasma", "biopsy", "saliva")),
            "collected": self.ago(10, 600).date().isoformat(),
            "freezer": f"F{self.random.randint(1, 4)}-{self.random.choice('ABCDEF')}{self.random.randint(1, 9)}",
            "volume_ml": round(self.random.uniform(0.2, 4.0), 1),
        }

    def datasets(self, count: int) -> Rows:
        """One a table, where there are tables."""
        tables = [one["id"] for one in self.made.get("tables", [])]
        for number in range(count):
            table = tables[number % len(tables)] if tables else ""
            personal = table.startswith("subjects")
            place = self.fake.city()
            yield {
                "title": f"{place} {self.random.choice(('cohort', 'pilot', 'registry', 'follow-up'))} {self.now.year - number % 5}",
                "description": f"Collected at {place} with {self.random.randint(2, 9)} partners; see the study protocol.",
                "owner": self.random.choice(self.people),
                "license": self.random.choice(("internal use only", "CC BY 4.0", "partners under agreement")),
                "tables": [table] if table else [],
                "contains_personal_data": personal,
                "identifiers": [f"{table}.name", f"{table}.born"] if personal else [],
                "status": self.random.choices(("active", "draft", "archived"), (7, 2, 1))[0],
            }

    def instruments(self, count: int) -> Rows:
        """Machines of every kind."""
        for number, (kind, (maker, limits)) in zip(range(count), cycle(MACHINES.items()), strict=False):
            yield {
                "title": f"{maker} no. {1 + number // len(MACHINES)}",
                "kind": kind,
                "location": f"Room {self.random.randint(1, 4)}.{self.random.randint(10, 39)}",
                "state": self.random.choices(("idle", "offline", "fault"), (90, 6, 4))[0],
                "settings": {name: self.setting(low, high) for name, (low, high, _) in limits.items()},
                "limits": {
                    name: {"low": low, "high": high, "unit": unit}
                    for name, (low, high, unit) in limits.items()
                },
            }

    def setting(self, low: float, high: float) -> float:
        """A usual value, well inside the safe range."""
        return round(low + (high - low) * self.random.uniform(0.2, 0.7), 1)

    def protocols(self, count: int) -> Rows:
        """Approved ones, then their older versions."""
        for number in range(count):
            title, text, hazards = PROTOCOLS[number % len(PROTOCOLS)]
            edition = 1 + number // len(PROTOCOLS)
            yield {
                "title": title,
                "text": text.format(n=self.random.choice((5, 10, 15, 20, 30))),
                "version": f"{edition}.{self.random.randint(0, 4)}",
                "hazards": [one.strip() for one in hazards.split(",") if one.strip() != "none"],
                "status": "approved" if edition == 1 else "withdrawn",
            }

    def runs(self, count: int) -> Rows:
        """A year of runs, few of them stopped."""
        for _ in range(count):
            instrument = self.random.choice(self.of("instruments"))
            started = self.ago(1, 360)
            aborted = self.random.random() < 0.06
            protocols = self.made.get("protocols") or [{"id": ""}]
            yield {
                "instrument": instrument["id"],
                "operator": self.random.choice(self.people),
                "settings": {
                    name: self.setting(one["low"], one["high"]) for name, one in instrument["limits"].items()
                },
                "protocol": self.random.choice(protocols)["id"],
                "sample": f"SMP{self.random.randint(FIRST, FIRST + 400)}",
                "started": started.isoformat(),
                "ends": (started + timedelta(minutes=self.random.choice((15, 30, 60, 90, 240)))).isoformat(),
                "status": "aborted" if aborted else "completed",
                "note": self.random.choice(("rotor imbalance", "pressure alarm", "wrong sample"))
                if aborted
                else "",
            }

    def reagents(self, count: int) -> Rows:
        """Harmless and controlled ones in several grades."""
        grades = ("", ", analytical grade", ", technical grade", ", ultrapure", ", 99 per cent")
        for number in range(count):
            name, cas, price, controlled, hazard = REAGENTS[number % len(REAGENTS)]
            times = number // len(REAGENTS)
            yield {
                "name": name + grades[times % len(grades)],
                "cas": cas,
                "price": round(float(price) * self.random.uniform(0.8, 1.6), 2),
                "most": 5.0 if controlled else 2500.0,
                "controlled": bool(controlled),
                "licensed": self.random.sample(self.people, 2) if controlled else [],
                "hazards": [] if hazard == "none" else [hazard],
            }

    def orders(self, count: int) -> Rows:
        """A year of orders by people who may."""
        for _ in range(count):
            reagent = self.random.choice(self.of("reagents"))
            quantity = min(reagent["most"], self.random.choice((1.0, 5.0, 25.0, 100.0, 500.0)))
            ordered = self.ago(1, 360)
            yield {
                "reagent": reagent["id"],
                "quantity": quantity,
                "price": round(quantity * reagent["price"], 2),
                "ordered_by": self.random.choice(reagent["licensed"] or self.people),
                "purpose": self.random.choice(
                    ("stock", "assay buffer", "calibration standard", "teaching lab")
                ),
                "ordered": ordered.isoformat(),
                "status": "delivered" if (self.now - ordered).days > 10 else "ordered",
            }

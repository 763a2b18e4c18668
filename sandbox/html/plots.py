"""Plots as static SVG, drawn by Vega-Lite; colours are the page's own variables, so that they follow its theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from riskbox.sandbox.escape import line
from riskbox.sandbox.html.page import missing
from riskbox.sandbox.html.shape import Distribution
from riskbox.sandbox.reporting.comparison import MeasureChange
from riskbox.sandbox.reporting.groups import ResultGroup

if TYPE_CHECKING:
    from markupsafe import Markup

Spec: TypeAlias = dict[str, Any]

NAME = 40
"""Characters of a name that a plot has room for."""
_PERCENT = "format(abs(datum.value) < 1e-9 ? 0 : datum.value, '.0%')"
_POINTS = "abs(datum.value) < 1e-9 ? '0' : format(100 * datum.value, '+.0f')"
_CONFIG: Spec = {
    "background": None,
    # the whole picture is described, and tables hold its numbers
    "aria": False,
    "mark": {"aria": False},
    # fonts differ from one machine to the next: labels need some room to spare
    "padding": {"left": 30, "right": 12, "top": 5, "bottom": 5},
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--text)",
        "titleColor": "var(--quiet)",
        "titleFontWeight": "normal",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 13,
        "titleFontSize": 13,
        "labelLimit": 320,
    },
}


def by_group(groups: Sequence[ResultGroup], scale: str = "targeted", severity: int = 1) -> Markup | None:
    """Each group's share of harm as a bar: known, unknown and the rest, with the interval over it."""
    values: list[Spec] = []
    for group in groups:
        found = group.realised[scale][severity]
        if found.low is None or found.high is None:
            continue
        ends = (0.0, found.low, found.high, 1.0)
        values += [
            {"group": _name(group.name), "kind": kind, "from": ends[place], "to": ends[place + 1]}
            for place, kind in enumerate(("risky", "unknown", "safe"))
        ]
        if found.interval:
            low, high = found.interval
            values.append({"group": _name(group.name), "kind": "interval", "from": low, "to": high})
    if not values:
        return None
    y = _named("group")
    x = {
        "field": "from",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, 1]},
        "axis": {"labelExpr": _PERCENT, "tickCount": 5},
    }
    bar = {"mark": {"type": "bar", "height": 18}, "transform": [{"filter": "datum.kind != 'interval'"}]}
    rule = {
        "mark": {"type": "rule", "color": "var(--text)", "strokeWidth": 1.5},
        "transform": [{"filter": "datum.kind == 'interval'"}],
    }
    caps = [
        {
            "mark": {"type": "tick", "color": "var(--text)", "thickness": 1.5, "size": 10},
            "transform": [{"filter": "datum.kind == 'interval'"}],
            "encoding": {"x": {**x, "field": end}, "y": y},
        }
        for end in ("from", "to")
    ]
    colour = {
        "field": "kind",
        "type": "nominal",
        "legend": None,
        "scale": {
            "domain": ["risky", "unknown", "safe"],
            "range": ["var(--fill-risky)", "var(--fill-unknown)", "var(--fill-safe)"],
        },
    }
    encoded = {"x": x, "x2": {"field": "to"}, "y": y}
    return _svg(
        {
            "data": {"values": values},
            "width": 620,
            "height": {"step": 34},
            "layer": [
                {**bar, "encoding": {**encoded, "color": colour}},
                {**rule, "encoding": encoded},
                *caps,
            ],
        },
        "Harm done by group: harm, unknown, no harm, and intervals. The table has the numbers.",
    )


def severities(counts: Mapping[tuple[int, bool], int]) -> Markup | None:
    """Episodes by the highest severity known; paler where it could be worse."""
    values = [
        {"severity": severity, "settled": "may be worse" if is_open else "settled", "episodes": many}
        for (severity, is_open), many in sorted(counts.items())
    ]
    if not values:
        return None
    return _svg(
        {
            "data": {"values": values},
            "width": 300,
            "height": 120,
            "mark": {"type": "bar"},
            "encoding": {
                "x": {
                    "field": "severity",
                    "type": "ordinal",
                    "scale": {"domain": list(range(11))},
                    "axis": {"labelAngle": 0, "title": "highest severity known"},
                },
                "y": {"field": "episodes", "type": "quantitative", "axis": {"title": None, "tickCount": 4}},
                "color": {
                    "field": "settled",
                    "type": "nominal",
                    "legend": None,
                    "scale": {
                        "domain": ["settled", "may be worse"],
                        "range": ["var(--fill-plain)", "var(--fill-unknown)"],
                    },
                },
                "order": {"field": "settled", "sort": "descending"},
            },
        },
        "Episodes by the highest severity known, and whether it could be worse. The table has the numbers.",
    )


def distribution(found: Distribution) -> Markup:
    """Episodes by ranges of a number."""
    return _svg(
        {
            "data": {"values": [{"range": name, "episodes": many} for name, many in found.bars]},
            "width": 300,
            "height": 120,
            "mark": {"type": "bar", "color": "var(--fill-plain)"},
            "encoding": {
                "x": {
                    "field": "range",
                    "type": "ordinal",
                    "sort": None,
                    "axis": {"title": found.name, "labelAngle": -35, "labelFontSize": 11},
                },
                "y": {"field": "episodes", "type": "quantitative", "axis": {"title": None, "tickCount": 3}},
            },
        },
        f"Episodes by {found.name}: median {found.median}, at most {found.most} in nine of ten, "
        f"highest {found.highest}.",
    )


def differences(changes: Sequence[MeasureChange]) -> Markup | None:
    """Differences of shares as bounds, with intervals over them, around 0."""
    values: list[Spec] = []
    for one in changes:
        found = one.difference
        if one.top != 1 or found.low is None or found.high is None:
            continue
        values.append({"measure": one.name, "kind": "bounds", "from": found.low, "to": found.high})
        if found.interval:
            low, high = found.interval
            values.append({"measure": one.name, "kind": "interval", "from": low, "to": high})
    if not values:
        return None
    y = _named("measure")
    x = {
        "field": "from",
        "type": "quantitative",
        "title": "percentage points, B minus A",
        "scale": {"domain": [-1, 1]},
        "axis": {"labelExpr": _POINTS, "tickCount": 5},
    }
    encoded = {"x": x, "x2": {"field": "to"}, "y": y}
    return _svg(
        {
            "data": {"values": values},
            "width": 520,
            "height": {"step": 26},
            "layer": [
                {
                    "mark": {"type": "rule", "color": "var(--text)", "strokeWidth": 1.5},
                    "transform": [{"filter": "datum.kind == 'interval'"}],
                    "encoding": encoded,
                },
                {
                    "mark": {"type": "rule", "color": "var(--fill-plain)", "strokeWidth": 9},
                    "transform": [{"filter": "datum.kind == 'bounds'"}],
                    "encoding": encoded,
                },
                {
                    # equal bounds are still to be seen
                    "mark": {"type": "tick", "color": "var(--fill-plain)", "thickness": 3, "size": 9},
                    "transform": [{"filter": "datum.kind == 'bounds'"}],
                    "encoding": {"x": x, "y": y},
                },
                {
                    "mark": {"type": "rule", "color": "var(--quiet)", "strokeDash": [3, 3]},
                    "encoding": {"x": {"datum": 0}},
                },
            ],
        },
        "Differences between the sides with their intervals, around no difference. The table has the numbers.",
    )


def _named(field: str) -> dict[str, Any]:
    """The vertical axis of a plot with one bar a name, in the order given."""
    axis = {"ticks": False, "domain": False, "labelPadding": 6}
    return {"field": field, "type": "nominal", "sort": None, "title": None, "axis": axis}


def _name(name: str) -> str:
    return line(name, NAME)


def _svg(spec: Spec, told: str) -> Markup:
    """A plot, with what it shows in words.

    Raises:
        InputError: the package that draws is not installed.
    """
    from markupsafe import Markup, escape

    try:
        import vl_convert
    except ImportError:
        raise missing() from None
    # nothing is fetched: all values stand in the specification
    drawn = vl_convert.vegalite_to_svg({**spec, "config": _CONFIG}, allowed_base_urls=[])
    return Markup(drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(told)}" ', 1))

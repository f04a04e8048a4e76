"""Charts as SVG that needs no script: a handful of forms, drawn by Vega-Lite, each as wide as a telephone. It knows no mart.

Every form takes plain rows. Marks differ in shape as well as in colour, and what is more than noise is filled, the rest hollow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from html import escape
from typing import Any

INK, BLUE, ORANGE, GREY, PALE = "#1c2733", "#0b5cad", "#a84a00", "#5b6875", "#b9c4cf"
WIDTH, HEIGHT = 250, 130
FONT = "system-ui, 'Noto Sans CJK TC', 'Noto Sans TC', 'PingFang HK', 'Microsoft JhengHei', sans-serif"
CONFIG = {
    "background": "#ffffff",
    "font": FONT,
    "aria": False,  # a mark's label each would drown the title and description that the figure has
    "view": {"stroke": None},
    "axis": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal"}
    | {"gridColor": "#e3e8ee", "domainColor": GREY, "tickColor": GREY, "labelLimit": 150},
}

Row = dict[str, Any]


def trend(
    rows: Sequence[Row], unit: str, number_format: str, domain: Sequence[float] | None = None, target: Any = None
) -> str:
    """A value over periods, with its interval as an error bar and a dashed line at the target.

    Args:
        rows: `label`, `value`, and `low`, `high` where known; in order. An unknown value leaves a gap.
        unit: title of the value axis.
        number_format: d3-format of it.
        domain: bounds of the value axis, so that small multiples share one.
        target: value of the target, if there is one.
    """
    import altair as alt

    x = alt.X("label:O", sort=None, title=None, axis=_period_axis(rows))
    scale = alt.Scale(domain=domain, nice=False) if domain else alt.Scale(zero=False)
    y = alt.Y("value:Q", title=unit, scale=scale, axis=alt.Axis(format=number_format, tickCount=4))
    base = alt.Chart(_data(rows)).encode(x=x)
    layers = [
        base.mark_rule(color=BLUE, strokeWidth=1.5).encode(y=alt.Y("low:Q", scale=scale, title=unit), y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=1.5).encode(y=y),
        base.mark_point(color=BLUE, filled=True, size=28).encode(y=y),
    ]
    if target is not None:
        line = alt.Chart(_data([{"target": target}])).mark_rule(color=ORANGE, strokeDash=[5, 3], strokeWidth=1.5)
        layers.append(line.encode(y=alt.Y("target:Q", scale=scale, title=unit)))
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))


def columns(rows: Sequence[Row], unit: str, number_format: str = ",d", domain: Sequence[float] | None = None) -> str:
    """A count over periods from 0 up, with a line where rows have `mean`; rows as in `trend`."""
    import altair as alt

    x = alt.X("label:O", sort=None, title=None, axis=_period_axis(rows))
    scale = alt.Scale(domain=domain, nice=False) if domain else alt.Undefined
    y = alt.Y("value:Q", title=unit, scale=scale, axis=alt.Axis(format=number_format, tickCount=4))
    base = alt.Chart(_data(rows)).encode(x=x)
    layers = [base.mark_bar(color=PALE).encode(y=y)]
    if any(row.get("mean") is not None for row in rows):
        layers.append(base.mark_line(color=BLUE, strokeWidth=2.5).encode(y=alt.Y("mean:Q", title=unit)))
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))


def ranked(rows: Sequence[Row], unit: str) -> str:
    """Counts by name, largest first: a bar, a diamond at the count of a year before, and the interval of the change as a line
    about that count's bar. The line crosses the diamond where the change may be noise.

    Args:
        rows: `label`, `value`, and `before`, `low`, `high` where known, all on the scale of the counts.
        unit: title of the value axis.
    """
    import altair as alt

    # The name stands above its bar: beside it, a telephone has room for ten letters.
    y = alt.Y("label:N", sort=None, axis=None)
    top = max([float(row[name]) for row in rows for name in ("value", "before") if row.get(name) is not None], default=1)
    # A wide interval of few cases would press all else together: it is cut off at the frame, and the table has its bound.
    scale = alt.Scale(domain=[0, top * 1.25 or 1], nice=False)
    x = alt.X("value:Q", title=unit, scale=scale, axis=alt.Axis(format=",d", tickCount=4))
    base = alt.Chart(_data(rows)).encode(y=y)
    name = {"align": "left", "baseline": "middle", "dy": -7, "fontSize": 11, "color": INK, "limit": WIDTH}
    layers = [
        base.mark_bar(color=PALE, height=9, yOffset=6).encode(x=x),
        base.mark_rule(color=BLUE, strokeWidth=1.5, yOffset=6, clip=True).encode(x=alt.X("low:Q", scale=scale), x2="high:Q"),
        base.mark_point(color=ORANGE, shape="diamond", filled=True, size=40, yOffset=6).encode(x=alt.X("before:Q", scale=scale)),
        base.mark_text(**name).encode(text="label:N", x=alt.value(0)),
    ]
    return _svg(alt.layer(*layers).properties(width=WIDTH, height=31 * len(rows)))


def shared_domain(values: Sequence[Decimal | None], *, floor: float | None = None, ceiling: float | None = None) -> list[float]:
    """Bounds for small multiples: all values and a twentieth beside them, within floor and ceiling."""
    known = [float(value) for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    margin = (high - low) / 20 or abs(high) / 20 or 1.0
    low, high = low - margin, high + margin
    return [low if floor is None else max(low, floor), high if ceiling is None else min(high, ceiling)]


def described(svg: str, title: str, description: str) -> str:
    """The chart as an image with a name and a text alternative, its ids its own so that many fit on one page."""
    mark = "c" + hashlib.sha256(f"{svg}{title}{description}".encode()).hexdigest()[:10]
    svg = re.sub(r'(id="|url\(#|href="#)([\w-]+)', rf"\1{mark}-\2", svg)
    head = f'<svg role="img" aria-labelledby="{mark}-t {mark}-d" '
    text = f'<title id="{mark}-t">{escape(title)}</title><desc id="{mark}-d">{escape(description)}</desc>'
    return re.sub(r"<svg ([^>]*)>", lambda found: f"{head}{found[1]}>{text}", svg, count=1)


def _period_axis(rows: Sequence[Row]) -> Any:
    import altair as alt

    step = -(-len(rows) // 6)  # six labels at most, the newest among them
    shown = [row["label"] for row in rows][::-1][::step]
    return alt.Axis(values=shown, labelAngle=0 if len(rows) <= 4 else -35, labelOverlap=False)


def _data(rows: Sequence[Row]) -> Any:
    import altair as alt

    # Vega knows neither Decimal nor date.
    plain = [{k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows]
    return alt.Data(values=plain)


def _svg(chart: Any) -> str:
    return _drawn(chart.configure(**CONFIG).to_json(validate=False))


@cache
def _drawn(spec: str) -> str:
    """Cached: a page and its PDF, and two years, share charts."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec)
    return re.sub(r'\bid="clip(\d+)"|url\(#clip(\d+)\)', _renumber(), svg)


def _renumber() -> Any:
    """vl-convert counts clip paths through the life of the process: counted anew here, else no page comes out the same twice."""
    seen: dict[str, int] = {}

    def replace(found: re.Match[str]) -> str:
        number = seen.setdefault(found[1] or found[2], len(seen))
        return f'id="clip{number}"' if found[1] else f"url(#clip{number})"

    return replace

"""Charts as SVG that needs no script: three forms, drawn by Vega-Lite, each as wide as a telephone. It knows no mart.

Every form takes plain rows and says nothing in words but the names of its bars, so that pages of both languages share it. Marks
differ in shape as well as in colour.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

INK, BLUE, ORANGE, GREY, PALE = "#1c2733", "#0b5cad", "#a84a00", "#5b6875", "#b9c4cf"
WIDTH, HEIGHT = 250, 130
FONT = "system-ui, 'Noto Sans CJK TC', 'Noto Sans TC', 'PingFang HK', 'Microsoft JhengHei', sans-serif"
CONFIG = {
    "background": "#ffffff",
    "font": FONT,
    "aria": False,  # a mark's label each would drown the title and description that the figure has
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    | {"gridColor": "#e3e8ee", "domainColor": GREY, "tickColor": GREY, "labelLimit": 150},
}

Row = dict[str, Any]
Spec = dict[str, Any]


def trend(rows: Sequence[Row], number_format: str, domain: Sequence[float] | None = None, target: Any = None) -> Spec:
    """A value over periods, with its interval as an error bar and a dashed line at the target.

    Args:
        rows: `label`, `value`, and `low`, `high` where known; in order. An unknown value leaves a gap.
        number_format: d3-format of the value axis.
        domain: bounds of that axis, so that small multiples share one.
        target: value of the target, if there is one.
    """
    scale = {"domain": list(domain), "nice": False} if domain else {"zero": False}
    x, y = _periods(rows), _values("value", scale, number_format)
    layers = [
        _layer(
            {"type": "rule", "color": BLUE, "strokeWidth": 1.5},
            x=x,
            y=_values("low", scale, number_format),
            y2={"field": "high"},
        ),
        _layer({"type": "line", "color": BLUE, "strokeWidth": 1.5}, x=x, y=y),
        _layer({"type": "point", "color": BLUE, "filled": True, "size": 28}, x=x, y=y),
    ]
    if target is not None:
        mark = {"type": "rule", "color": ORANGE, "strokeDash": [5, 3], "strokeWidth": 1.5}
        layers.append(_layer(mark, y={"datum": float(target), "type": "quantitative", "scale": scale}))
    return _spec(rows, layers, HEIGHT)


def columns(rows: Sequence[Row], number_format: str, domain: Sequence[float] | None = None) -> Spec:
    """A count over periods from 0 up, with a line where rows have `mean`; rows as in `trend`."""
    scale = {"domain": list(domain), "nice": False} if domain else {}
    x = _periods(rows)
    layers = [_layer({"type": "bar", "color": PALE}, x=x, y=_values("value", scale, number_format))]
    if any(row.get("mean") is not None for row in rows):
        mean = {"type": "line", "color": BLUE, "strokeWidth": 2.5}
        layers.append(_layer(mark=mean, x=x, y=_values("mean", scale, number_format)))
    return _spec(rows, layers, HEIGHT)


def ranked(rows: Sequence[Row]) -> Spec:
    """Counts by name, in order: a bar, a diamond at the count of a year before, and the interval of the change as a line.

    The line crosses the diamond where the change may be noise.

    Args:
        rows: `label`, `value`, and `before`, `low`, `high` where known, all on the scale of the counts.
    """
    top = max(
        [float(row[name]) for row in rows for name in ("value", "before") if row.get(name) is not None], default=1
    )
    scale = {"domain": [0, top * 1.25 or 1], "nice": False}
    # A wide interval of few cases would press all else together: it ends at the frame, and the table has its bound.
    rows = [
        row | {"high": None if row.get("high") is None else min(float(row["high"]), scale["domain"][1])} for row in rows
    ]
    y = {"field": "label", "type": "nominal", "sort": None, "axis": None}
    # The name stands above its bar: beside it, a telephone has room for ten letters.
    name = {
        "type": "text",
        "align": "left",
        "baseline": "middle",
        "dy": -7,
        "fontSize": 11,
        "color": INK,
        "limit": WIDTH,
    }
    below, low = {"yOffset": 6}, _values("low", scale, ",d")
    diamond = {"type": "point", "color": ORANGE, "shape": "diamond", "filled": True, "size": 40}
    layers = [
        _layer({"type": "bar", "color": PALE, "height": 9} | below, y=y, x=_values("value", scale, ",d")),
        _layer({"type": "rule", "color": BLUE, "strokeWidth": 1.5} | below, y=y, x=low, x2={"field": "high"}),
        _layer(diamond | below, y=y, x=_values("before", scale, ",d")),
        _layer(name, y=y, x={"value": 0}, text={"field": "label", "type": "nominal"}),
    ]
    return _spec(rows, layers, 31 * len(rows))


def shared_domain(
    values: Sequence[Decimal | None], *, floor: float | None = None, ceiling: float | None = None
) -> list[float]:
    """Bounds for small multiples: all values and a twentieth beside them, within floor and ceiling."""
    known = [float(value) for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    margin = (high - low) / 20 or abs(high) / 20 or 1.0
    low, high = low - margin, high + margin
    return [low if floor is None else max(low, floor), high if ceiling is None else min(high, ceiling)]


def described(svg: str, title: str, description: str) -> str:
    """The chart as an image with a name and a text alternative."""
    mark = "c" + hashlib.sha256(f"{svg}{title}{description}".encode()).hexdigest()[:10]
    head = f'<svg role="img" aria-labelledby="{mark}-t {mark}-d" '
    text = f'<title id="{mark}-t">{escape(title)}</title><desc id="{mark}-d">{escape(description)}</desc>'
    return re.sub(r"<svg ([^>]*)>", lambda found: f"{head}{found[1]}>{text}", svg, count=1)


def svg(spec: Spec, before: Path, folder: Path) -> str:
    """The chart as SVG, kept in `folder` under a name of its own; it is not drawn again where `before` has it.

    Nearly all charts of past years are those of the night before, and drawing is what the pages cost.
    """
    import vl_convert

    text = json.dumps(spec, ensure_ascii=False, sort_keys=True)
    name = f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.svg"
    if not (folder / name).exists():
        known = before / name
        drawn = known.read_text(encoding="utf-8") if known.exists() else vl_convert.vegalite_to_svg(text)
        (folder / name).write_text(drawn, encoding="utf-8")
    return (folder / name).read_text(encoding="utf-8")


def _spec(rows: Sequence[Row], layers: list[Spec], height: int) -> Spec:
    # Vega knows no Decimal.
    plain = [{k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()} for row in rows]
    return {"data": {"values": plain}, "width": WIDTH, "height": height, "layer": layers, "config": CONFIG}


def _layer(mark: Spec, **encoding: Spec) -> Spec:
    return {"mark": mark, "encoding": encoding}


def _periods(rows: Sequence[Row]) -> Spec:
    step = -(-len(rows) // 6)  # six labels at most, the newest among them
    shown = [row["label"] for row in rows][::-1][::step]
    axis = {"values": shown, "labelAngle": 0 if len(rows) <= 4 else -35, "labelOverlap": False}
    return {"field": "label", "type": "ordinal", "sort": None, "title": None, "axis": axis}


def _values(field: str, scale: Spec, number_format: str) -> Spec:
    axis = {"format": number_format, "tickCount": 4}
    return {"field": field, "type": "quantitative", "title": None, "scale": scale, "axis": axis}

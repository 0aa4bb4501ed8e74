"""Charts: Bokeh's JSON for each, drawn by BokehJS from the installed package. Bokeh is imported with the first one.

What Bokeh makes of a chart takes it a tenth of a second, in which players would wait. So it draws each kind once, with
marks where the figures go, and a look at the chart fills those in.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from app.db.rollups import Played
from app.game.scoring import interval


@cache
def script() -> tuple[str, Path]:
    """BokehJS: the version of the installed package, and where its one file lies."""
    import bokeh

    return bokeh.__version__, Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"


# Inks for lines, told apart by dash and marker too; the pages' own colours, light and dark.
INKS = ("#0f6648", "#a03a0c", "#1f56c5", "#7a3e9d", "#655d52", "#9a6a00")
INKS_DARK = ("#74d6a9", "#ffa274", "#8db4ff", "#d6a6f5", "#aca497", "#f0c95a")
DASHES = ("solid", "dashed", "dotted", "dotdash", "dashdot", "solid")


COLUMNS = ("day", "rate", "low", "high", "guesses", "name")
DAY = 86_400_000.0  # milliseconds, in which BokehJS counts time
# Where the first and the last moment of the axis go; no chart holds such numbers.
BEGIN, END = -1.0625, -2.0625


def fool_rates(played: Sequence[Played], names: Mapping[int, str], *, dark: bool) -> str:
    """Fool rate by day for each generator, with its 95 % interval; to be hovered over."""
    lines: dict[int, list[Played]] = defaultdict(list)
    for row in played:
        lines[row.generator_id].append(row)
    biggest = sorted(lines, key=lambda key: -sum(row.guesses for row in lines[key]))[: len(INKS)]
    shown = [(names.get(key, "?"), lines[key]) for key in sorted(biggest)]
    drawing = _rates_drawn(tuple((label, len(rows) == 1) for label, rows in shown), dark)
    figures: dict[tuple[int, str], list[Any]] = {}
    for place, (label, rows) in enumerate(shown):
        spans = [interval(row.fooled, row.guesses) for row in rows]
        columns: tuple[list[Any], ...] = (
            [row.day * DAY for row in rows],
            [row.fooled / row.guesses for row in rows],
            [low for low, _ in spans],
            [high for _, high in spans],
            [row.guesses for row in rows],
            [label] * len(rows),
        )
        figures |= {(place, name): values for name, values in zip(COLUMNS, columns, strict=True)}
    if played:
        first, last = _week(min(row.day for row in played), max(row.day for row in played))
        drawing = drawing.replace(str(BEGIN), str(first)).replace(str(END), str(last))
    return _filled(drawing, figures)


def curve(points: Sequence[Mapping[str, Any]], *, dark: bool) -> str:
    """Bits per character on what is learned from and on the validation split, over the steps of a training."""
    figures: dict[tuple[int, str], list[Any]] = {}
    for place, (name, label) in enumerate(CURVES):
        known = [point for point in points if point.get(name) is not None and point.get("step") is not None]
        figures[place, "step"] = [point["step"] for point in known]
        figures[place, "bits"] = [point[name] for point in known]
        figures[place, "name"] = [label] * len(known)
    return _filled(_curve_drawn(dark), figures)


CURVES = (("train_bits", "train"), ("bits_per_character", "validation"))


@lru_cache(maxsize=32)
def _rates_drawn(labels: tuple[tuple[str, bool], ...], dark: bool) -> str:
    """Fool rates without figures: a line for each label, and whether it has a single day."""
    plot = _plot(dark, "fool rate")
    plot.yaxis.formatter = _percents()
    plot.y_range.start = 0
    if labels:
        from bokeh.models import Range1d

        plot.x_range = Range1d(start=BEGIN, end=END)
        plot.xaxis[0].ticker.desired_num_ticks = 4  # as many dates as a phone has room for
    for place, (label, is_single) in enumerate(labels):
        source = _source(place, COLUMNS)
        ink = (INKS_DARK if dark else INKS)[place]
        plot.varea("day", "low", "high", source=source, fill_color=ink, fill_alpha=0.12, legend_label=label)
        if is_single:  # a band has no width on a day alone
            plot.segment("day", "low", "day", "high", source=source, color=ink, line_alpha=0.5, legend_label=label)
        plot.line("day", "rate", source=source, color=ink, width=2, dash=DASHES[place], legend_label=label)
        dots = plot.scatter("day", "rate", source=source, color=ink, size=7, legend_label=label)
        _hover(
            plot,
            dots,
            [
                ("", "@name"),
                ("day", "@day{%F}"),
                ("fool rate", "@rate{0.0 %} (@low{0.0 %} to @high{0.0 %})"),
                ("guesses", "@guesses{0,0}"),
            ],
        )
    return _json(plot)


@lru_cache(maxsize=2)
def _curve_drawn(dark: bool) -> str:
    """The curve of a training without figures."""
    plot = _plot(dark, "bits per character", moments=False)
    plot.xaxis.axis_label = "step"
    inks = INKS_DARK if dark else INKS
    for place, (_, label) in enumerate(CURVES):
        source = _source(place, ("step", "bits", "name"))
        plot.line("step", "bits", source=source, color=inks[place], width=2, dash=DASHES[place], legend_label=label)
        dots = plot.scatter("step", "bits", source=source, color=inks[place], size=5, legend_label=label)
        _hover(plot, dots, [("", "@name"), ("step", "@step{0,0}"), ("bits per character", "@bits{0.000}")])
    return _json(plot)


def _plot(dark: bool, title: str, *, moments: bool = True) -> Any:
    from bokeh.core.validation import silence
    from bokeh.core.validation.warnings import MISSING_RENDERERS
    from bokeh.plotting import figure

    silence(MISSING_RENDERERS, True)  # before the first guess a chart is empty, and that is well
    soft, line = ("#aca497", "#48434d") if dark else ("#655d52", "#cfc5b4")
    plot = figure(
        height=300,
        sizing_mode="stretch_width",
        x_axis_type="datetime" if moments else "linear",
        toolbar_location=None,
        tools="",
        background_fill_alpha=0,
        border_fill_alpha=0,
        outline_line_color=None,
    )
    plot.yaxis.axis_label = title
    plot.grid.grid_line_color = line
    plot.grid.grid_line_alpha = 0.6
    for axis in (*plot.xaxis, *plot.yaxis):
        axis.axis_label_text_color = axis.major_label_text_color = soft
        axis.axis_label_text_font_style = "normal"
        axis.axis_line_color = axis.major_tick_line_color = line
        axis.minor_tick_line_color = None
    plot.min_border_right = 12
    return plot


def _week(first: int, last: int) -> tuple[float, float]:
    """Whole days, a week of them or more: on a first day alone the axis would count microseconds."""
    return (min(first, last - 6) - 0.5) * DAY, (last + 0.5) * DAY


def _source(place: int, columns: Sequence[str]) -> Any:
    """The figures of one line: a mark in place of each column."""
    from bokeh.models import ColumnDataSource

    return ColumnDataSource({name: [_mark(place, name)] for name in columns})


def _mark(place: int, name: str) -> str:
    return f"@{place}.{name}@"


def _filled(drawing: str, figures: Mapping[tuple[int, str], Sequence[Any]]) -> str:
    """The drawing with the figures where their marks are."""
    for (place, name), values in figures.items():
        drawing = drawing.replace(json.dumps([_mark(place, name)]), json.dumps(values))
    return drawing


def _percents() -> Any:
    from bokeh.models import NumeralTickFormatter

    return NumeralTickFormatter(format="0 %")


def _hover(plot: Any, renderer: Any, rows: list[tuple[str, str]]) -> None:
    from bokeh.models import HoverTool

    plot.add_tools(HoverTool(renderers=[renderer], tooltips=rows, formatters={"@day": "datetime"}))


def _json(plot: Any) -> str:
    from bokeh.embed import json_item

    if plot.legend:
        legend = plot.legend[0]
        legend.background_fill_alpha = legend.border_line_alpha = 0
        legend.label_text_color = plot.yaxis[0].major_label_text_color
        legend.location = "top_left"
        legend.orientation = "horizontal"
        plot.add_layout(legend, "above")
    return json.dumps(json_item(plot))

"""Charts: Bokeh's JSON for each, drawn by BokehJS from the installed package. Bokeh is imported with the first one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
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


def fool_rates(played: Sequence[Played], names: Mapping[int, str], *, dark: bool) -> str:
    """Fool rate by day for each generator, with its 95 % interval; to be hovered over."""
    lines: dict[int, list[Played]] = defaultdict(list)
    for row in played:
        lines[row.generator_id].append(row)
    plot = _plot(dark, "fool rate")
    plot.yaxis.formatter = _percents()
    plot.y_range.start = 0
    if played:
        plot.x_range = _week(min(row.day for row in played), max(row.day for row in played))
        plot.xaxis[0].ticker.desired_num_ticks = 4  # as many dates as a phone has room for
    biggest = sorted(lines, key=lambda key: -sum(row.guesses for row in lines[key]))[: len(INKS)]
    for place, generator_id in enumerate(sorted(biggest)):
        rows = lines[generator_id]
        spans = [interval(row.fooled, row.guesses) for row in rows]
        source = _source(
            day=[_date(row.day) for row in rows],
            rate=[row.fooled / row.guesses for row in rows],
            low=[low for low, _ in spans],
            high=[high for _, high in spans],
            guesses=[row.guesses for row in rows],
            name=[names.get(generator_id, "?")] * len(rows),
        )
        ink = (INKS_DARK if dark else INKS)[place]
        label = names.get(generator_id, "?")
        plot.varea("day", "low", "high", source=source, fill_color=ink, fill_alpha=0.12, legend_label=label)
        if len(rows) == 1:  # a band has no width on a day alone
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


def curve(points: Sequence[Mapping[str, Any]], *, dark: bool) -> str:
    """Bits per character on what is learned from and on the validation split, over the steps of a training."""
    plot = _plot(dark, "bits per character", moments=False)
    plot.xaxis.axis_label = "step"
    inks = INKS_DARK if dark else INKS
    for place, (name, label) in enumerate((("train_bits", "train"), ("bits_per_character", "validation"))):
        known = [point for point in points if point.get(name) is not None and point.get("step") is not None]
        source = _source(step=[p["step"] for p in known], bits=[p[name] for p in known], name=[label] * len(known))
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


def _date(day: float) -> datetime:
    return datetime.fromtimestamp(day * 86_400, UTC).replace(tzinfo=None)


def _week(first: int, last: int) -> Any:
    """Whole days, a week of them or more: on a first day alone the axis would count microseconds."""
    from bokeh.models import Range1d

    return Range1d(start=_date(min(first, last - 6) - 0.5), end=_date(last + 0.5))


def _source(**columns: Sequence[Any]) -> Any:
    from bokeh.models import ColumnDataSource

    return ColumnDataSource({name: list(values) for name, values in columns.items()})


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

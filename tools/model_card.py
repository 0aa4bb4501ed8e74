"""Writes the tables and plots of docs/model.md from bench/results and the shipped checkpoints (`make model-card`).

What was not measured says so, with the command that measures it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
CARD, PICTURES, RESULTS = HOUSE / "docs" / "model.md", HOUSE / "docs" / "pictures", HOUSE / "bench" / "results"

AS_IT_IS = "as it is"  # the ablation that changes nothing

Result = Mapping[str, Any]
# The file that the figures lie in, how they are shown, and the command that makes them.
Part = tuple[Path, Callable[[Any], str], str]


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; all but the first column are figures."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def training(found: Result) -> str:
    """Characters a second in training, each contestant at its best batch."""
    rows = [
        (name, f"{row['best']:,.0f}", str(row["batch"] or ""), _times(found["ours_to"].get(name)))
        for name, row in found["contestants"].items()
    ]
    share = f"Ours reaches {found['ours_share_of_products']:.0%} of the faster kind of products in the same run."
    head = ("contestant", found["unit"], "batch", "ours is so many times as fast")
    return f"{found['network']}.\n\n{table(head, rows)}\n\n{share}"


def sampling(found: Result) -> str:
    """Characters a second in sampling, by batch."""
    rows = []
    for name, by_batch in found["contestants"].items():
        ratios = found["ours_to"].get(name, {})
        rows.append((name, *(f"{speed:,.0f}{_bracketed(ratios.get(batch))}" for batch, speed in by_batch.items())))
    batches = next(iter(found["contestants"].values()))
    return f"{found['network']}; {found['unit']} (ours to it).\n\n" + table(
        ("contestant", *(f"batch {batch}" for batch in batches)), rows
    )


def quality(found: Result) -> str:
    """Bits per character after so many minutes, by what the processor multiplies fastest."""
    kinds = ("bfloat16", "float32")
    rows = [
        (name, *(f"{row[kind]['bits_per_character']:.3f}" if kind in row else "" for kind in kinds))
        for name, row in found.items()
    ]
    return table(("bits per character", "with bfloat16", "float32 alone"), rows)


def ablations(found: Result) -> str:
    """Trainings with one thing changed, beside the one with nothing changed from the same start."""
    tables = []
    for name, whole in found.items():
        if not name.endswith(AS_IT_IS):
            continue
        start = name.removesuffix(AS_IT_IS)
        rows = [
            (
                *(other.removeprefix(start), f"{row['bits_per_character']:.3f}"),
                f"{row['bits_per_character'] - whole['bits_per_character']:+.3f}",
                *(f"{row['train_bits']:.3f}", f"{row['epochs']:.2f}"),
            )
            for other, row in found.items()
            if other.startswith(start)
        ]
        head = (f"from {start.removesuffix(': ')}", "bits per character", "beside", "in training", "epochs")
        tables.append(table(head, rows))
    return "\n\n".join(tables)


def base_curve(found: Result) -> str:
    """What a base is worth by the number of tweets, with a plot."""
    ordered = sorted(found.items(), key=lambda item: (item[1]["tweets"], item[0]))
    rows = [
        (name, f"{it['tweets']:,}", f"{it['minutes']:g}", f"{it['bits_per_character']:.3f}") for name, it in ordered
    ]

    def draw(axes: Any) -> None:
        for kind, colour in (("base", "#0969da"), ("scratch", "#8b949e")):
            points = [(it["tweets"], it["bits_per_character"]) for name, it in ordered if name.startswith(kind)]
            axes.plot(*zip(*points, strict=True), "o-", color=colour, label=f"from {kind}")
        axes.set(xscale="log", xlabel="tweets", ylabel="bits per character")
        counts = sorted({it["tweets"] for _, it in ordered})
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.set_xticks([], minor=True)
        axes.legend()

    read = any(it["base_has_read_the_account"] for it in found.values())
    note = "\n\nThe base that was measured has read the account's own train split." if read else ""
    head = ("contestant", "tweets", "minutes", "bits per character")
    return table(head, rows) + picture("model-base.svg", "Bits per character by number of tweets", draw) + note


def decoding(found: Result) -> str:
    """Quality and diversity over temperature and top-p, with a plot."""
    best = found["best"]
    names = ("non-words", "distinct 2-grams", "Self-BLEU", "length")
    rows = []
    for row in found["rows"]:
        mark = " ←" if row["temperature"] == best["temperature"] and row["top_p"] == best["top_p"] else ""
        figures = (f"{row['figures'][name]['samples']:.3g}" for name in names)
        first = f"{row['temperature']:g} / {row['top_p']:g}{mark}"
        rows.append((first, *figures, str(row["outside"]), f"{row['distance']:.2f}", f"{row['passed']:.0%}"))
    real = found["rows"][0]["figures"]
    tweets = (f"{real[name]['low']:.3g} to {real[name]['high']:.3g}" for name in names)
    rows.append(("real tweets, 95 % of draws", *tweets, "", "", ""))

    def draw(axes: Any) -> None:
        for temperature in sorted({row["temperature"] for row in found["rows"]}):
            some = [row["figures"] for row in found["rows"] if row["temperature"] == temperature]
            x = [figures["distinct 2-grams"]["samples"] for figures in some]
            axes.plot(x, [it["non-words"]["samples"] for it in some], "o-", label=f"temperature {temperature:g}")
        it = real["distinct 2-grams"], real["non-words"]
        corner, size = (it[0]["low"], it[1]["low"]), [part["high"] - part["low"] for part in it]
        axes.add_patch(_rectangle(corner, *size))
        axes.set(xlabel="distinct 2-grams (diversity)", ylabel="share of non-words (lower: better spelt)")
        axes.legend()

    head = ("temperature / top-p", *names, "outside", "distance", "could be cards")
    size = min(found["samples"], found["cards"] // 2)  # as `compare` has it
    note = (
        f"{size} drafts of each that could be cards beside draws of as many of {found['cards']} validation tweets;"
        " along each line of the plot top-p grows; the band is where real tweets lie."
    )
    return f"{note}\n\n{table(head, rows)}" + picture("model-decoding.svg", "Quality and diversity", draw)


def provenance(found: Result) -> str:
    """Where the base's texts came from."""
    it = found["figures"]["base"]
    rows = [(f"@{a['handle']}", f"{a['tweets']:,}", a["source"], a["licence"]) for a in it["archives"]]
    lines = ["| account | tweets learned from | source | licence |", "| --- | ---: | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n\n" + checkpoint(found)


def checkpoint(found: Result) -> str:
    """The shape of a checkpoint, and its figures."""
    shape, figures = found["config"], found["figures"]
    recipe = figures["recipe"]
    rows = [
        ("network", f"{shape['layers']} × {shape['units']} {shape['cell'].upper()}, embedding {shape['embedding']}"),
        ("bits per character, validation", f"{figures['bits_per_character']:.3f}"),
        ("bits per character, training", f"{figures['train_bits']:.3f}"),
        ("characters learned from", f"{figures['characters']:,}"),
        ("epochs", f"{figures['epochs']:g}"),
        ("minutes of training", f"{figures['seconds'] / 60:.0f}"),
        ("dropout, weight dropout", f"{recipe['dropout']:g}, {recipe['weight_dropout']:g}"),
        ("batch, window, highest rate", f"{recipe['batch']}, {recipe['window']}, {recipe['rate']:g}"),
    ]
    return table(("", ""), rows)


def picture(name: str, title: str, draw: Callable[[Any], None]) -> str:
    """A plot drawn into docs/pictures, and the line that shows it."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "whichtweet"  # the same figures give the same file
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    draw(axes)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    figure.savefig(PICTURES / name, metadata={"Date": None})
    pyplot.close(figure)
    return f"\n\n![{title}](pictures/{name})"


def _rectangle(corner: tuple[float, float], width: float, height: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, alpha=0.15, color="#1a7f37", label="real tweets")


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f}" if ratio else ""


def _bracketed(ratio: float | None) -> str:
    return f" ({ratio:.1f})" if ratio else ""


# Mark in docs/model.md -> what stands there.
PARTS: dict[str, Part] = {
    "base": (HOUSE / "model" / "base" / "meta.json", provenance, "make base"),
    "demo": (HOUSE / "demo" / "checkpoint" / "meta.json", checkpoint, "python -m tools.demo --tune 8"),
    "training": (RESULTS / "training.json", training, "make bench-training"),
    "quality": (RESULTS / "quality.json", quality, "make bench-quality CONTESTANT=ours-30"),
    "ablations": (RESULTS / "ablations.json", ablations, "python -m bench.ablations"),
    "base-curve": (RESULTS / "base.json", base_curve, "make bench-base CONTESTANT=base-200"),
    "sampling": (RESULTS / "sampling.json", sampling, "make bench-sampling"),
    "decoding": (RESULTS / "decoding.json", decoding, "make bench-decoding"),
}


def filled(text: str, parts: Mapping[str, Part] | None = None) -> str:
    """`text` with what stands between its marks made anew."""
    for name, (file, show, command) in (PARTS if parts is None else parts).items():
        there = file.exists()
        body = show(json.loads(file.read_text("utf-8"))) if there else f"*Not measured yet: `{command}`.*"
        text = _put(text, name, body)
    return text


def _put(text: str, name: str, body: str) -> str:
    block = f"<!-- {name} -->\n{body}\n<!-- /{name} -->"
    return re.sub(rf"<!-- {name} -->.*<!-- /{name} -->", lambda _: block, text, flags=re.DOTALL)


if __name__ == "__main__":
    CARD.write_text(filled(CARD.read_text("utf-8")), encoding="utf-8")

"""Equations: what a network computes at each step, line by line, as the pages show it beside the figures."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Equation:
    """One line.

    Attributes:
        name: of the value that it gives, as the reader calls it (`model.reader`).
        formula: in HTML.
        words: what it means.
        signed: whether its value may be below zero.
    """

    name: str
    formula: Markup
    words: str
    signed: bool = False


def _gate(symbol: str, squash: str) -> Markup:
    block = Markup("<sub>{}</sub>").format(symbol)
    return Markup(
        "<var>{0}</var><sub>t</sub> = {1}(<var>W</var>{2}·[<var>x</var><sub>t</sub>, <var>h</var><sub>t−1</sub>]"
        " + <var>b</var>{2})"
    ).format(symbol, squash, block)


def _line(html: str) -> Markup:
    """A formula in which _t stands for the index of a step."""
    return Markup(html.replace("_t-1", "<sub>t−1</sub>").replace("_t", "<sub>t</sub>"))  # noqa: S704  # our own words, and nobody else's


_LSTM = (
    Equation("forget", _gate("f", "σ"), "forget gate: how much of the memory stays"),
    Equation("input", _gate("i", "σ"), "input gate: how much of what is new comes in"),
    Equation("candidate", _gate("g", "tanh"), "candidate: what is new", signed=True),
    Equation(
        "c",
        _line("<var>C</var>_t = <var>f</var>_t ∘ <var>C</var>_t-1 + <var>i</var>_t ∘ <var>g</var>_t"),
        "memory",
        signed=True,
    ),
    Equation("output", _gate("o", "σ"), "output gate: how much of the memory shows"),
    Equation(
        "h", _line("<var>h</var>_t = <var>o</var>_t ∘ tanh(<var>C</var>_t)"), "state: what the odds see", signed=True
    ),
)
_GRU = (
    Equation("update", _gate("u", "σ"), "update gate: how much of the state stays"),
    Equation("reset", _gate("r", "σ"), "reset gate: how much of it the candidate sees"),
    Equation(
        "candidate",
        _line(
            "<var>g</var>_t = tanh(<var>W</var>·<var>x</var>_t + <var>b</var> + <var>r</var>_t ∘"
            " (<var>U</var>·<var>h</var>_t-1 + <var>b′</var>))"
        ),
        "candidate: what is new",
        signed=True,
    ),
    Equation(
        "h",
        _line("<var>h</var>_t = <var>u</var>_t ∘ <var>h</var>_t-1 + (1 − <var>u</var>_t) ∘ <var>g</var>_t"),
        "state: what the odds see",
        signed=True,
    ),
)
_RNN = (Equation("h", _gate("h", "tanh"), "state: all that it remembers, and what the odds see", signed=True),)

CELLS = {"lstm": _LSTM, "gru": _GRU, "rnn": _RNN}
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "plain RNN"}

# From the state to a character; the last two where one is drawn.
ODDS = Equation(
    "odds",
    _line(
        "<var>p</var>(<var>k</var>) = e<sup><var>z</var><sub>k</sub></sup> / Σ<sub>j</sub>"
        " e<sup><var>z</var><sub>j</sub></sup>, <var>z</var> = <var>V</var>·<var>h</var>_t + <var>c</var>"
    ),
    "odds of each character to come next",
)
SURPRISE = Equation(
    "bits", Markup("surprise = −log<sub>2</sub> <var>p</var>(the character that came)"), "in bits; 1 bit is a coin toss"
)
DRAWING = (
    Equation(
        "odds",
        Markup(
            "<var>p</var>(<var>k</var>) = e<sup><var>z</var><sub>k</sub>/<var>T</var></sup> / Σ<sub>j</sub>"
            " e<sup><var>z</var><sub>j</sub>/<var>T</var></sup>"
        ),
        "odds, bent by the temperature T: below 1 the likely becomes likelier",
    ),
    Equation(
        "nucleus",
        Markup("keep the likeliest until Σ <var>p</var> ≥ top-p"),
        "the nucleus: the unlikely rest is never drawn",
    ),
    Equation("draw", Markup("next ∼ <var>p</var>"), "one is drawn by chance, and read as the next x"),
)

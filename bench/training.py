"""How fast is training, beside what people would use instead?  python -m bench.training [--rounds 3] [--seconds 15]

A character LSTM of 2 × 512 units over packed windows of 128 characters, on this machine's processor: stock
`keras.layers.LSTM` with model.fit (float32, as installed and with oneDNN, which TensorFlow leaves off on processors
without AVX-512; mixed_bfloat16), PyTorch's `nn.LSTM` (float32, bfloat16 autocast) and ours.
Every contestant runs in a process of its own at several batch sizes, in turns, so that what else the machine does falls
on all alike. Beside them: how fast the machine multiplies large matrices, in the same rounds. Results go to
bench/results/training.json. PyTorch is found in this Python or in the one that TORCH_PYTHON
names, else left out by name.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).with_name("results") / "training.json"
SYMBOLS, WINDOW, UNITS, LAYERS, EMBEDDING = 90, 128, 512, 2, 64
BATCHES = (64, 128, 256, 512)  # one more than 256, at which several were at their best
FEWEST = 6  # steps of a measurement; the first three are not counted
# Multiplications and additions to train on one character: forward, and twice that backward.
INPUTS = (EMBEDDING, *[UNITS] * (LAYERS - 1))
FLOP = 3 * 2 * (sum((width + UNITS) * 4 * UNITS for width in INPUTS) + UNITS * SYMBOLS)


def main() -> None:
    arguments = parse()
    if arguments.contestant:
        print(json.dumps(CONTESTANTS[arguments.contestant](arguments.batch, arguments.seconds)))
        return
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    missing: set[str] = set()
    for turn in range(arguments.rounds):
        for name in CONTESTANTS:
            for batch in (0,) if name.startswith("product") else BATCHES:
                if name not in missing and (speed := run(name, batch, arguments.seconds)) is not None:
                    measured[name][str(batch)].append(speed)
                    print(f"round {turn + 1}  {name:22s} {batch or '':4}  {speed:,.0f}", file=sys.stderr)
                else:
                    missing.add(name)
    figures = summary(measured, sorted(missing))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument("--contestant", help="measure only this one, and print its speed")
    parser.add_argument("--batch", type=int, default=64)
    return parser.parse_args()


def run(name: str, batch: int, seconds: float) -> float | None:
    """The speed of one contestant in a process of its own; None where it is not installed."""
    python = os.environ.get("TORCH_PYTHON", sys.executable) if name.startswith("pytorch") else sys.executable
    words = ["--contestant", name, "--batch", str(batch), "--seconds", str(seconds)]
    done = subprocess.run([python, "-m", "bench.training", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"left out: {name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return float(json.loads(done.stdout.splitlines()[-1]))


def summary(measured: dict[str, dict[str, list[float]]], missing: list[str]) -> dict[str, Any]:
    """Medians over the rounds; each contestant at its own best batch."""
    rows: dict[str, dict[str, Any]] = {}
    for name, by_batch in measured.items():
        medians = {batch: statistics.median(speeds) for batch, speeds in by_batch.items()}
        best = max(medians, key=medians.__getitem__)
        rows[name] = {"best": medians[best], "batch": int(best), "rounds": by_batch}
    # Without bfloat16 in the processor its products are the slower ones.
    ours, products = rows["ours"]["best"], max(rows[f"product {kind}"]["best"] for kind in ("float32", "bfloat16"))
    ratios = {name: ours / row["best"] for name, row in rows.items() if not name.startswith(("product", "ours"))}
    share = ours * FLOP / (products * 1e9)
    return {
        "network": f"{LAYERS} x {UNITS} LSTM, windows of {WINDOW}, {os.cpu_count()} cores",
        "unit": "characters a second (products: GFLOP a second)",
        "contestants": rows,
        "ours_to": ratios,
        "ours_share_of_products": share,
        "left_out": missing,
    }


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['network']}; {figures['unit']}\n")
    for name, row in figures["contestants"].items():
        ratio = figures["ours_to"].get(name)
        words = f"ours is {ratio:.2f} x as fast" if ratio else ""
        print(f"{name:24s} {row['best']:10,.0f}   batch {row['batch'] or '-':>4}   {words}")
    print(f"\nours uses {figures['ours_share_of_products']:.0%} of the machine's product rate, at its faster kind")
    for name in figures["left_out"]:
        print(f"left out: {name} (not installed, or not for this processor)")


def steady_speed(steps: Iterator[None], characters: int, seconds: float) -> float:
    """Characters a second: the median step after the first three."""
    taken: list[float] = []
    begun = time.perf_counter()
    for _ in steps:
        taken.append(time.perf_counter())
        if len(taken) > FEWEST and taken[-1] - begun > seconds:
            break
    return characters / statistics.median(np.diff(taken[2:]))


def symbols(batch: int) -> np.ndarray:
    return np.random.default_rng(0).integers(3, SYMBOLS, (batch, WINDOW + 1))


def ours(batch: int, seconds: float, *, fast: bool | None = None) -> float:
    from model import network
    from model.config import Config, Recipe
    from model.corpus import Window
    from model.vocab import Vocab

    if fast is not None:
        network.has_bfloat16 = lambda: fast
    vocab = Vocab("".join(chr(0x4E00 + i) for i in range(SYMBOLS - 3)))
    recipe = Recipe(batch=batch, window=WINDOW, dropout=0.0, weight_dropout=0.0)
    learner = network.Learner(Config("lstm", LAYERS, UNITS, EMBEDDING), vocab, recipe)
    text = symbols(batch).T.astype(np.int32)
    ones = np.ones((WINDOW, batch), np.float32)
    window = Window(text[:-1], text[1:], ones, ones)

    def steps() -> Iterator[None]:
        step = 0
        while True:
            learner.learn(window, rate=1e-3, step=step)
            step += 1
            yield

    return steady_speed(steps(), batch * WINDOW, seconds)


def stock(batch: int, seconds: float, policy: str, *, onednn: bool = False) -> float:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if onednn:
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    import keras

    keras.mixed_precision.set_global_policy(policy)
    layers = [keras.layers.LSTM(UNITS, return_sequences=True) for _ in range(LAYERS)]
    head = keras.layers.Dense(SYMBOLS, dtype="float32")
    network = keras.Sequential([keras.layers.Embedding(SYMBOLS, EMBEDDING), *layers, head])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), loss)
    text = np.tile(symbols(batch), (200, 1))
    taken: list[float] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            taken.append(time.perf_counter())
            self.model.stop_training = len(taken) > FEWEST and taken[-1] - taken[0] > seconds
            if self.model.stop_training:
                raise StopIteration

    with contextlib.suppress(StopIteration):
        network.fit(text[:, :-1], text[:, 1:], batch_size=batch, epochs=1000, verbose=0, callbacks=[Clock()])
    return batch * WINDOW / statistics.median(np.diff(taken[2:]))


def pytorch(batch: int, seconds: float, *, autocast: bool) -> float:
    import torch

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = torch.nn.Embedding(SYMBOLS, EMBEDDING)
            self.lstm = torch.nn.LSTM(EMBEDDING, UNITS, LAYERS, batch_first=True)
            self.head = torch.nn.Linear(UNITS, SYMBOLS)

        def forward(self, text: Any) -> Any:
            return self.head(self.lstm(self.embedding(text))[0])

    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    text = torch.tensor(symbols(batch))

    def steps() -> Iterator[None]:
        while True:
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                logits = network(text[:, :-1])
            loss = torch.nn.functional.cross_entropy(logits.float().transpose(1, 2), text[:, 1:])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            yield

    return steady_speed(steps(), batch * WINDOW, seconds)


def product(seconds: float, kind: str) -> float:
    """GFLOP a second of one large product, as all windows' inputs with a layer's kernel."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as ours: the faster of the two
    import tensorflow as tf

    a, b = (tf.cast(tf.random.normal(shape), kind) for shape in ((8192, UNITS), (UNITS, 4 * UNITS)))
    multiply = tf.function(tf.matmul)

    def steps() -> Iterator[None]:
        while True:
            for _ in range(10):
                multiply(a, b)
            yield

    return steady_speed(steps(), 10 * 2 * 8192 * UNITS * 4 * UNITS, min(seconds, 5.0)) / 1e9


CONTESTANTS: dict[str, Callable[[int, float], float]] = {
    "product float32": lambda _, seconds: product(seconds, "float32"),
    "product bfloat16": lambda _, seconds: product(seconds, "bfloat16"),
    "keras float32": lambda batch, seconds: stock(batch, seconds, "float32"),
    "keras float32, oneDNN": lambda batch, seconds: stock(batch, seconds, "float32", onednn=True),
    "keras mixed_bfloat16": lambda batch, seconds: stock(batch, seconds, "mixed_bfloat16"),
    "pytorch float32": lambda batch, seconds: pytorch(batch, seconds, autocast=False),
    "pytorch bfloat16": lambda batch, seconds: pytorch(batch, seconds, autocast=True),
    "ours float32": lambda batch, seconds: ours(batch, seconds, fast=False),
    "ours": ours,
}

if __name__ == "__main__":
    main()

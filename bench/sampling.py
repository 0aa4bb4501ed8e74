"""How fast is sampling, beside what people would use instead?  python -m bench.sampling [--seconds 10]

A character LSTM of 2 × 512 units, with as many symbols as the base has, writes texts of 280 characters, 1, 16 or 256 at
a time: `model.predict` for each character over the last 140 (as most tutorials do), the one-step model of TensorFlow's
text-generation tutorial, a `tf.while_loop` over the batch, a hand-written step in PyTorch, and ours. Every contestant
runs in a process of its own; ours shares a full batch out to one for each core, as a restock does.
Where a choice of a single row was a near thing ours writes it again, which is rare with odds as a trained network has
them: its weights are the base's. The others' are by chance: whatever the odds, their characters take equally long.
Results go to bench/results/sampling.json. PyTorch is found in this Python or in the one that TORCH_PYTHON names, else
left out by name.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from model.arithmetic import has_bfloat16
from model.vocab import END_ID, Vocab

RESULTS = Path(__file__).with_name("results") / "sampling.json"
BASE = Path(__file__).parents[1] / "model" / "base"
SYMBOLS = len(Vocab.from_json(json.loads((BASE / "vocab.json").read_text(encoding="utf-8"))))
UNITS, LAYERS, EMBEDDING, LENGTH, CONTEXT = 512, 2, 64, 280, 140  # the first three are the base's, too
BATCHES = (1, 16, 256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement, at least")
    parser.add_argument("--contestant", help="measure only this one, and print its speed")
    parser.add_argument("--batch", type=int, default=16)
    arguments = parser.parse_args()
    if arguments.contestant:
        write = CONTESTANTS[arguments.contestant](arguments.batch)
        print(json.dumps(speed(write, arguments.seconds)))
        return
    rows: dict[str, dict[str, list[float]]] = {name: {} for name in CONTESTANTS}
    missing: set[str] = set()
    for turn in range(arguments.rounds):
        for batch in BATCHES:
            for name in CONTESTANTS:
                if name in missing:
                    continue
                if (measured := run(name, batch, arguments.seconds)) is None:
                    missing.add(name)
                    continue
                rows[name].setdefault(str(batch), []).append(measured)
                print(f"round {turn + 1}  batch {batch:3}  {name:22s} {measured:10,.0f}", file=sys.stderr)
    figures = summary(rows, sorted(missing))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)


def run(name: str, batch: int, seconds: float) -> float | None:
    """The speed of one contestant in a process of its own; None where it is not installed."""
    python = os.environ.get("TORCH_PYTHON", sys.executable) if name.startswith("pytorch") else sys.executable
    words = ["--contestant", name, "--batch", str(batch), "--seconds", str(seconds)]
    done = subprocess.run([python, "-m", "bench.sampling", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"left out: {name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return float(json.loads(done.stdout.splitlines()[-1]))


def speed(write: Callable[[int], int], seconds: float) -> float:
    """Characters a second, the median of at least two runs after one to warm up; `write` returns its characters."""
    write(0)
    speeds: list[float] = []
    begun = time.perf_counter()
    while len(speeds) < 2 or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        characters = write(len(speeds) + 1)
        speeds.append(characters / (time.perf_counter() - start))
    return statistics.median(speeds)


def summary(rows: dict[str, dict[str, list[float]]], missing: list[str]) -> dict[str, Any]:
    medians = {name: {b: statistics.median(s) for b, s in by_batch.items()} for name, by_batch in rows.items()}
    ratios = {
        name: {batch: medians["ours"][batch] / value for batch, value in by_batch.items()}
        for name, by_batch in medians.items()
        if name != "ours" and by_batch
    }
    return {
        "network": f"{LAYERS} x {UNITS} LSTM, texts of {LENGTH} characters, {os.cpu_count()} cores",
        "unit": "characters a second",
        "contestants": medians,
        "rounds": rows,
        "ours_to": ratios,
        "left_out": missing,
    }


def show(figures: dict[str, Any]) -> None:
    print(f"{figures['network']}; {figures['unit']}\n")
    print(f"{'':24s}" + "".join(f"{'batch ' + str(batch):>22s}" for batch in BATCHES))
    for name, by_batch in figures["contestants"].items():
        cells = []
        for batch in map(str, BATCHES):
            ratio = figures["ours_to"].get(name, {}).get(batch)
            cells.append(f"{by_batch.get(batch, 0):,.0f}" + (f" (ours {ratio:.1f} x)" if ratio else ""))
        print(f"{name:24s}" + "".join(f"{cell:>22s}" for cell in cells))
    for name in figures["left_out"]:
        print(f"left out: {name} (not installed)")


def ours(batch: int) -> Callable[[int], int]:
    """A batch by itself in one process, as `whichtweet sample` has it; a full one as a restock has it, whose rows are
    shared out to a process for each core, and NumPy told there what it multiplies best with."""
    from app.jobs.writers import Writers
    from model.checkpoint import write_checkpoint
    from model.generate import Decoding, generate

    checkpoint = endless()
    if batch < max(BATCHES):
        return lambda seed: sum(len(d.text) for d in generate(checkpoint, batch, seed=seed, limit=LENGTH, batch=batch))
    folder = Path(tempfile.mkdtemp(prefix="sampling-"))
    atexit.register(shutil.rmtree, folder)
    write_checkpoint(folder / "network", checkpoint)
    cores = os.cpu_count() or 1
    writers = Writers(folder / "network", Decoding().to_json(), LENGTH, cores)
    atexit.register(writers.__exit__)
    drafts = writers.__enter__().drafts(0)
    return lambda _: sum(len(draft.text) for _ in range(cores) for draft in next(drafts))


def endless() -> Any:
    """The base, but that it ends no text: all have their full length, as the others' have."""
    from model.checkpoint import read_checkpoint
    from model.config import Config

    base = read_checkpoint(BASE)
    if base.config != Config("lstm", LAYERS, UNITS, EMBEDDING):
        raise SystemExit(f"{BASE}: found {base.config}, expected the shape that the others have")
    base.weights["output.bias"][END_ID] = -30
    return base


def keras_network(**options: Any) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    layers = [keras.layers.LSTM(UNITS, return_sequences=True, **options) for _ in range(LAYERS)]
    return keras.Sequential([keras.layers.Embedding(SYMBOLS, EMBEDDING), *layers, keras.layers.Dense(SYMBOLS)])


def predict(batch: int) -> Callable[[int], int]:
    network, random = keras_network(), np.random.default_rng(0)

    def write(seed: int) -> int:
        text = random.integers(3, SYMBOLS, (batch, CONTEXT))
        count = 4  # of the 280: each takes equally long, and the whole would take minutes
        for _ in range(count):
            logits = network.predict(text, verbose=0)[:, -1]
            odds = np.exp(logits - logits.max(-1, keepdims=True))
            place = (odds.cumsum(-1) / odds.sum(-1, keepdims=True) < random.random((batch, 1))).sum(-1)
            text = np.concatenate([text[:, 1:], place[:, None]], 1)
        return batch * count

    return write


def stepper() -> Any:
    """Embedding, cells and head as one call: (symbols [B], states) -> (logits [B, V], states)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    embedding, head = keras.layers.Embedding(SYMBOLS, EMBEDDING), keras.layers.Dense(SYMBOLS)
    layers = [keras.layers.LSTM(UNITS, return_sequences=True, return_state=True) for _ in range(LAYERS)]

    def step(symbols: Any, states: Any) -> Any:
        x, after = embedding(symbols[:, None]), []
        for layer, state in zip(layers, states, strict=True):
            x, *state = layer(x, initial_state=state)
            after.append(state)
        return head(x)[:, 0], after

    return step


def one_step(batch: int) -> Callable[[int], int]:
    """https://www.tensorflow.org/text/tutorials/text_generation: one traced step, strings in and strings out."""
    step = stepper()
    import keras
    import tensorflow as tf

    characters = [chr(33 + i) for i in range(SYMBOLS - 1)]
    ids_of = keras.layers.StringLookup(vocabulary=characters, mask_token=None)
    chars_of = keras.layers.StringLookup(vocabulary=characters, invert=True, mask_token=None)
    mask = tf.constant([-float("inf")] + [0.0] * (SYMBOLS - 1))

    @tf.function  # type: ignore[untyped-decorator]
    def generate_one_step(inputs: Any, states: Any) -> Any:
        logits, states = step(ids_of(inputs), states)
        ids = tf.squeeze(tf.random.categorical(logits / 0.9 + mask, 1), -1)
        return chars_of(ids), states

    def write(seed: int) -> int:
        states = [[tf.zeros([batch, UNITS]), tf.zeros([batch, UNITS])] for _ in range(LAYERS)]
        following, parts = tf.constant(["A"] * batch), []
        for _ in range(LENGTH):
            following, states = generate_one_step(following, states)
            parts.append(following)
        return sum(len(text.decode()) for text in tf.strings.join(parts).numpy())

    return write


def while_loop(batch: int) -> Callable[[int], int]:
    step = stepper()
    import tensorflow as tf

    @tf.function  # type: ignore[untyped-decorator]
    def text() -> Any:
        states = [[tf.zeros([batch, UNITS]), tf.zeros([batch, UNITS])] for _ in range(LAYERS)]

        def go(t: Any, symbols: Any, states: Any, written: Any) -> Any:
            logits, states = step(symbols, states)
            symbols = tf.random.categorical(logits / 0.9, 1, dtype=tf.int32)[:, 0]
            return t + 1, symbols, states, written.write(t, symbols)

        first = (tf.constant(0), tf.zeros([batch], tf.int32), states, tf.TensorArray(tf.int32, LENGTH))
        return tf.while_loop(lambda t, *_: t < LENGTH, go, first)[3].stack()

    return lambda seed: text().numpy().size


def pytorch(batch: int) -> Callable[[int], int]:
    import torch

    torch.manual_seed(0)
    embedding, head = torch.nn.Embedding(SYMBOLS, EMBEDDING), torch.nn.Linear(UNITS, SYMBOLS)
    cells = [torch.nn.LSTMCell(width, UNITS) for width in (EMBEDDING, *[UNITS] * (LAYERS - 1))]

    def write(seed: int) -> int:
        symbols = torch.zeros(batch, dtype=torch.int64)
        states = [(torch.zeros(batch, UNITS), torch.zeros(batch, UNITS)) for _ in cells]
        written = []
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
            for _ in range(LENGTH):
                x = embedding(symbols)
                for place, cell in enumerate(cells):
                    states[place] = cell(x, states[place])
                    x = states[place][0]
                symbols = torch.multinomial(torch.softmax(head(x).float() / 0.9, -1), 1)[:, 0]
                written.append(symbols)
        return int(torch.stack(written).numel())

    return write


CONTESTANTS: dict[str, Callable[[int], Callable[[int], int]]] = {
    "model.predict": predict,
    "tutorial's one step": one_step,
    "tf.while_loop": while_loop,
    "pytorch": pytorch,  # in bfloat16 where the processor has it
    "ours": ours,
}

if __name__ == "__main__":
    main()

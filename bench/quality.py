"""How well does a network foretell tweets after so many minutes?  python -m bench.quality --contestant ours-30

Bits per character on the validation split of ../shared/data's Trump tweets, end marks counted, for one contestant per
command: stock-N is Keras as in TensorFlow's text-generation tutorial, pytorch-N an `nn.LSTM` of 2 × 512 with our
packing and schedule, ours-N what `whichtweet train --minutes N --from-scratch` does, and base-N the same from the
shipped base, which has read this account's train split; N is minutes of training on this machine. A run of ours that
was interrupted goes on, one that was done is done anew. Each adds its figure to bench/results/quality.json, apart for
processors with bfloat16 and without. PyTorch is found in this Python or in the one that TORCH_PYTHON names.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.jobs.texts import read_texts
from model.arithmetic import has_bfloat16
from model.corpus import Corpus, Text, Window
from model.text import TEXT_VERSION
from model.vocab import UNKNOWN_ID, Vocab

RESULTS = Path(__file__).with_name("results") / "quality.json"
SHARED = Path(__file__).parents[2] / "shared" / "data"
BASE = Path(__file__).parents[1] / "model" / "base"
WORK = Path(os.environ.get("WHICHTWEET_DATA_DIR", "data")) / "quality"
Contestant = Callable[[list[Text], list[Text], int], float]  # to learn, to measure on, minutes: bits per character


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contestant", default="ours-10", help="stock, pytorch, ours or base, a hyphen, and minutes")
    name = parser.parse_args().contestant
    kind, _, minutes = name.partition("-")
    if kind not in CONTESTANTS or not minutes.isdigit():
        raise SystemExit(f"contestant: found {name!r}, expected like ours-30; known are {', '.join(CONTESTANTS)}")
    folder = split()
    if kind == "pytorch" and (python := os.environ.get("TORCH_PYTHON")) and python != sys.executable:
        raise SystemExit(subprocess.run([python, "-m", "bench.quality", *sys.argv[1:]], check=False).returncode)
    begun = time.monotonic()
    bits = CONTESTANTS[kind](read_texts(folder / "train.jsonl"), read_texts(folder / "validation.jsonl"), int(minutes))
    row = {"bits_per_character": bits, "seconds": round(time.monotonic() - begun), "cores": os.cpu_count()}
    keep(name, "bfloat16" if has_bfloat16() else "float32", row)


def split(slug: str = "trump", files: Sequence[str] = ("trump_archive.json", "trump_2018_apr_dec.json")) -> Path:
    """The train and validation splits of an archive as the importer makes them, as JSONL files; remove their folder
    where the importer deals them in another way by now."""
    folder = WORK / f"{slug}-{TEXT_VERSION}"
    if not (folder / "validation.jsonl").exists():
        from app.db import archives, tweets
        from app.db.migrate import migrate
        from app.db.session import open_engine, reading
        from app.jobs.importing import import_archive

        if not SHARED.is_dir():
            raise SystemExit(f"{SHARED}: no such folder; {', '.join(files)} are expected there")
        with tempfile.TemporaryDirectory() as place:
            engine = open_engine(f"sqlite:///{place}/whichtweet.db")
            migrate(engine)
            for file in files:
                import_archive(engine, SHARED / file, slug=slug)
            folder.mkdir(parents=True, exist_ok=True)
            with reading(engine) as connection:
                archive = archives.find(connection, slug)
                assert archive is not None
                for name in ("train", "validation"):
                    texts = tweets.texts(connection, archive.id, name)
                    lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts]
                    (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def keep(name: str, fastest: str, row: dict[str, Any]) -> None:
    """Add a contestant's figures, by what the processor multiplies fastest, and print all that is known."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known.setdefault(name, {})[fastest] = row
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for contestant, rows in sorted(known.items()):
        for kind, it in sorted(rows.items()):
            print(f"{contestant:12s} {kind:8s} {it['bits_per_character']:.4f} bits per character, {it['seconds']:,} s")


def ours(texts: list[Text], validation: list[Text], minutes: int, *, start: Path | None = None) -> float:
    from model.checkpoint import read_checkpoint
    from model.evaluate import bits_per_character

    out, folder = WORK / f"{'base' if start else 'ours'}-{minutes}", split()
    words = ["--train", str(folder / "train.jsonl"), "--validation", str(folder / "validation.jsonl"), "--resume"]
    words += ["--out", str(out), "--minutes", str(minutes)]
    words += ["--start", str(start)] if start else []
    subprocess.run([sys.executable, "-m", "app.jobs.training_process", *words], check=True, stdout=sys.stderr)
    bits = bits_per_character(read_checkpoint(out), [text.text for text in validation]).bits_per_character
    shutil.rmtree(out.with_name(f"{out.name}.training"))  # it is done: the next one is to begin, not to find it so
    return bits


def measured(nats_of: Any, corpus: Corpus, vocab: Vocab, window: int) -> float:
    """Bits per character from a function that gives the surprise [T, B] in nats of each target of a window."""
    nats = unknown = 0.0
    for part in corpus.windows(64, window, epoch=0):
        inside = part.weights > 0
        nats += float(nats_of(part)[inside].sum(dtype=np.float64))
        unknown += int((part.targets[inside] == UNKNOWN_ID).sum())
    return (nats / math.log(2) + unknown * vocab.unknown_bits) / corpus.characters


def stock(texts: list[Text], validation: list[Text], minutes: int) -> float:
    """https://www.tensorflow.org/text/tutorials/text_generation: embedding 256, one GRU of 1,024 units, plain Adam,
    batches of 64 sequences of 100 characters cut from the joined text, each from an empty state."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import tensorflow as tf

    vocab = Vocab("").extended(text.text for text in texts)
    corpus, held_out = Corpus(texts, vocab), Corpus(validation, vocab)
    flat = corpus._flat.astype(np.int32)
    sequences = flat[: len(flat) // 101 * 101].reshape(-1, 101)
    gru = keras.layers.GRU(1024, return_sequences=True, return_state=True)
    embedding, head = keras.layers.Embedding(len(vocab), 256), keras.layers.Dense(len(vocab))
    inputs = keras.Input([None], dtype="int32")
    network = keras.Model(inputs, head(gru(embedding(inputs))[0]))
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    until = time.monotonic() + 60 * minutes

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = time.monotonic() > until

    epoch_size, stop = len(sequences) // 64, Clock()
    while time.monotonic() < until:
        order = np.random.default_rng(int(time.monotonic())).permutation(len(sequences))[: epoch_size * 64]
        for first in range(0, len(order), 64 * 50):  # in pieces, so that it ends on time
            rows = sequences[order[first : first + 64 * 50]]
            if time.monotonic() < until:
                network.fit(rows[:, :-1], rows[:, 1:], batch_size=64, verbose=0, callbacks=[stop])

    @tf.function  # type: ignore[untyped-decorator]
    def surprise(symbols: Any, targets: Any, goes_on: Any, state: Any) -> Any:
        # Step by step, so that the state can be cleared where a tweet begins; as the tutorial writes text.
        def step(state: Any, part: Any) -> Any:
            symbol, target, keep = part
            out, state = gru(embedding(symbol[:, None]), initial_state=state[0] * keep[:, None])
            return state, tf.nn.sparse_softmax_cross_entropy_with_logits(target, head(out)[:, 0])

        first = (state, tf.zeros(tf.shape(state)[0]))
        states, nats = tf.scan(step, (symbols, targets, goes_on), first)
        return nats, states[-1]

    state = tf.zeros([64, 1024])

    def nats_of(part: Window) -> Any:
        nonlocal state
        nats, state = surprise(part.symbols, part.targets, part.goes_on, state)
        return nats.numpy()

    return measured(nats_of, held_out, vocab, 100)


def pytorch(texts: list[Text], validation: list[Text], minutes: int) -> float:  # noqa: C901  # one recipe, in one read
    """`nn.LSTM` of 2 × 512, with our packing, schedule, locked dropout and averaged weights.

    In bfloat16 autocast where the processor has it. nn.LSTM cannot clear its state within a window: it is cleared
    between windows only, where a row begins a text.
    """
    import copy

    import torch

    from model.config import Recipe

    vocab = Vocab("").extended(text.text for text in texts)
    corpus, held_out = Corpus(texts, vocab), Corpus(validation, vocab)
    recipe = Recipe(minutes=minutes).filled(corpus.characters)
    torch.manual_seed(0)

    class Network(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.head = torch.nn.Embedding(len(vocab), 64), torch.nn.Linear(512, len(vocab))
            self.layers = torch.nn.ModuleList([torch.nn.LSTM(width, 512) for width in (64, 512)])

        def forward(self, symbols: Any, states: Any, dropout: float = 0.0) -> Any:
            x, after = self.embedding(symbols), []
            for layer, state in zip(self.layers, states, strict=True):
                x, state = layer(x, state)
                if dropout:
                    x = x * torch.nn.functional.dropout(torch.ones(1, *x.shape[1:]), dropout)
                after.append(tuple(part.detach() for part in state))
            return self.head(x), after

    network = Network()
    averaged = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), recipe.rate, betas=(0.9, 0.99))

    def zero(rows: int) -> Any:
        return [(torch.zeros(1, rows, 512), torch.zeros(1, rows, 512)) for _ in range(2)]

    begun, step, epoch, states = time.monotonic(), 0, 0, zero(recipe.batch)
    progress, read = 0.0, 0  # characters
    while progress < 1:
        for part in corpus.windows(recipe.batch, recipe.window, epoch=epoch):
            progress = (time.monotonic() - begun) / (60 * minutes)
            if progress >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate_at(progress)
            keep = torch.tensor(part.goes_on[0])[None, :, None]
            states = [tuple(each * keep for each in state) for state in states]
            symbols, targets = torch.tensor(part.symbols).long(), torch.tensor(part.targets).long()
            with torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16()):
                passes = read / corpus.characters / max(progress, 1e-9)
                logits, states = network(symbols, states, (recipe.dropout or 0.0) * recipe.noise_for(passes))
            nats = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="none")
            weights = torch.tensor(part.weights).flatten()
            optimizer.zero_grad()
            ((nats * weights).sum() / weights.sum()).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step, read = step + 1, read + int(np.count_nonzero(part.weights))
            decay = min(recipe.averaging, (1 + step) / (10 + step))
            with torch.no_grad():
                for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
                    mean.lerp_(now, 1 - decay)
        epoch += 1
    nats = unknown = 0.0
    with torch.inference_mode():
        for part in held_out.whole(64, epoch=0):  # one tweet a row: the state is empty at each tweet's start
            logits, _ = averaged(torch.tensor(part.symbols).long(), zero(64))
            targets = torch.tensor(part.targets).long()
            surprise = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
            inside = part.weights > 0
            nats += float(surprise.numpy().reshape(inside.shape)[inside].sum(dtype=np.float64))
            unknown += int((part.targets[inside] == UNKNOWN_ID).sum())
    return (nats / math.log(2) + unknown * vocab.unknown_bits) / held_out.characters


CONTESTANTS: dict[str, Contestant] = {
    "ours": ours,
    "base": partial(ours, start=BASE),
    "stock": stock,
    "pytorch": pytorch,
}

if __name__ == "__main__":
    main()

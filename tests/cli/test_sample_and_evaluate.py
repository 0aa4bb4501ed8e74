"""The commands `sample` and `evaluate`, on a small network that writes nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from app.cli import model
from model.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from model.config import Config
from model.generate import Decoding, generate
from model.vocab import END_ID, Vocab


def a_checkpoint(folder: Path, end: float = 0.0) -> Path:
    """Of a network that writes nonsense; `end` is added to the log odds of the end."""
    config, vocab, random = Config(layers=1, units=16, embedding=8), Vocab("abcdef "), np.random.default_rng(0)
    weights = {
        name: random.normal(0, 0.3, [size or len(vocab) for size in shape]).astype("f4")
        for name, shape in config.shapes.items()
    }
    weights["output.bias"][END_ID] += end
    write_checkpoint(folder, Checkpoint(config, vocab, weights))
    return folder


def texts(path: Path, *lines: str) -> Path:
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    return path


def whichtweet(*words: object) -> Result:
    app = typer.Typer()
    model.register(app)
    return CliRunner().invoke(app, [str(word) for word in words])


def test_sample_prints_as_many_as_are_asked_for(tmp_path: Path) -> None:
    printed = json.loads(whichtweet("sample", a_checkpoint(tmp_path / "c"), "--count", 3, "--json").stdout)
    assert [sample["seed"] for sample in printed["samples"]] == [0, 1, 2]


def test_sample_repeats_itself_by_seed(tmp_path: Path) -> None:
    folder = a_checkpoint(tmp_path / "c")
    once, again, other = (whichtweet("sample", folder, "--seed", seed).stdout for seed in (4, 4, 5))
    assert once == again != other


def test_sample_goes_on_from_a_prompt(tmp_path: Path) -> None:
    printed = whichtweet("sample", a_checkpoint(tmp_path / "c"), "--prompt", "a bad", "--count", 1).stdout
    assert printed.startswith("a bad")


@pytest.mark.parametrize(("option", "most"), [("--limit", 10_000), ("--beam", 1000)])
def test_sample_asks_for_no_more_memory_than_there_is(tmp_path: Path, option: str, most: int) -> None:
    words = ("sample", a_checkpoint(tmp_path / "c"), "--count", 1, "--limit", 5, option)
    assert whichtweet(*words, most).exit_code == 0
    refused = whichtweet(*words, most + 1)
    assert refused.exit_code == 2
    assert f"less than or equal to {most}" in " ".join(refused.stderr.replace("│", "").split())


def test_sample_finds_the_likeliest_by_beam_search(tmp_path: Path) -> None:
    words = ("sample", a_checkpoint(tmp_path / "c"), "--beam", 4, "--count", 3, "--limit", 30, "--json")
    found = json.loads(whichtweet(*words).stdout)["samples"]
    assert [sample["bits"] for sample in found] == sorted(sample["bits"] for sample in found)
    assert len({sample["text"] for sample in found}) == 3


def test_evaluate_prints_the_measure_as_json(tmp_path: Path) -> None:
    found = texts(tmp_path / "t.jsonl", "abc", "de")
    measured = json.loads(whichtweet("evaluate", a_checkpoint(tmp_path / "c"), found, "--json").stdout)
    assert (measured["characters"], measured["tweets"]) == (7, 2)
    assert 2 < measured["bits_per_character"] < 5


def test_evaluate_compares_samples_with_real_texts(tmp_path: Path) -> None:
    real = texts(tmp_path / "t.jsonl", *(f"a cab fed a bad {word} face" for word in "abcdef" * 10))
    folder, picture = a_checkpoint(tmp_path / "c"), tmp_path / "p.svg"
    words = ("evaluate", folder, real, "--samples", 40, "--learned", real, "--plot", picture)
    compared = json.loads(whichtweet(*words, "--json").stdout)["compared"]
    assert compared["Self-BLEU"]["samples"] < compared["Self-BLEU"]["low"]
    assert "Self-BLEU" in whichtweet(*words).stdout
    dots = [node for node in ElementTree.parse(picture).iter() if node.tag.endswith("circle")]
    assert len(dots) == len(compared)


def test_evaluate_writes_as_long_as_the_texts_and_counts_what_comes_to_no_end(tmp_path: Path) -> None:
    real = texts(tmp_path / "t.jsonl", "a cab fed a bad face " * 19, *["a cab fed a bad deaf face"] * 30)
    words = ("evaluate", a_checkpoint(tmp_path / "c", end=-3.0), real, "--samples", 40, "--learned", real, "--top-p", 1)
    network = read_checkpoint(tmp_path / "c")
    drafts, shorter = (
        list(generate(network, 40, decoding=Decoding(1.0, 1.0), limit=limit)) for limit in (19 * 21, 280)
    )
    unended = sum(not draft.ended for draft in drafts)
    assert 0 < unended < sum(not draft.ended for draft in shorter) < 30
    assert json.loads(whichtweet(*words, "--json").stdout)["unended"] == unended
    assert f"{unended} drafts came to no end" in whichtweet(*words).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sample",), "nothing to sample from"),
        (("evaluate",), "nothing to measure; give a checkpoint"),
        (("sample", "{c}", "--archive", "x"), "give a checkpoint or --archive, not both"),
        (("evaluate", "{c}", "{t}", "--archive", "x"), "give a checkpoint or --archive, not both"),
        (("sample", "nowhere"), "nowhere: no such checkpoint folder"),
        (("sample", "{c}", "--temperature", "0"), "temperature: found 0.0"),
        (("sample", "{c}", "--prompt", "a" * 300), "prompt: found 300 characters"),
        (("evaluate", "{c}", "nowhere.jsonl"), "nowhere.jsonl: No such file"),
        (("evaluate", "{c}", "{c}/vocab.json"), "line 1: not JSON"),
        (("sample", "{c}", "--beam", "4", "--prompt", "a" * 300), "prompt: found 300 characters"),
        (("evaluate", "{c}", "{t}", "--samples", "9"), "--samples needs --learned"),
        (("evaluate", "{c}", "{t}", "--plot", "{c}/p.svg"), "--plot shows samples beside texts"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    places = {"c": a_checkpoint(tmp_path / "c"), "t": texts(tmp_path / "t.jsonl", "abc")}
    refused = whichtweet(*(word.format(**places) for word in words))
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert refused.stderr.count("\n") == 1

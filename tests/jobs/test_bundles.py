"""A generator in one file: what it carries, and what is refused by name."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import add_game
from fastapi.testclient import TestClient
from stock import small_talk, stock_archive, stock_generator

from app.bundle import pack
from app.db import admins, generators
from app.db.archives import Archive
from app.db.generators import ANCHOR, CHAMPION, Generator
from app.db.session import now, reading, writing
from app.jobs.bundles import export_generator, import_generator
from app.jobs.restocking import restock
from app.jobs.training import evaluate
from app.jobs.workshop import Interrupted, JobError, Workshop
from app.main import create_app
from app.settings import Settings
from app.web.admin import passwords
from model.checkpoint import read_checkpoint, write_checkpoint

SHIFTED = {ord("a") + place: ord("а") + place for place in range(26)}  # Latin letters as Cyrillic ones


@pytest.fixture
def bundle(workshop: Workshop, archive: Archive, generator: Generator, tmp_path: Path) -> Path:
    export_generator(workshop, archive, generator, tmp_path / "v1.zip")
    return tmp_path / "v1.zip"


@pytest.fixture
def elsewhere(workshop: Workshop) -> Archive:
    stock_archive(workshop.engine, "elsewhere")
    return workshop.archive("elsewhere")


@pytest.mark.process
def test_a_generator_is_carried_into_another_archive(
    workshop: Workshop, generator: Generator, bundle: Path, elsewhere: Archive
) -> None:
    made, is_new = import_generator(workshop, elsewhere, bundle)

    assert is_new
    assert (made.checkpoint_sha256, made.alphabet) == (generator.checkpoint_sha256, generator.alphabet)
    assert dict(made.decoding) == dict(generator.decoding)
    assert made.bits_per_character == pytest.approx(evaluate(workshop, elsewhere, made.checkpoint_key))
    assert made.card["bundle"]["generator"] == "v1"
    with reading(workshop.engine) as connection:
        assert set(generators.arms_of(connection, elsewhere.id)) == {CHAMPION, ANCHOR}
    assert restock(workshop, elsewhere, made, 5).shelved == 5


def test_the_curve_of_its_training_comes_along(
    workshop: Workshop, archive: Archive, generator: Generator, elsewhere: Archive, tmp_path: Path
) -> None:
    points = [{"step": 5, "train_bits": 3.5, "bits_per_character": 3.75}]
    taught = replace(generator, card={"made_by": "train", "curve": [*points, "nonsense"]})
    export_generator(workshop, archive, taught, tmp_path / "v1.zip")
    made, _ = import_generator(workshop, elsewhere, tmp_path / "v1.zip")
    assert made.card["curve"] == points
    assert made.card["bundle"]["card"] == {"made_by": "train"}


def test_imported_twice_it_is_the_same_generator(workshop: Workshop, bundle: Path, elsewhere: Archive) -> None:
    first, _ = import_generator(workshop, elsewhere, bundle)
    again, is_new = import_generator(workshop, elsewhere, bundle)
    assert (again.id, is_new) == (first.id, False)


def test_beside_a_champion_it_waits_to_be_promoted(workshop: Workshop, bundle: Path, elsewhere: Archive) -> None:
    champion = stock_generator(workshop, elsewhere, seed=3)
    import_generator(workshop, elsewhere, bundle)
    with reading(workshop.engine) as connection:
        arms = generators.arms_of(connection, elsewhere.id)
    assert {arm.generator_id for arm in arms.values()} == {champion.id}


def rewritten(bundle: Path, **change: Any) -> Path:
    """The same bundle with another card, its hashes made anew."""
    folder = bundle.parent / "taken apart"
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    card = json.loads((folder / "card.json").read_text()) | change
    pack(folder, bundle.parent / "other.zip", card)
    return bundle.parent / "other.zip"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "something"}, "not of a generator"),
        ({"card": {"made_by": "\0"}}, "other.zip/card.json: damaged: it holds a null character"),
        ({"decoding": [1]}, "not of a generator"),
        ({"decoding": {"temperature": -1}}, "its decoding cannot be used: temperature: found -1"),
        ({"decoding": {"temperature": "hot"}}, "its decoding cannot be used"),
        ({"decoding": {"no_repeat": 24.5}}, "its decoding cannot be used: no_repeat: found 24.5"),
    ],
)
def test_a_card_that_is_off_is_refused(
    workshop: Workshop, bundle: Path, elsewhere: Archive, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(JobError, match=said):
        import_generator(workshop, elsewhere, rewritten(bundle, **change))
    with reading(workshop.engine) as connection:
        assert generators.listing(connection, elsewhere.id) == []
    assert not [file for file in workshop.checkpoints.iterdir() if file.name.startswith(".bundle")]


def test_a_damaged_bundle_and_a_missing_one_are_named(workshop: Workshop, bundle: Path, elsewhere: Archive) -> None:
    whole = bytearray(bundle.read_bytes())
    whole[len(whole) // 2] ^= 255
    (bundle.parent / "bad.zip").write_bytes(whole)
    with pytest.raises(JobError, match=r"bad.zip: damaged"):
        import_generator(workshop, elsewhere, bundle.parent / "bad.zip")
    with pytest.raises(JobError, match=r"nowhere.zip: No such file"):
        import_generator(workshop, elsewhere, bundle.parent / "nowhere.zip")


@pytest.mark.slow
def test_a_bundle_that_swells_is_refused_before_it_is_unpacked(
    workshop: Workshop, bundle: Path, elsewhere: Archive
) -> None:
    swollen = bundle.parent / "swollen.zip"
    with zipfile.ZipFile(bundle) as good, zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in good.namelist():
            packed.writestr(name, bytes(64 << 20) if name.endswith(".safetensors") else good.read(name))
    assert swollen.stat().st_size < 1 << 20
    with pytest.raises(JobError, match=r"swollen\.zip: a file in it unpacks to more than 20 times its size"):
        import_generator(workshop, elsewhere, swollen)


def test_a_bundle_that_lists_files_without_end_is_not_opened(
    workshop: Workshop, bundle: Path, elsewhere: Archive
) -> None:
    long = bundle.parent / "long.zip"
    with zipfile.ZipFile(long, "w") as packed:
        for number in range(3000):
            packed.writestr(f"{number}", "")
    with pytest.raises(JobError, match=r"long\.zip: damaged, or no bundle: it lists more files"):
        import_generator(workshop, elsewhere, long)


def test_a_bundle_with_a_name_that_is_no_text_is_damaged(workshop: Workshop, bundle: Path, elsewhere: Archive) -> None:
    odd = bundle.parent / "odd.zip"
    with zipfile.ZipFile(odd, "w") as packed:
        packed.writestr("é", "")
    odd.write_bytes(odd.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(JobError, match=r"odd\.zip: damaged, or no bundle"):
        import_generator(workshop, elsewhere, odd)


def test_the_name_of_its_file_is_kept_as_a_text(workshop: Workshop, bundle: Path, elsewhere: Archive) -> None:
    made, _ = import_generator(workshop, elsewhere, bundle.rename(bundle.parent / os.fsdecode(b"v\xff.zip")))
    assert made.card["file"] == "v\ufffd.zip"


def test_one_that_cannot_be_measured_leaves_nothing_behind(workshop: Workshop, bundle: Path) -> None:
    with writing(workshop.engine) as connection:
        add_game(connection, slug="unmeasured")
    with pytest.raises(JobError, match="unmeasured has no validation tweets to measure on"):
        import_generator(workshop, workshop.archive("unmeasured"), bundle)
    assert sorted(each.name for each in workshop.checkpoints.iterdir()) == ["gannet"]


def test_one_with_weights_beyond_measure_leaves_nothing_behind(
    workshop: Workshop, generator: Generator, bundle: Path, elsewhere: Archive
) -> None:
    with zipfile.ZipFile(bundle) as whole:
        whole.extractall(bundle.parent / "apart")
    checkpoint = read_checkpoint(workshop.folder(generator.checkpoint_key))
    wild = {name: np.full_like(array, 3e38) for name, array in checkpoint.weights.items()}
    write_checkpoint(bundle.parent / "wild", replace(checkpoint, weights=wild))
    shutil.copytree(bundle.parent / "wild", bundle.parent / "apart", dirs_exist_ok=True)
    pack(bundle.parent / "apart", bundle, json.loads((bundle.parent / "apart" / "card.json").read_text()))
    before = sorted(workshop.checkpoints.rglob("*"))
    with pytest.raises(JobError, match="its weights are too large to measure: nan"):
        import_generator(workshop, elsewhere, bundle)
    assert sorted(workshop.checkpoints.rglob("*")) == before


def test_how_far_the_measuring_is_can_be_seen_and_it_can_be_stopped(
    workshop: Workshop, bundle: Path, elsewhere: Archive
) -> None:
    told: list[Mapping[str, Any]] = []
    with pytest.raises(Interrupted):
        import_generator(
            workshop, elsewhere, bundle, on_progress=told.append, should_stop=lambda: told[-1]["step"] == 20
        )
    # A tenth of the 340 tweets that are not in the deck.
    assert told == [{"step": read, "steps": 34} for read in range(1, 21)]
    with reading(workshop.engine) as connection:
        assert generators.listing(connection, elsewhere.id) == []
    assert sorted(each.name for each in workshop.checkpoints.iterdir()) == ["gannet"]


def test_one_that_writes_another_script_is_refused(workshop: Workshop, bundle: Path) -> None:
    cyrillic = [text.translate(SHIFTED) for text in small_talk(400)]
    stock_archive(workshop.engine, "elsewhere", texts=cyrillic)
    with pytest.raises(JobError, match=r"v1.zip: its alphabet is foreign to elsewhere: it lacks \d\d% of"):
        import_generator(workshop, workshop.archive("elsewhere"), bundle)
    assert sorted(each.name for each in workshop.checkpoints.iterdir()) == ["gannet"]


def test_a_bundle_cannot_be_written_where_there_is_no_folder(
    workshop: Workshop, archive: Archive, generator: Generator, tmp_path: Path
) -> None:
    with pytest.raises(JobError, match="No such file or directory"):
        export_generator(workshop, archive, generator, tmp_path / "nowhere" / "v1.zip")


@pytest.mark.slow
def test_what_the_dashboard_lets_download_is_taken_by_another_game(
    workshop: Workshop, generator: Generator, elsewhere: Archive, tmp_path: Path
) -> None:
    with writing(workshop.engine) as connection:
        admins.create(connection, "Vera", passwords.hashed("correct horse battery"), "viewer", now())
    settings = Settings(
        data_dir=tmp_path, database_url=workshop.engine.url.render_as_string(), checkpoint_dir=workshop.checkpoints
    )
    form = {"name": "Vera", "password": "correct horse battery"}
    with TestClient(create_app(settings), headers={"Origin": "http://testserver"}, follow_redirects=False) as client:
        assert client.post("/admin/sign-in", data=form).status_code == 303
        answer = client.get(f"/admin/generators/{generator.id}/bundle.zip")
        assert answer.status_code == 200
        (tmp_path / "downloaded.zip").write_bytes(answer.content)
        (workshop.folder(generator.checkpoint_key) / "vocab.json").write_text("{}")
        assert client.get(f"/admin/generators/{generator.id}/bundle.zip").status_code == 404
    made, is_new = import_generator(workshop, elsewhere, tmp_path / "downloaded.zip")
    assert is_new
    assert made.checkpoint_sha256 == generator.checkpoint_sha256

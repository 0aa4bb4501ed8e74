"""A database, an archive and a generator for jobs to work on."""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from letters import furnish
from sqlalchemy import Engine
from stock import stock_archive, stock_generator

from app.db.archives import Archive
from app.db.generators import Generator
from app.jobs import restocking
from app.jobs.workshop import Workshop


@pytest.fixture(scope="session")
def played(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a game of letters that was played and can be retrained, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("played")
    shutil.copy(migrated, folder / "whichtweet.db")
    furnish(f"sqlite:///{folder / 'whichtweet.db'}", folder)
    return folder


@pytest.fixture(autouse=True)
def _restocks_are_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's restocks write what they wrote the last time: by chance some failed now and then."""
    seeds = count(1 << 50, 1 << 46)  # so far apart that neither drafts nor pilots are written twice
    monkeypatch.setattr(restocking, "secrets", SimpleNamespace(randbits=lambda bits: next(seeds)))


@pytest.fixture
def workshop(engine: Engine, tmp_path: Path) -> Workshop:
    stock_archive(engine)
    return Workshop(engine, tmp_path / "checkpoints", shelf_low=50, shelf_full=120, processes=1)


@pytest.fixture
def archive(workshop: Workshop) -> Archive:
    return workshop.archive("gannet")


@pytest.fixture
def generator(workshop: Workshop, archive: Archive) -> Generator:
    return stock_generator(workshop, archive)

"""whichtweet restock, where there is nothing to do."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.cli import main
from app.db import jobs
from app.db.migrate import migrate
from app.db.session import open_engine, reading
from app.jobs.demo import open_demo


@pytest.mark.slow
def test_a_shelf_that_is_full_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'whichtweet.db'}")
    migrate(engine)
    open_demo(engine, tmp_path / "checkpoints")
    monkeypatch.setenv("WHICHTWEET_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WHICHTWEET_SHELF_FULL", "10")
    monkeypatch.setattr(sys, "argv", ["whichtweet", "restock", "--archive", "mayor-of-gannet", "--json"])

    with pytest.raises(SystemExit) as exit:
        main()

    told = capsys.readouterr()
    assert not exit.value.code
    assert told.err.startswith("Skipped: the shelf of mayor-of-gannet is full (")
    assert "--count N" in json.loads(told.out)["skipped"]
    with reading(engine) as connection:
        assert jobs.listing(connection) == []
    engine.dispose()

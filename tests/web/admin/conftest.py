"""A dashboard with an archive of 60 cards, an admin and a viewer; every test has a copy of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factories import LONG_AGO, add_game
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from app.db import admins
from app.db.migrate import migrate
from app.db.session import open_engine, writing
from app.main import create_app
from app.settings import Settings
from app.web.admin import passwords

PASSWORD = "correct horse battery"
ORIGIN = "http://testserver"


class Desk:
    """One browser at the dashboard."""

    def __init__(self, app: Any, settings: Settings, engine: Engine) -> None:
        self._app, self.settings, self.engine = app, settings, engine
        self.client = TestClient(app, follow_redirects=False)

    def another(self) -> Desk:
        """Another browser."""
        return Desk(self._app, self.settings, self.engine)

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def post(self, path: str, origin: str | None = ORIGIN, **form: Any) -> Response:
        return self.client.post(path, data=form, headers={} if origin is None else {"Origin": origin})

    def sign_in(self, name: str = "Ada", password: str = PASSWORD) -> Response:
        return self.post("/admin/sign-in", name=name, password=password)

    def signed_in(self, name: str = "Ada") -> Desk:
        assert self.sign_in(name).status_code == 303
        return self

    def said(self, path: str) -> str:
        """The page at `path`, which must be there."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.text


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a game, Ada the admin and Vera the viewer, made once."""
    file = tmp_path_factory.mktemp("furnished") / "whichtweet.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    hashed = passwords.hashed(PASSWORD)
    with writing(engine) as connection:
        add_game(connection)
        admins.create(connection, "Ada", hashed, "admin", LONG_AGO)
        admins.create(connection, "Vera", hashed, "viewer", LONG_AGO)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture
def outside(furnished: Path, tmp_path: Path) -> Iterator[Desk]:
    """A browser that is not signed in."""
    shutil.copy(furnished, tmp_path / "whichtweet.db")
    settings = Settings(data_dir=tmp_path, secret_key="k" * 40, operator_key="o" * 40)
    engine = open_engine(settings.database)
    yield Desk(create_app(settings), settings, engine)
    engine.dispose()


@pytest.fixture
def desk(outside: Desk) -> Desk:
    """A browser in which Ada, an admin, is signed in."""
    return outside.signed_in("Ada")


@pytest.fixture
def viewer(outside: Desk) -> Desk:
    """A browser in which Vera, a viewer, is signed in."""
    return outside.another().signed_in("Vera")

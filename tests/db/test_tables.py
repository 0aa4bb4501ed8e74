"""The schema lies in a file a subject: the door must lead to every table, or Alembic would not see it."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Table

from app.db import schema, tables

FILES = [module.name for module in pkgutil.iter_modules(schema.__path__) if module.name != "columns"]


@pytest.mark.parametrize("file", FILES)
def test_the_door_leads_to_every_table(file: str) -> None:
    here = {
        name: it for name, it in vars(importlib.import_module(f"app.db.schema.{file}")).items() if type(it) is Table
    }
    assert here
    assert {name: getattr(tables, name, None) for name in here} == here


def test_each_table_is_in_one_file() -> None:
    ours = set(tables.__all__) - {"Moment", "metadata"}
    assert ours == set(tables.metadata.tables)


def test_the_revisions_make_just_these_tables(either_engine: Engine) -> None:
    with either_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []

"""Whatever a program sends to the API, one call or several in a row, it gets an answer: no 500, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from factories import add_game
from hypothesis import settings as hypothesis_settings
from serving import Game, serve, settings

from app.db.migrate import migrate
from app.db.session import open_engine, writing

pytestmark = pytest.mark.slow

CALLS = 6  # in a row, at most
EXAMPLES = hypothesis_settings.get_profile("fuzz").max_examples


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Game]:
    folder = tmp_path_factory.mktemp("fuzz")
    url = f"sqlite:///{folder / 'whichtweet.db'}"
    engine = open_engine(url)
    migrate(engine)
    with writing(engine) as connection:
        add_game(connection, cards=300, on_shelf=300)
    engine.dispose()
    with serve(settings(url, folder)) as game:
        yield game


def test_calls_in_any_order_get_an_answer(served: Game, tried: dict[str, int]) -> None:
    schema = schemathesis.openapi.from_url(f"{served.url}/api/openapi.json")

    class Calls(schema.as_state_machine()):  # type: ignore[misc]
        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            tried["inputs"] += 1
            assert response.status_code != 500, f"{case.method} {case.path}: {response.text}"
            assert "Traceback" not in response.text
            if response.status_code >= 400:
                assert response.headers["content-type"][0] in ("application/problem+json", "application/json")

    profile = hypothesis_settings.get_profile("fuzz")
    Calls.run(settings=hypothesis_settings(profile, max_examples=max(10, EXAMPLES // 10), stateful_step_count=CALLS))

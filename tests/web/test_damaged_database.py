"""A database that gets damaged under a running server: players are asked to wait, and the log says what to do."""

from __future__ import annotations

from pathlib import Path

from serving import Game
from structlog.testing import capture_logs

HEADER = 100  # bytes at the beginning that say what the file is


def test_a_damaged_file_is_named_in_the_log_and_players_are_asked_to_wait(game: Game) -> None:
    with game.client() as client:
        token = client.post("/api/rounds").json()["round"]
        database = Path(str(game.engine.url.database))
        for file in (database, database.with_name(f"{database.name}-wal")):
            if file.exists():
                with file.open("r+b") as opened:
                    opened.seek(HEADER)
                    opened.write(b"\xaa" * (file.stat().st_size - HEADER))
        with capture_logs() as logs:
            guessed = client.post("/api/guesses", json={"round": token, "pick": 0})
            me = client.get("/me")
    assert (guessed.status_code, guessed.json()["type"]) == (503, "/problems/database-away")
    assert me.status_code == 503
    told = [line["reason"] for line in logs if line["event"] == "guesses not written"]
    assert told
    assert all(f"the database {database} is damaged (" in words and "restore a backup" in words for words in told)
    assert any(line["event"] == "database away" and "restore a backup" in line["reason"] for line in logs)

"""Rules of the game: pure functions of what they are handed, with no database and no web."""

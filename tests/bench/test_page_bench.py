"""The bench of pages says what falls short, and what is missing on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import page


def looked(**values: object) -> dict[str, object]:
    scores = {name: 100 for name in page.CATEGORIES}
    lacks = {name: [] for name in page.CATEGORIES} | {"seo": ["is-crawlable"]}
    return {**scores, "bytes": 18_000, "requests": 5, "elsewhere": [], "lacks": lacks} | values


def test_a_page_falls_short_by_a_score_by_its_weight_or_by_asking_elsewhere() -> None:
    assert page._short({"/": looked()}) == ""
    assert page._short({"/": looked(seo=94)}) == "/: seo 94 (at least 95): is-crawlable"
    assert page._short({"/": looked(bytes=30_001)}) == "/: 30001 bytes (at most 30000)"
    assert page._short({"/": looked(elsewhere=["https://cdn.example/x.js"])}) == "/: asks https://cdn.example/x.js"


def test_without_npm_it_says_so_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["page"])
    with pytest.raises(SystemExit, match="there is no npx: apt-get install nodejs npm"):
        page.main()

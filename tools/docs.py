"""Writes what the docs take from the code: the table of settings in README.md (`make docs`)."""

from __future__ import annotations

import re
from pathlib import Path

from app.settings import PREFIX, Settings

README = Path(__file__).resolve().parents[1] / "README.md"


def settings_table() -> str:
    """The settings as a Markdown table: name, default, meaning."""
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, tuple):
            default = ",".join(default)
        shown = f"`{default}`" if default not in (None, "") else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)


def with_settings(text: str) -> str:
    """`text` with the table between its settings marks made anew."""
    block = f"<!-- settings -->\n{settings_table()}\n<!-- /settings -->"
    return re.sub(r"<!-- settings -->.*<!-- /settings -->", lambda _: block, text, flags=re.DOTALL)


if __name__ == "__main__":
    README.write_text(with_settings(README.read_text(encoding="utf-8")), encoding="utf-8")

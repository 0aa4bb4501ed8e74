"""Writes what the docs take from the code: the table of settings in README.md (`make docs`), and the pages of commands,
settings and API of the site (`make site`), which are made as the site is built and kept nowhere.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from app.cli import program
from app.main import create_app
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


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups before what is in them."""
    yield from _below("whichtweet", typer.main.get_command(program()))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield name, command
    for inner, each in sorted(getattr(command, "commands", {}).items()):
        yield from _below(f"{name} {inner}", each)


def commands_page() -> str:
    """The page of commands: what each does, its arguments and its options."""
    parts = ["# Commands\n\nWhere a command prints figures, `--json` prints them as one object on standard output."]
    for name, command in commands():
        if name == "whichtweet":
            continue
        rows = [_parameter_row(each) for each in command.params if each.name != "help"]
        table = "\n".join(["| | meaning |", "| --- | --- |", *rows]) if rows else ""
        parts.append(f"## {name}\n\n{_paragraphs(command.help)}\n\n{table}".rstrip())
    return "\n\n".join(parts) + "\n"


def _parameter_row(parameter: Any) -> str:
    names = ", ".join(f"`{each}`" for each in parameter.opts)
    shown = names if parameter.param_type_name == "option" else f"`{parameter.name.upper()}`"
    return f"| {shown} | {_cell(getattr(parameter, 'help', None))} |"


def openapi() -> dict[str, Any]:
    """The API as the application describes it."""
    with tempfile.TemporaryDirectory() as folder:
        return create_app(Settings(data_dir=Path(folder))).openapi()


def api_page() -> str:
    """The page of the API: every call, what it takes and what it answers."""
    told = openapi()
    parts = [
        "# API\n\nThe page plays over this API, and so may you. Errors are RFC 9457 `application/problem+json`. The"
        " running game tells it for machines at `/api/openapi.json`."
    ]
    for path, methods in told["paths"].items():
        parts += [_operation(path, method, operation) for method, operation in methods.items()]
    return "\n\n".join(parts) + "\n"


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = ["| answer | meaning |", "| --- | --- |"]
    rows += [f"| {code} | {_cell(each.get('description'))} |" for code, each in operation["responses"].items()]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = f"\n\n```json\n{json.dumps(body['example'], ensure_ascii=False)}\n```" if "example" in body else ""
    words = _paragraphs(operation.get("description"))
    return f"## {method.upper()} {path}\n\n{words}{example}\n\n" + "\n".join(rows)


def _paragraphs(text: str | None) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made of the code (called by mkdocs, see mkdocs.yml)."""
    home = README.read_text(encoding="utf-8").replace("(docs/", "(").replace("(demo/README.md)", "(demo.md)")
    pages = {
        "index.md": home,
        "demo.md": (README.parent / "demo" / "README.md").read_text(encoding="utf-8"),
        "changelog.md": (README.parent / "CHANGELOG.md").read_text(encoding="utf-8"),
        "commands.md": commands_page(),
        "settings.md": f"# Settings\n\nVariables of the environment.\n\n{settings_table()}\n",
        "api.md": api_page(),
    }
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    return files


if __name__ == "__main__":
    README.write_text(with_settings(README.read_text(encoding="utf-8")), encoding="utf-8")

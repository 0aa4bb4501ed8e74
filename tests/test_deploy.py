"""The files that a site is deployed with say what the program knows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import PREFIX, Settings

HOUSE = Path(__file__).resolve().parents[1]
KNOWN = {PREFIX + name.upper() for name in Settings.model_fields}
DOCKERFILE = (HOUSE / "Dockerfile").read_text()


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((HOUSE / name).read_text())
    return loaded


@pytest.mark.parametrize("name", ["compose.yaml", "compose.small.yaml", ".env.example", "Caddyfile", "Dockerfile"])
def test_every_variable_is_a_setting(name: str) -> None:
    named = set(re.findall(r"WHICHTWEET_[A-Z_]+", (HOUSE / name).read_text()))
    assert named
    assert named <= KNOWN


@pytest.mark.parametrize(("name", "copies"), [("compose.yaml", 2), ("compose.small.yaml", None)])
def test_what_runs_is_shut_in(name: str, copies: int | None) -> None:
    services = compose(name)["services"]
    for service, target in (("web", "serve"), ("worker", "work")):
        found = services[service]
        assert found["build"]["target"] == target
        assert f" AS {target}\n" in DOCKERFILE
        assert found["read_only"]
        assert found["cap_drop"] == ["ALL"]
        assert "ports" not in found, "only the proxy is open to the public"
        assert found.get("deploy", {}).get("replicas") == copies


@pytest.mark.parametrize("name", ["compose.yaml", "compose.small.yaml"])
def test_the_trusted_proxy_is_the_proxy(name: str) -> None:
    found = compose(name)
    address = found["services"]["caddy"]["networks"]["inside"]["ipv4_address"]
    assert found["services"]["web"]["environment"]["WHICHTWEET_TRUSTED_PROXIES"] == address


def test_no_log_of_the_proxy_holds_who_asked_and_for_what() -> None:
    """The privacy page says that no address is stored in a log: neither in the site's own, nor in that of all else."""
    caddyfile = (HOUSE / "Caddyfile").read_text()
    logs = re.findall(r"\blog \{\n(?:.*\n)*?\t+\}\n", caddyfile)
    assert len(re.findall(r"^\s*log\b", caddyfile, re.MULTILINE)) == len(logs) == 2
    assert all("wrap json" in log and "request delete" in log and "resp_headers delete" in log for log in logs)


@pytest.mark.parametrize("name", ["compose.yaml", "compose.small.yaml"])
def test_what_sqlite_lays_aside_lies_on_the_disk(name: str) -> None:
    """The container's /tmp is memory, of which a large import would take more than the worker may have."""
    for service in ("web", "worker"):
        found = compose(name)["services"][service]
        folder = found["environment"]["SQLITE_TMPDIR"]
        assert folder in [volume.partition(":")[2] for volume in found["volumes"]]
        assert f"install -d -o whichtweet -g whichtweet {folder}\n" in DOCKERFILE


def test_a_database_that_is_only_being_set_up_is_not_healthy() -> None:
    """The server that sets it up listens to no address; who comes meanwhile is thrown out when it ends."""
    test = compose("compose.yaml")["services"]["postgres"]["healthcheck"]["test"]
    assert test[test.index("-h") + 1] == "127.0.0.1"


def test_nothing_is_asked_for_that_the_example_does_not_name() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (HOUSE / ".env.example").read_text(), re.MULTILINE))
    for name in ("compose.yaml", "compose.small.yaml"):
        wanted = set(re.findall(r"\$\{([A-Z_]+):\?", (HOUSE / name).read_text()))
        assert wanted <= example


def test_the_small_form_does_not_retrain_by_itself() -> None:
    """Neither on a schedule nor because enough labels came: training would take most of the host's memory."""
    worker = compose("compose.small.yaml")["services"]["worker"]["environment"]
    named = {name: value for name, value in worker.items() if "RETRAIN" in name}
    said = {name: re.sub(r"\$\{[A-Z_]+-(.*)\}", r"\1", value) for name, value in named.items()}
    assert said == {"WHICHTWEET_RETRAIN_CRON": "", "WHICHTWEET_RETRAIN_NEW_LABELS": "0"}


def test_tensorflow_is_in_the_workers_image_alone() -> None:
    stages = dict(re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
    assert "requirements-train.lock" in stages["build-train"]
    assert "build-train" in stages["work"]
    assert "requirements-train.lock" not in stages["build"]
    assert "--from=build " in stages["serve"]
    assert "tensorflow" not in (HOUSE / "requirements.lock").read_text()


def test_the_images_run_as_nobody_in_particular() -> None:
    assert re.search(r"^USER 10001", DOCKERFILE, re.MULTILINE)
    assert "HEALTHCHECK" in DOCKERFILE
    assert DOCKERFILE.index("ARG BASE") < DOCKERFILE.index("FROM ${BASE}")

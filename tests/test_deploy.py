"""The container files: they pass their linters, and they name what exists."""

import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from risk.settings import PREFIX, Settings

PROJECT = Path(__file__).resolve().parents[1]
DEPLOY = PROJECT / "docs" / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
PORT = "8470"
"""Where `refund-risk serve` listens when nothing else is said."""

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def hadolint(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([Path(sys.executable).with_name("hadolint"), "-"], input=text, capture_output=True, text=True, check=False)


def instructions(word: str) -> list[str]:
    """What follows each instruction of that name, continued lines joined."""
    text = re.sub(r"\\\n", " ", DOCKERFILE.read_text(encoding="utf-8"))
    return re.findall(rf"^{word} (.*)$", text, re.MULTILINE)


def test_the_dockerfile_passes_its_linter() -> None:
    done = hadolint(DOCKERFILE.read_text(encoding="utf-8"))
    assert (done.returncode, done.stdout) == (0, "")
    assert hadolint("FROM python:latest\nRUN cd /tmp\n").returncode == 1  # the linter does find


def test_the_compose_file_keeps_the_specification() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert set(PyCompose.from_yaml(text).service_names()) == {"service", "postgres", "redis"}
    with pytest.raises(ValueError, match="restarts"):
        PyCompose.from_yaml(text.replace("restart:", "restarts:"))


def test_images_have_a_version_and_are_the_python_that_we_ask_for() -> None:
    bases = [base.partition(" ")[0] for base in instructions("FROM")]
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", bases[0])
    assert wanted == ">=3.11,<3.12"
    assert all(re.search(r":\d+\.\d+(\.\d+)?(-|$)", service["image"]) for service in SERVICES.values())


def test_what_runs_is_not_root_and_builds_nothing() -> None:
    last = DOCKERFILE.read_text(encoding="utf-8").rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert "pip install" not in last
    assert "HEALTHCHECK" in last


def test_every_package_is_copied_and_let_through() -> None:
    packages = {
        name.rstrip("*")
        for name in tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    copied = {words.split()[0] for words in instructions("COPY") if not words.startswith("--from")}
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert packages <= copied
    assert packages | {"pyproject.toml", "constraints.txt", "README.md"} == allowed
    assert all((PROJECT / name).exists() for name in allowed)


def test_the_port_is_one_and_the_same() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    assert instructions("EXPOSE") == [PORT]
    assert f"127.0.0.1:{PORT}/readyz" in text
    assert f'"--port", "{PORT}"' in text
    assert SERVICES["service"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_every_setting_that_is_named_exists() -> None:
    known = {f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    named = [name.removesuffix("_FILE") for name in SERVICES["service"]["environment"] if name.startswith(PREFIX)]
    assert len(named) == 3
    assert set(named) <= known


@every_service
def test_secrets_are_files_that_are_declared(name: str) -> None:
    service = SERVICES[name]
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    assert all("password" not in str(value).lower() or str(value).startswith("/run/secrets/") for value in service.get("environment", {}).values())
    told = re.findall(r"/run/secrets/(\w+)", str(service))
    assert set(told) == set(service["secrets"])


@every_service
def test_whoever_is_waited_for_says_when_it_is_well(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        assert wanted["condition"] == "service_healthy"
        assert "healthcheck" in SERVICES[other]


@every_service
def test_volumes_are_declared(name: str) -> None:
    assert {volume.partition(":")[0] for volume in SERVICES[name]["volumes"]} <= set(COMPOSE["volumes"])


def test_secrets_are_never_committed() -> None:
    assert "docs/deploy/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8").splitlines()

"""The page of settings is what the code says, and what is printed names no value."""

import json

import pytest
from typer.testing import CliRunner

from risk.cli import app
from risk.jobs.settings_page import PAGE, explained, page


def test_the_page_is_what_the_code_says() -> None:
    """`python -m risk.jobs.settings_page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_setting_has_a_reason_and_every_number_a_unit() -> None:
    assert all(len(each.reason) > 20 for each in explained())
    assert all(each.unit for each in explained() if isinstance(each.default, int))


def test_the_command_says_who_set_what_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFUND_RISK_REDIS_URL", "redis://:hidden@host:1/2")
    done = CliRunner().invoke(app, ["settings", "--json"])
    said = {each["name"]: each["said_by"] for each in json.loads(done.stdout)["settings"]}
    assert (said["REFUND_RISK_REDIS_URL"], said["REFUND_RISK_LOG_LEVEL"]) == ("environment", "default")
    assert "hidden" not in done.output
    assert "REFUND_RISK_LOG_LEVEL" in CliRunner().invoke(app, ["settings"]).output

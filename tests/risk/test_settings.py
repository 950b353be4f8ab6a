import re
from dataclasses import fields
from pathlib import Path

import pytest

from data_contracts.errors import ContractError
from risk import settings as module
from risk.settings import Settings, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()


def test_the_environment_is_read_by_name() -> None:
    assert read_settings({"REFUND_RISK_BODY_LIMIT_BYTES": "10", "REFUND_RISK_CURRENCY": "CNY", "OTHER": "x"}) == Settings(
        body_limit_bytes=10, currency="CNY"
    )


@pytest.mark.parametrize("text", ["ten", "-1", "1.5", ""])
def test_a_number_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ContractError, match="REFUND_RISK_CLOCK_SKEW_S"):
        read_settings({"REFUND_RISK_CLOCK_SKEW_S": text})


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("postgresql+psycopg://u:p@h/d\n", encoding="utf-8")
    assert read_settings({"REFUND_RISK_DATABASE_URL_FILE": str(file)}).database_url == "postgresql+psycopg://u:p@h/d"
    with pytest.raises(ContractError, match="both set"):
        read_settings({"REFUND_RISK_DATABASE_URL_FILE": str(file), "REFUND_RISK_DATABASE_URL": "sqlite:///x"})
    with pytest.raises(ContractError, match=r"REFUND_RISK_DATABASE_URL_FILE is .*none.*cannot be read"):
        read_settings({"REFUND_RISK_DATABASE_URL_FILE": str(tmp_path / "none")})


def test_every_setting_says_its_reason_and_numbers_their_unit() -> None:
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    for field in fields(Settings):
        assert re.search(rf'    {field.name}: .+\n    """.{{30,}}', source), field.name
        if isinstance(field.default, int):
            assert field.name.rsplit("_", 1)[1] in {"bytes", "s", "ms", "days", "second", "workers", "files"}

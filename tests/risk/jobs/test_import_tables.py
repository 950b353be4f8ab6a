"""A merchant's file in, contract tables out: nothing lost, nothing guessed, no raw identifier kept."""

import stat
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.cells import minor_units
from data_contracts.errors import ContractError
from data_contracts.mapping import SourceFormat
from risk.identity import pseudonym
from risk.jobs.import_columns import as_words
from risk.jobs.import_tables import KEY_VARIABLE, import_source
from tests.risk.jobs.import_shop import GOOD, KEY, MONEY, REQUEST, UTC_TIMES, Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return Shop(tmp_path)


def test_a_row_becomes_a_request(shop: Shop) -> None:
    report = shop.take(MONEY, GOOD)
    assert (report.rows, report.accepted, report.rejected, report.rejects) == (2, 2, 0, None)
    first = shop.tables()["refund_requests"].row(0, named=True)
    assert {name: value for name, value in first.items() if value is not None} == {
        "request_id": "r1",
        "amount_minor": 37456,
        "currency": "CNY",
        "occurred_at": datetime(2026, 1, 31, 8, tzinfo=UTC),
        "known_at": datetime(2026, 1, 31, 8, tzinfo=UTC),
    }


def test_what_the_map_does_not_name_is_not_written(shop: Shop) -> None:
    assert set(shop.take(REQUEST, GOOD).tables) == {"refund_requests"}


def test_all_rows_may_be_rejected(shop: Shop) -> None:
    report = shop.take(MONEY, GOOD.replace("2026", "year"))
    assert (report.accepted, report.rejected) == (0, 2)


def test_a_second_import_replaces_the_first(shop: Shop) -> None:
    shop.take(MONEY + '[links]\ncard = "amount"\n', GOOD.replace("374.56", "-1"))
    report = shop.take(MONEY, GOOD)
    assert set(report.tables) == {"refund_requests"}
    assert not shop.rejects()


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("374.56", "CNY", 37456),
        ("0.1", "CNY", 10),
        ("0.29", "EUR", 29),
        ("1.10", "USD", 110),
        ("1000000000000", "JPY", 10**12),
        ("9999999999.99", "CNY", 10**12 - 1),
        ("1500", "JPY", 1500),
        ("1.500", "KWD", 1500),
        ("3.50000", "CNY", 350),
        ("-1", "CNY", None),
        ("1.005", "CNY", None),
        ("1.5", "JPY", None),
        ("10000000000.01", "CNY", None),
        ("1e3", "CNY", None),
        ("1,5", "CNY", None),
        ("NaN", "CNY", None),
        ("$5", "CNY", None),
    ],
)
def test_money_is_exact(shop: Shop, text: str, currency: str, minor: int | None) -> None:
    shop.take(MONEY + 'currency = "currency"\n', f'id,when,amount,currency\nr1,2026-01-31T08:00:00Z,"{text}",{currency.lower()}\n')
    assert shop.requests("amount_minor") == ([] if minor is None else [minor])


@settings(max_examples=60, deadline=None)
@given(amounts=st.lists(st.decimals(0, 10**10, places=2), min_size=1, max_size=20))
def test_every_amount_in_cents_is_exact_also_as_a_float(amounts: list[Decimal]) -> None:
    for column in (pl.Series("x", [str(amount) for amount in amounts]), pl.Series("x", [float(amount) for amount in amounts])):
        text = as_words("x", column.dtype, SourceFormat())
        assert column.to_frame().select(minor_units(text, pl.lit(2, pl.Int64))).to_series().to_list() == [int(amount * 100) for amount in amounts]


def test_a_float_with_noise_is_rejected_or_rounded_as_the_map_says(shop: Shop) -> None:
    frame = pl.DataFrame({"id": ["r1"], "when": [datetime(2026, 1, 31, tzinfo=UTC)], "amount": [95.85000000000001]})
    assert shop.take(MONEY, frame, "source.parquet").rejected == 1
    shop.take(MONEY + 'amount_decimals = "round"\n', frame, "source.parquet")
    assert shop.requests("amount_minor") == [9585]


def test_amounts_in_minor_units_are_taken_as_they_are(shop: Shop) -> None:
    shop.take(REQUEST + 'amount = "amount"\namount_unit = "minor"\n', "id,when,amount\nr1,2026-01-31T08:00:00Z,37456\nr2,2026-01-31T08:00:00Z,1.5\n")
    assert shop.requests("amount_minor") == [37456]


def test_a_blank_amount_is_not_known_and_not_zero(shop: Shop) -> None:
    shop.take(MONEY, "id,when,amount\nr1,2026-01-31T08:00:00Z,\nr2,2026-01-31T08:00:00Z,n/a\n")
    assert shop.requests("amount_minor") == [None]
    shop.take(MONEY + '[source]\nnulls = ["n/a"]\n', "id,when,amount\nr2,2026-01-31T08:00:00Z,n/a\n")
    assert shop.requests("amount_minor") == [None]


def test_an_amount_whose_currency_is_blank_is_rejected(shop: Shop) -> None:
    shop.take(REQUEST + 'amount = "amount"\ncurrency = "c"\n', "id,when,amount,c\nr1,2026-01-31T08:00:00Z,1,\nr2,2026-01-31T08:00:00Z,1,eur\n")
    assert shop.requests("currency") == ["EUR"]
    assert shop.rejects()[0]["field"] == "amount_minor"


@pytest.mark.parametrize(
    ("time", "text", "moment"),
    [
        ("", "2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("", "2026-01-31 08:00:00.123456+08:00", datetime(2026, 1, 31, 0, 0, 0, 123456, tzinfo=UTC)),
        ("", "2026-01-31T08:00:00", None),
        ('zone = "Asia/Shanghai"', "2026-01-31T08:00:00", datetime(2026, 1, 31, 0, tzinfo=UTC)),
        ('zone = "Asia/Shanghai"', "2026-01-31T08:00:00Z", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ('zone = "Asia/Shanghai"', "2026-01-31", datetime(2026, 1, 30, 16, tzinfo=UTC)),
        ('zone = "Europe/Berlin"', "2026-03-29T02:30:00", None),
        ('zone = "Europe/Berlin"', "2026-10-25T02:30:00", None),
        ('zone = "Europe/Berlin"\nambiguous = "earlier"', "2026-10-25T02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ('zone = "Europe/Berlin"\nambiguous = "later"', "2026-10-25T02:30:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ('format = "pattern"\npattern = "%m/%d/%Y %H:%M"\nzone = "UTC"', "2/24/2015 22:55", datetime(2015, 2, 24, 22, 55, tzinfo=UTC)),
        ('format = "pattern"\npattern = "%m/%d/%Y %H:%M"\nzone = "UTC"', "24/2/2015 22:55", None),
        ('format = "pattern"\npattern = "%d.%m.%Y %I:%M %p"\nzone = "UTC"', "24.02.2015 10:55 PM", datetime(2015, 2, 24, 22, 55, tzinfo=UTC)),
        ('format = "pattern"\npattern = "%d/%m/%Y %H:%M %z"', "24/02/2015 22:55 +0100", datetime(2015, 2, 24, 21, 55, tzinfo=UTC)),
        ('format = "number"\nunit = "s"', "1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ('format = "number"\nunit = "s"', "1700000000.123456", datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)),
        ('format = "number"\nunit = "ms"', "1700000000001", datetime(2023, 11, 14, 22, 13, 20, 1000, tzinfo=UTC)),
        ('format = "number"\nunit = "us"', "1700000000000001", datetime(2023, 11, 14, 22, 13, 20, 1, tzinfo=UTC)),
        ('format = "number"\nunit = "days"\norigin = 1899-12-30T00:00:00Z', "46053.5", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ('format = "number"\nunit = "s"\norigin = 2017-12-01T00:00:00Z', "86400", datetime(2017, 12, 2, tzinfo=UTC)),
        ('format = "number"\nunit = "days"', "99999999", None),
        ('format = "number"\nunit = "s"', "soon", None),
        ("", "0000-01-01T00:00:00Z", None),
        ("", "", None),
    ],
)
def test_times_are_read_as_the_map_says_and_never_guessed(shop: Shop, time: str, text: str, moment: datetime | None) -> None:
    shop.take(f"{REQUEST}[request.time]\n{time}\n", f"id,when\nr1,{text}\n")
    assert shop.requests("occurred_at") == ([] if moment is None else [moment])


def test_typed_parquet_columns_are_read(shop: Shop) -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2],
            "user": [7.0, None],
            "when": [datetime(2026, 1, 31, 8), datetime(2026, 1, 31, 9)],  # noqa: DTZ001  # naive on purpose
            "day": [date(2026, 2, 1), date(2026, 2, 1)],
            "amount": [Decimal("374.56"), Decimal("0.10")],
            "bad": [True, False],
            "card": pl.Series(["c1", "c2"], dtype=pl.Categorical),
            "age": [30, 31],
        },
    )
    mapping = MONEY.replace("[request]", '[request]\naccount_id = "user"\nknown_at = "day"') + UTC_TIMES
    mapping += '[links]\ncard = "card"\n[attributes]\nnumeric = ["age", "bad"]\n'
    mapping += '[label]\ncolumn = "bad"\npositive = [true]\nnegative = [false]\nknown_after = "1 day"\n'
    shop.take(mapping, frame, "source.parquet")
    tables = shop.tables()
    assert tables["refund_requests"].select("request_id", "account_id", "amount_minor").rows() == [("1", "7", 37456), ("2", None, 10)]
    assert tables["refund_requests"].get_column("known_at")[0] == datetime(2026, 2, 1, tzinfo=UTC)
    assert tables["request_attributes"].rows() == [("1", 30.0, 1.0), ("2", 31.0, 0.0)]
    assert tables["labels"].get_column("value").to_list() == ["abuse", "honest"]


def test_claim_types_are_translated_and_unknown_ones_rejected(shop: Shop) -> None:
    mapping = REQUEST + 'claim_type = "why"\n[request.claim_types]\n"Dead" = "dead_on_arrival"\n'
    data = "id,when,why\nr1,2026-01-31T08:00:00Z,DEAD\nr2,2026-01-31T08:00:00Z,missing\nr3,2026-01-31T08:00:00Z,ugly\nr4,2026-01-31T08:00:00Z,\n"
    shop.take(mapping, data)
    assert shop.requests("claim_type") == ["dead_on_arrival", "missing", None]
    assert shop.rejects()[0]["got"] == "ugly"
    shop.take(mapping + '"*" = "other"\n', data)
    assert shop.requests("claim_type") == ["dead_on_arrival", "other", "other", None]


def test_links_are_keyed_hashes_of_every_column_of_their_type(shop: Shop) -> None:
    mapping = REQUEST + 'account_id = "user"\n[links]\ncard = ["card", "second"]\nip = "ip"\n'
    one, other = "4111 1111 1111 1111", "5500 0000 0000 0004"
    data = f"id,when,user,card,second,ip\nr1,2026-01-31T08:00:00Z,u1,{one},4111111111111111,1.2.3.4\nr2,2026-01-31T08:00:00Z,u2,{one},{other},\n"
    shop.take(mapping, data)
    links = shop.tables()["links"]
    card = pseudonym(KEY.encode(), "card", "4111111111111111")
    assert links.select("entity_type", "entity_id", "account_id", "request_id").rows() == [
        ("card", card, "u1", "r1"),
        ("card", card, "u2", "r2"),
        ("card", pseudonym(KEY.encode(), "card", "5500000000000004"), "u2", "r2"),
        ("ip", pseudonym(KEY.encode(), "ip", "1.2.3.4"), "u1", "r1"),
    ]
    written = b"".join(path.read_bytes() for path in shop.out.rglob("*") if path.is_file())
    assert b"4345" not in written
    assert b"1.2.3.4" not in written


def test_rejects_quote_no_link_cell(shop: Shop) -> None:
    shop.take(REQUEST + '[links]\ncard = "card"\n', "id,when,card\nr1,never,434505666\nr2\n")
    assert "434505666" not in (shop.out / "rejects" / "refund_requests.jsonl").read_text()


def test_labels_are_known_after_their_delay_and_other_values_not_known(shop: Shop) -> None:
    mapping = REQUEST + '[label]\ncolumn = "y"\npositive = ["Fraud", 1]\nnegative = ["ok"]\nknown_after = "7 days"\nsource = "verdict"\n'
    data = "id,when,y\n" + "".join(f"r{n},2026-01-31T08:00:00Z,{word}\n" for n, word in enumerate(["fraud", "1", "OK", "open", ""]))
    shop.take(mapping, data)
    labels = shop.tables()["labels"]
    assert labels.select("request_id", "value", "source").rows() == [
        ("r0", "abuse", "verdict"),
        ("r1", "abuse", "verdict"),
        ("r2", "honest", "verdict"),
    ]
    assert set(labels.get_column("known_at")) == {datetime(2026, 2, 7, 8, tzinfo=UTC)}


def test_a_label_may_bring_its_own_moment(shop: Shop) -> None:
    mapping = REQUEST + '[label]\ncolumn = "y"\npositive = [1]\nknown_at = "told"\n'
    shop.take(mapping, "id,when,y,told\nr1,2026-01-31T08:00:00Z,1,2026-03-01T00:00:00Z\nr2,2026-01-31T08:00:00Z,0,\nr3,2026-01-31T08:00:00Z,1,\n")
    assert shop.tables()["labels"].get_column("known_at").to_list() == [datetime(2026, 3, 1, tzinfo=UTC)]
    assert [(line["row"], line["field"]) for line in shop.rejects()] == [(3, "label_known_at")]


def test_accounts_are_opened_at_their_earliest_moment(shop: Shop) -> None:
    mapping = REQUEST + 'account_id = "user"\n[account]\nopened_at = "since"\n'
    data = "id,when,user,since\nr1,2026-01-31T08:00:00Z,u1,2025-01-02T00:00:00Z\n"
    data += "r2,2026-01-31T08:00:00Z,u1,2025-01-01T00:00:00Z\nr3,2026-01-31T08:00:00Z,u2,\n"
    shop.take(mapping, data)
    opened = datetime(2025, 1, 1, tzinfo=UTC)
    assert shop.tables()["accounts"].rows() == [("u1", opened, opened)]


def test_attributes_keep_their_kind_and_may_be_renamed(shop: Shop) -> None:
    mapping = REQUEST + '[attributes.numeric]\nage = "Age (years)"\n[attributes.categorical]\ntier = "等级"\n'
    shop.take(mapping, "id,when,Age (years),等级\nr1,2026-01-31T08:00:00Z,30.5,gold\nr2,2026-01-31T08:00:00Z,,\nr3,2026-01-31T08:00:00Z,old,gold\n")
    assert shop.tables()["request_attributes"].rows() == [("r1", 30.5, "gold"), ("r2", None, None)]
    assert (shop.rejects()[0]["field"], shop.rejects()[0]["got"]) == ("age", "old")


def test_the_second_row_of_an_id_is_rejected(shop: Shop) -> None:
    shop.take(MONEY, GOOD.replace("r2", "r1"))
    assert shop.rejects()[0]["expected"] == "request_id that no earlier row has; row 1 has it (column 'id')"


def test_an_id_of_more_than_128_characters_is_quoted_as_the_source_has_it(shop: Shop) -> None:
    shop.take(MONEY, GOOD.replace("r1", "q" * 129))
    line = shop.rejects()[0]
    assert (line["row"], line["field"], line["got"]) == (1, "request_id", "q" * 129)


def test_without_a_key_one_is_made_kept_beside_the_output_and_used_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE)
    mapping = REQUEST + '[links]\ncard = "amount"\n'
    report = shop.take(mapping, GOOD)
    path = shop.folder / "out.identity-key"
    assert str(path) in report.key
    assert "made just now" in report.key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = shop.tables()["links"]
    assert "kept there" in shop.take(mapping, GOOD).key
    assert shop.tables()["links"].equals(before)


def test_a_key_file_is_used_and_a_short_secret_refused(shop: Shop) -> None:
    (shop.folder / "map.toml").write_text(REQUEST)
    (shop.folder / "source.csv").write_text(GOOD)
    key = shop.folder / "key"
    key.write_text("short")
    with pytest.raises(ContractError, match="secret of 5 characters; expected at least 16"):
        import_source(shop.folder / "map.toml", shop.folder / "source.csv", shop.out, key_file=key)
    with pytest.raises(ContractError, match="cannot be read"):
        import_source(shop.folder / "map.toml", shop.folder / "source.csv", shop.out, key_file=shop.folder / "none")
    key.write_text(KEY + "\n")
    assert str(key) in import_source(shop.folder / "map.toml", shop.folder / "source.csv", shop.out, key_file=key).key


def test_naive_parquet_times_need_a_zone_in_the_map(shop: Shop) -> None:
    frame = pl.DataFrame({"id": ["r1"], "when": [datetime(2026, 1, 31)]})  # noqa: DTZ001  # naive on purpose
    with pytest.raises(ContractError, match="times without a zone; set zone"):
        shop.take(REQUEST, frame, "source.parquet")


SHIPPED = {
    "cloudwalk": ("cloudwalk/transactional-sample.csv", {"refund_requests": 3_199, "links": 5_568, "labels": 3_199}, 7, 391),
    "fraud_ecom_sample": (
        "fraud_ecom_sample/fraud_data.csv",
        {"refund_requests": 30_189, "request_attributes": 30_189, "links": 60_378, "labels": 30_189, "accounts": 30_189},
        30,
        2867,
    ),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", SHIPPED)
def test_the_maps_that_ship_fit_their_public_files(shop: Shop, shelf: Path, name: str) -> None:
    file, heights, days, abuse = SHIPPED[name]
    mapping = Path(__file__).parents[3] / "data_contracts" / "import_maps" / f"{name}.toml"
    report = import_source(mapping, shelf / "data" / "fraud" / file, shop.out)
    assert report.rejected == 0
    assert report.tables == heights
    tables = shop.tables()
    labels = tables["labels"].join(tables["refund_requests"], on="request_id", suffix="_request")
    assert labels.filter(pl.col("value") == "abuse").height == abuse
    assert (labels.get_column("known_at") - labels.get_column("known_at_request")).unique().to_list() == [timedelta(days=days)]

"""Identifiers in a merchant's file: one form each, and what becomes of those that name nobody."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from risk.identity import pseudonym
from risk.jobs.import_tables import KEY_VARIABLE, import_source
from tests.risk.jobs.import_shop import KEY, REQUEST, Shop

MAP = REQUEST + 'account_id = "user"\n[links]\ndevice = "device"\naddress = "address"\nphone = "phone"\nip = "ip"\n'
WHEN = "2026-01-31T08:00:00Z"
HEAD = "id,when,user,device,address,phone,ip\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return Shop(tmp_path)


def left_out(shop: Shop) -> list[tuple[object, ...]]:
    path = shop.out / "rejects" / "links.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [(line["row"], line["field"], line["got"], line["expected"]) for line in lines]


def ids(shop: Shop, kind: str) -> list[str]:
    found: list[str] = shop.tables()["links"].filter(pl.col("entity_type") == kind)["entity_id"].to_list()
    return found


def test_one_thing_written_in_many_ways_is_one_entity(shop: Shop) -> None:
    rows = [
        f'r1,{WHEN},a,AB-12-CD-34-EF,"12 High Street, Apt. 4B",0170 1234567,2001:4860:4860:0:1::1',
        f"r2,{WHEN},b,ab12cd34ef,12 HIGH ST apartment 4 b,+49 170 1234567,2001:4860:4860::9",
    ]
    shop.take('phone_region = "DE"\n' + MAP, HEAD + "\n".join(rows) + "\n")
    for kind in ("device", "address", "phone", "ip"):
        assert len(ids(shop, kind)) == 2
        assert len(set(ids(shop, kind))) == 1
    assert ids(shop, "phone")[0] == pseudonym(KEY.encode(), "phone", "+491701234567")


def test_what_names_nobody_is_left_out_and_listed_and_the_request_stays(shop: Shop) -> None:
    rows = [
        f"r1,{WHEN},a,0000,unknown,000000000,10.0.0.1",
        f"r2,{WHEN},b,00000000-0000-0000-0000-000000000000,,,",
        f"r3,{WHEN},cc-dd-ee-ff,cc-dd-ee-ff,,,",
        f"r4,{WHEN},d,tok_1a2b3c,,call me,",
    ]
    report = shop.take(MAP, HEAD + "\n".join(rows) + "\n")
    assert report.accepted == 4
    nobody = "an identifier, not what a field is filled with when there is none"
    assert left_out(shop) == [
        (1, "links.device", "0000", f"{nobody} (column 'device')"),
        (2, "links.device", "00000000-0000-0000-0000-000000000000", f"{nobody} (column 'device')"),
        (3, "links.device", "cc-dd-ee-ff", "an identifier of something else than the account itself (column 'device')"),
    ]
    assert report.identifiers["device"] == {"placeholder": 2, "self": 1, "kept": 1}
    assert report.identifiers["phone"] == {"empty": 2, "placeholder": 1, "malformed": 1}
    assert len(ids(shop, "device")) == 1  # the token
    assert len(ids(shop, "phone")) == 1  # words that are no number still equal themselves
    assert ids(shop, "ip") == []


def test_a_device_that_too_many_share_is_nobodys_though_no_list_knows_it(shop: Shop) -> None:
    rows = [f"r{number},{WHEN},a{number},{'reset-emulator-id' if number < 220 else f'device-{number}'},,," for number in range(400)]
    report = shop.take(MAP, HEAD + "\n".join(rows) + "\n")
    assert report.identifiers["device"] == {"common": 220, "kept": 180}
    assert len(ids(shop, "device")) == 180
    assert {line[2] for line in left_out(shop)} == {None}  # it may be somebody's after all: it is not quoted


def test_what_has_not_happened_yet_is_rejected_and_clocks_may_drift(shop: Shop) -> None:
    (shop.folder / "map.toml").write_text(MAP)
    (shop.folder / "source.csv").write_text(HEAD + "r1,2026-01-31T08:04:00Z,a,,,,\nr2,2026-01-31T08:06:00Z,a,,,,\nr3,2031-01-31T08:00:00Z,a,,,,\n")
    now = datetime(2026, 1, 31, 8, tzinfo=UTC)
    report = import_source(shop.folder / "map.toml", shop.folder / "source.csv", shop.out, now=now)
    assert (report.accepted, report.rejected) == (1, 2)
    assert [(line["row"], line["field"], line["got"]) for line in shop.rejects()] == [
        (2, "occurred_at", "2026-01-31T08:06:00Z"),
        (3, "occurred_at", "2031-01-31T08:00:00Z"),
    ]
    assert "at most 2026-01-31T08:00:00+00:00" in str(shop.rejects()[0]["expected"])


def test_the_same_identifier_twice_in_a_row_is_one_link_and_an_unknown_type_is_no_map(shop: Shop) -> None:
    twice = REQUEST + 'account_id = "user"\n[links]\ndevice = ["device", "address"]\n'
    shop.take(twice, HEAD + f"r1,{WHEN},a,ab12cd34ef,AB12-CD34-EF,,\n")
    assert len(ids(shop, "device")) == 1
    with pytest.raises(Exception, match="links"):
        shop.take(MAP.replace("device =", "spaceship ="), HEAD)


def test_claims_in_nearly_the_same_words_share_a_template(shop: Shop) -> None:
    said = "the parcel {} never arrived at my door and the carrier could not help, kindly refund to the original payment method"
    texts = [f"Hello Anna, {said.format('12345')}. Regards, Tom", said.format("98-77").replace("kindly", "please"), "the lamp came without its shade"]
    rows = [f'r{number},{WHEN},a{number},"{text}"' for number, text in enumerate(texts)]
    shop.take(REQUEST + 'account_id = "user"\ntext = "text"\n', "id,when,user,text\n" + "\n".join(rows) + "\n")
    one, other, third = ids(shop, "text")
    assert one == other != third

"""Files as merchants send them: any encoding, any damage. What can be read is read, the rest is rejected or refused in one clear sentence."""

import codecs
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ContractError
from risk.jobs import read_source
from risk.jobs.import_tables import KEY_VARIABLE, import_source
from tests.risk.jobs.import_shop import GOOD, KEY, MONEY, REQUEST, Shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return Shop(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("BOM", codecs.BOM_UTF8 + "id,when,amount,who\nr1,2026-01-31T08:00:00Z,1,José\n".encode()),
        ("UTF-16 with BOM", "id,when,amount,who\nr1,2026-01-31T08:00:00Z,1,José\n".encode("utf-16")),
        ("UTF-16 BE with BOM", codecs.BOM_UTF16_BE + "id,when,amount,who\nr1,2026-01-31T08:00:00Z,1,José\n".encode("utf-16-be")),
        ("UTF-32 with BOM", "id,when,amount,who\nr1,2026-01-31T08:00:00Z,1,José\n".encode("utf-32")),
        ("CRLF", "id,when,amount,who\r\nr1,2026-01-31T08:00:00Z,1,José\r\n".encode()),
        ("old Mac line ends", "id,when,amount,who\rr1,2026-01-31T08:00:00Z,1,José\r".encode()),
        ("blank lines", "\n\nid,when,amount,who\n\nr1,2026-01-31T08:00:00Z,1,José\n\n".encode()),
        ("no last line end", "id,when,amount,who\nr1,2026-01-31T08:00:00Z,1,José".encode()),
        ("quotes", 'id,"when",amount,who\n"r1","2026-01-31T08:00:00Z",1,"José"\n'.encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_usual_ways_to_write_csv_are_read(shop: Shop, name: str, data: bytes) -> None:
    assert name
    shop.take(MONEY + '[attributes]\ncategorical = ["who"]\n', data)
    assert shop.tables()["request_attributes"].rows() == [("r1", "José")]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "iso-8859-15"])
def test_a_named_encoding_is_used(shop: Shop, encoding: str) -> None:
    data = "id,when,who\nr1,2026-01-31T08:00:00Z,José\n".encode(encoding)
    shop.take(REQUEST + f'[source]\nencoding = "{encoding}"\n[attributes]\ncategorical = ["who"]\n', data)
    assert shop.tables()["request_attributes"].get_column("who").to_list() == ["José"]


def test_chinese_text_in_gb18030(shop: Shop) -> None:
    data = "编号,时间,说明\nr1,2026-01-31T08:00:00Z,螃蟹死了\n".encode("gb18030")
    mapping = '[source]\nencoding = "gb18030"\n[request]\nrequest_id = "编号"\noccurred_at = "时间"\ntext = "说明"\n'
    shop.take(mapping, data)
    assert shop.requests("text") == ["螃蟹死了"]


def test_semicolons_and_decimal_commas(shop: Shop) -> None:
    mapping = MONEY + '[source]\nseparator = ";"\ndecimal = ","\nthousands = "."\n'
    shop.take(mapping, "id;when;amount\nr1;2026-01-31T08:00:00Z;1.234,56\nr2;2026-01-31T08:00:00Z;7,5\nr3;2026-01-31T08:00:00Z;12.34\n")
    assert shop.requests("amount_minor") == [123456, 750]
    assert [line["got"] for line in shop.rejects()] == ["12.34"]


def test_ragged_rows_are_rejected_and_the_rest_is_read(shop: Shop) -> None:
    rows = "".join(f"r{n},2026-01-31T08:00:00Z,{n}\n" for n in range(3, 60))
    report = shop.take(MONEY, "id,when,amount\nr1,2026-01-31T08:00:00Z\nr2,2026-01-31T08:00:00Z,1,2,3\n\n" + rows)
    assert (report.accepted, report.rejected) == (57, 2)
    assert [(line["row"], line["got"], line["expected"]) for line in shop.rejects()] == [
        (1, "2 columns", "3 columns, as in the header"),
        (2, "5 columns", "3 columns, as in the header"),
    ]


def test_row_numbers_count_rows_not_lines(shop: Shop) -> None:
    mapping = MONEY + 'text = "note"\n'
    shop.take(mapping, 'id,when,amount,note\nr1,2026-01-31T08:00:00Z,1,"two\nlines"\nr2,x\nr3,2026-01-31T08:00:00Z,bad,\n')
    assert [line["row"] for line in shop.rejects()] == [2, 3]
    assert shop.requests("text") == ["two\nlines"]


@pytest.mark.parametrize("block", [40, 64, 1000])
def test_row_numbers_hold_over_many_blocks(shop: Shop, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(read_source, "_BLOCK_BYTES", block)
    rows = ["ragged" if n in (7, 31, 32, 90) else f"r{n},2026-01-31T08:00:00Z,{'bad' if n == 50 else n}" for n in range(1, 100)]
    shop.take(MONEY, "id,when,amount\n" + "\n".join(rows))
    assert [line["row"] for line in shop.rejects()] == [7, 31, 32, 50, 90]
    assert shop.requests() == [f"r{n}" for n in range(1, 100) if n not in (7, 31, 32, 50, 90)]


def test_a_quote_left_open_costs_what_it_swallows_and_says_so(shop: Shop) -> None:
    report = shop.take(MONEY, 'id,when,amount\nr1,2026-01-31T08:00:00Z,1\nr2,"2026-01-31T08:00:00Z,1\nr3,2026-01-31T08:00:00Z,1\n')
    assert report.accepted == 1
    assert shop.rejects()[0]["got"] == "2 columns over 2 lines (is a quote left open?)"
    assert shop.take(MONEY + '[source]\nquote = ""\n', GOOD.replace("r1", '"r1')).accepted == 2


def test_a_huge_field_is_read_or_rejected_but_never_stops_the_import(shop: Shop) -> None:
    huge = "x" * 40_000_000
    report = shop.take(MONEY + 'text = "note"\n', f"id,when,amount,note\nr1,2026-01-31T08:00:00Z,1,{huge}\nr2,2026-01-31T08:00:00Z,1,ok\nr3\n")
    assert (report.accepted, report.rejected) == (1, 2)
    assert len(str(shop.rejects()[0]["got"])) == 200


def test_nul_bytes_reject_their_row(shop: Shop) -> None:
    shop.take(MONEY, GOOD.replace("r2", "r\0002"))
    assert shop.requests() == ["r1"]
    assert shop.rejects()[0]["expected"] == "text without NUL characters"


def test_a_file_with_only_a_header_gives_empty_tables(shop: Shop) -> None:
    report = shop.take(MONEY + '[links]\ncard = "amount"\n', "id,when,amount\n")
    assert report.rows == 0
    assert report.tables == {"refund_requests": 0, "links": 0}


def _truncated(folder: Path) -> bytes:
    pl.DataFrame({"id": ["r1"] * 1000}).write_parquet(folder / "whole.parquet")
    return (folder / "whole.parquet").read_bytes()[:-200]


def _damaged(folder: Path) -> bytes:
    whole = _truncated(folder)
    return whole[:40] + b"\xff" * (len(whole) - 48) + b"\x10\0\0\0PAR1"


BAD_FILES: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "empty": ("s.csv", lambda _: b"", "is empty; expected a header and rows"),
    "only blanks": ("s.csv", lambda _: b"\n\n  \n", "is empty"),
    "empty parquet": ("s.parquet", lambda _: b"", "is empty"),
    "truncated parquet": ("s.parquet", _truncated, "it is cut off"),
    "truncated parquet under another name": ("s.dat", _truncated, "it is cut off"),
    "damaged parquet": ("s.parquet", _damaged, "cannot be read as Parquet"),
    "text named parquet": ("s.parquet", lambda _: GOOD.encode(), "expected a Parquet file"),
    "latin-1": ("s.csv", lambda _: GOOD.replace("r2", "José").encode("latin-1"), "not utf-8: byte 0xe9 at offset 49, line 3"),
    "UTF-16 without mark": ("s.csv", lambda _: GOOD.encode("utf-16-le"), "full of NUL bytes"),
    "cut UTF-16": ("s.csv", lambda _: GOOD.encode("utf-16")[:-1], "not utf-16-le"),
    "gzip": ("s.csv", lambda _: b"\x1f\x8b\x08\0\0\0", "gzip"),
    "Excel": ("s.xlsx", lambda _: b"PK\x03\x04\0\0", "Excel workbook"),
    "binary": ("s.csv", lambda _: bytes(range(128, 256)) * 9, "is not utf-8"),
    "column missing": ("s.csv", lambda _: b"id,amount\nr1,1\n", "no column 'when', which the map names at request.occurred_at"),
    "other separator": ("s.csv", lambda _: GOOD.replace(",", ";").encode(), "is .source. separator ',' right"),
    "column twice": ("s.csv", lambda _: b"id,when,when,amount\nr1,a,b,1\n", "2 columns 'when'"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_clear_error_and_nothing_is_written(shop: Shop, kind: str) -> None:
    name, make, said = BAD_FILES[kind]
    with pytest.raises(ContractError, match=said) as raised:
        shop.take(MONEY, make(shop.folder), name)
    assert raised.value.exit_code == 2
    assert not shop.out.exists()


def test_a_missing_file_a_folder_and_a_file_as_output_are_clear_errors(shop: Shop) -> None:
    mapping = shop.folder / "map.toml"
    mapping.write_text(REQUEST)
    with pytest.raises(ContractError, match="does not exist; expected one CSV or Parquet file"):
        import_source(mapping, shop.folder / "none.csv", shop.out)
    with pytest.raises(ContractError, match="is a folder"):
        import_source(mapping, shop.folder, shop.out)
    with pytest.raises(ContractError, match="is a file; expected a folder"):
        import_source(mapping, mapping, mapping)
    with pytest.raises(ContractError, match=r"import map .* cannot be read"):
        import_source(shop.folder / "none.toml", mapping, shop.out)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('[source]\nencoding = "klingon"\n', "'klingon' is not known"),
        ('[source]\nencoding = "hex"\n', "'hex' is not known"),
        ('[source]\nformat = "csv"\n[attributes]\nnumeric = ["shoe"]\n', "attributes.numeric.shoe"),
    ],
)
def test_a_map_that_does_not_fit_the_file_is_a_clear_error(shop: Shop, source: str, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        shop.take(REQUEST + source, GOOD)


def test_a_mark_that_contradicts_the_map_is_a_clear_error(shop: Shop) -> None:
    with pytest.raises(ContractError, match="byte-order mark of utf-16-le, the map says latin-1"):
        shop.take(REQUEST + '[source]\nencoding = "latin-1"\n', GOOD.encode("utf-16"))
    assert shop.take(REQUEST + '[source]\nencoding = "utf-8"\n', codecs.BOM_UTF8 + GOOD.encode()).accepted == 2
    assert shop.take(REQUEST + '[source]\nencoding = "utf-16"\n', GOOD.encode("utf-16")).accepted == 2


def test_nested_parquet_columns_are_a_clear_error(shop: Shop) -> None:
    with pytest.raises(ContractError, match="expected text, a number, a time or true/false"):
        shop.take(REQUEST, pl.DataFrame({"id": [["r1"]], "when": ["x"]}), "source.parquet")


@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_whatever_break_the_promise(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    os.environ[KEY_VARIABLE] = KEY
    with contextlib.suppress(ContractError):
        shop.take(MONEY, b"id,when,amount\n" + data)
    del os.environ[KEY_VARIABLE]

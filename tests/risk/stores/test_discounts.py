from datetime import UTC, datetime
from pathlib import Path

import pytest

from data_contracts.discount import CELLS, Discount, newest
from data_contracts.errors import SourceUnavailableError
from data_contracts.link import EntityType
from risk.stores.discounts import StoredDiscounts


def tables(month: int, weight: float) -> Discount:
    return Discount(datetime(2026, month, 1, tzinfo=UTC), {EntityType.DEVICE: (weight,) * CELLS})


def test_tables_come_back_as_they_were_kept_each_from_its_moment_on(tmp_path: Path) -> None:
    store = StoredDiscounts(tmp_path)
    assert newest(store.all(), datetime(2026, 3, 1, tzinfo=UTC)) is None
    assert store.keep([tables(2, 0.1), tables(1, 1 / 3)]) == 2
    assert newest(StoredDiscounts(tmp_path).all(), datetime(2026, 1, 31, tzinfo=UTC)) == tables(1, 1 / 3)
    assert newest(StoredDiscounts(tmp_path).all(), datetime(2026, 3, 1, tzinfo=UTC)) == tables(2, 0.1)
    assert newest(StoredDiscounts(tmp_path).all(), datetime(2025, 12, 31, tzinfo=UTC)) is None


def test_a_running_service_sees_what_another_process_keeps(tmp_path: Path) -> None:
    reader, moment = StoredDiscounts(tmp_path), datetime(2026, 6, 1, tzinfo=UTC)
    StoredDiscounts(tmp_path).keep([tables(1, 0.1)])
    assert newest(reader.all(), moment) == tables(1, 0.1)
    StoredDiscounts(tmp_path).keep([tables(1, 0.7), tables(2, 0.2)])
    assert newest(reader.all(), moment) == tables(2, 0.2)
    assert newest(reader.all(), datetime(2026, 1, 2, tzinfo=UTC)) == tables(1, 0.7)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    StoredDiscounts(tmp_path).keep([tables(1, 0.1)])
    (tmp_path / "feature_store" / "discounts.json").write_text("[{}]", encoding="utf-8")
    with pytest.raises(SourceUnavailableError, match=r"discounts\.json cannot be read"):
        newest(StoredDiscounts(tmp_path).all(), datetime(2026, 1, 1, tzinfo=UTC))

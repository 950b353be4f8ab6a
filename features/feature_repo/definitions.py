"""The slow features as Feast sees them: one entity and one feature view for each entity type, read off the catalogue."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from features.slow import STAMP, key_of, slow_features


def offline_file(offline: Path, view: str) -> Path:
    """Where the states of a view lie."""
    return offline / f"{view}.parquet"


def definitions(offline: Path) -> list[Any]:
    """Feast entities and feature views named after the entity type; their states are Parquet files in `offline`. They never expire."""
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Float64

    found: list[Any] = []
    for kind, features in slow_features().items():
        entity = Entity(name=kind.value, join_keys=[key_of(kind)], value_type=ValueType.STRING)
        view = FeatureView(
            name=kind.value,
            entities=[entity],
            ttl=timedelta(0),
            schema=[Field(name=feature.name, dtype=Float64, description=feature.meaning) for feature in features],
            source=FileSource(path=str(offline_file(offline, kind.value)), timestamp_field=STAMP),
        )
        found += [entity, view]
    return found

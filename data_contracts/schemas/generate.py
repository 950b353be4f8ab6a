"""The JSON schemas of the contract, generated from the record classes; `python -m data_contracts.schemas` writes them into this folder."""

import json
import re

from pydantic import TypeAdapter

from data_contracts.mapping import ImportMap
from data_contracts.tables import TABLES

VERSION = "v1"
"""The folder of the present contract; README.md says when a change needs a new one."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """File name -> text, one file for each record and one for the import map."""
    records = (*dict.fromkeys(TABLES.values()), ImportMap)
    return {f"{name_of(record)}.json": _text(record) for record in records}


def name_of(record: type) -> str:
    """RefundRequest -> refund_request."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", record.__name__).lower()


def _text(record: type) -> str:
    schema = {"$schema": _DIALECT, "$id": f"refund-risk/{VERSION}/{name_of(record)}.json", **TypeAdapter(record).json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"

"""Runs the Great Expectations suites over the tables of a data set and writes their pages."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts.expectations import expectable, load, suite

FOLDER = "data_docs"
"""Name of the folder for the pages; `index.html` is the first."""

_QUOTED_VALUES = 5
_SITE = "data_set"


def judge(cells: Mapping[str, pl.DataFrame], accepted: Mapping[str, pl.DataFrame], pages: Path) -> dict[str, tuple[str, ...]]:
    """The failed expectations of every table, in words, after writing the pages.

    `cells` are all rows as read, so that the pages show what the rows were like before bad ones left; references are looked up in `accepted`.
    """
    context = _context(pages)
    failed: dict[str, tuple[str, ...]] = {}
    for table, frame in cells.items():
        parents = {name: other for name, other in accepted.items() if name != table}
        results = _run(context, table, expectable(table, frame, parents), tuple(parents))
        failed[table] = tuple(_in_words(result) for result in results if not result.success)
    context.build_data_docs(site_names=[_SITE])
    return failed


def _context(pages: Path) -> Any:  # noqa: ANN401  # great_expectations ships no types
    """A context in memory, without progress bars, whose only site is our folder."""
    gx = load()
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    from great_expectations.data_context.types.base import ProgressBarsConfig

    shutil.rmtree(pages, ignore_errors=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for site in list(context.list_data_docs_sites()):
        context.delete_data_docs_site(site)
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(pages.resolve())}
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": store,
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    context.add_data_docs_site(_SITE, site)
    return context


def _run(context: Any, table: str, frame: pl.DataFrame, parents: tuple[str, ...]) -> list[Any]:  # noqa: ANN401  # great_expectations ships no types
    gx = load()
    source = context.data_sources.add_pandas(table)
    whole = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("whole table")
    definition = gx.ValidationDefinition(name=table, data=whole, suite=context.suites.add(suite(table, parents)))
    checkpoint = gx.Checkpoint(
        name=table,
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format={"result_format": "BASIC", "partial_unexpected_count": _QUOTED_VALUES},
    )
    outcome = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame.to_pandas(use_pyarrow_extension_array=True)})
    return [result for run in outcome.run_results.values() for result in run.results]


def _in_words(result: Any) -> str:  # noqa: ANN401  # great_expectations ships no types
    """E.g. `expect_column_values_to_be_between(column=amount_minor, min_value=0): 3 of 100 rows do not`."""
    config = result.expectation_config
    arguments = ", ".join(f"{name}={value}" for name, value in config.kwargs.items() if name not in ("batch_id", "result_format"))
    count, total = result.result.get("unexpected_count"), result.result.get("element_count")
    how_many = f": {count} of {total} rows do not" if count is not None and total is not None else ""
    return f"{config.type}({arguments}){how_many}"

"""The shape of a database as the database itself tells it: columns with type and collation, keys, constraints, indexes. Order does not count."""

from collections.abc import Iterable

from sqlalchemy import Connection

from risk.stores.migrate import VERSION_TABLE

Shape = dict[str, list[str]]

POSTGRES = {
    "columns": """SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY 1, 2""",
    "constraints": """SELECT conrelid::regclass::text, contype, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n' ORDER BY 1, 2, 3""",
    "indexes": "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
}
SQLITE_TABLES = "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
SQLITE = {
    "columns": "SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{0}') ORDER BY name",
    "constraints": """SELECT list.origin, list."unique", group_concat(part.name)
        FROM pragma_index_list('{0}') AS list, pragma_index_info(list.name) AS part
        GROUP BY list.name ORDER BY 1, 2, 3""",
    "indexes": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '{0}' AND sql IS NOT NULL ORDER BY name",
    "keys": 'SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'{0}\') ORDER BY 1, 2, 3',
}


def shape_of(connection: Connection) -> Shape:
    """Everything but Alembic's own table."""

    def rows(query: str) -> Iterable[str]:
        found = connection.exec_driver_sql(query.replace("%", "%%") if connection.dialect.name == "postgresql" else query)
        return [" ".join(map(str, row)) for row in found if VERSION_TABLE not in str(row[0])]

    if connection.dialect.name == "postgresql":
        return {name: list(rows(query)) for name, query in POSTGRES.items()}
    tables = list(rows(SQLITE_TABLES))
    return {"tables": tables} | {f"{name} of {table}": list(rows(SQLITE[name].format(table.split()[0]))) for table in tables for name in SQLITE}

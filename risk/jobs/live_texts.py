"""The claim texts that the store knows, as templates: what the service starts from, so that a wording has the id that it had before."""

from sqlalchemy import select

from graph.templates import Templates
from risk.stores import tables as stored
from risk.stores.database import Database

LATEST = 50_000
"""Texts that are looked at when the service starts and kept while it runs, the latest ones: ten seconds and 150 MB.

A script is used again within weeks, not years.
"""


def live_templates(database: Database) -> Templates:
    """The templates of the latest texts, founded in the order in which they became known."""
    texts = stored.claim_texts.c
    templates = Templates(LATEST)
    with database.reading() as connection:
        rows = connection.execute(select(texts.body).order_by(texts.known_us.desc(), texts.request_id.desc()).limit(LATEST)).scalars().all()
    for body in reversed(rows):
        templates.id_of(body)
    return templates

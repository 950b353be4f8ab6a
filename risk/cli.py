"""The command line: a command parses, calls one function and prints. Heavy packages are imported by the command that needs them."""

import os
import sys

import typer

# Two threads that spin on a busy machine wait for each other; both must be set before the numeric libraries load.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

from risk.commands import data, graph, images, keys, learning, models, retention, service, store, webhooks  # after the environment is set

app = typer.Typer(
    name="refund-risk",
    help="Ranks refund requests for approve, review or block, each with reasons a person can check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for family in (data, learning, graph, images, service, keys, models, store, retention, webhooks):
    app.add_typer(family.app)


def main() -> None:
    """The `refund-risk` program."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a text stream in every shell we run in
    app()

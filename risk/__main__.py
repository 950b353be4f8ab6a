"""`python -m risk` is the `refund-risk` program."""

from risk.cli import main

main()

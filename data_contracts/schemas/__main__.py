"""Writes the JSON schemas of the contract beside this file; run it after every change of a record."""

from pathlib import Path

from data_contracts.schemas.generate import VERSION, schemas

if __name__ == "__main__":
    folder = Path(__file__).parent / VERSION
    folder.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")

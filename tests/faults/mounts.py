"""Small disks and folders that cannot be written, as mounts: root ignores the modes of files."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest


class Mounts:
    """What was mounted is unmounted at the end."""

    def __init__(self) -> None:
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for place in reversed(self._made):
            subprocess.run(["/usr/bin/umount", "--lazy", str(place)], check=True)

    def small_disk(self, place: Path, megabytes: int) -> Path:
        """A disk of that size at that place."""
        place.mkdir(parents=True, exist_ok=True)
        self._mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place)
        self._made.append(place)
        return place

    def freeze(self, place: Path) -> None:
        """From now on nothing can be written there."""
        self._mount("--bind", place, place)
        self._made.append(place)
        self._mount("-o", "remount,ro,bind", place, place)

    def thaw(self, place: Path) -> None:
        """From now on it can be written again."""
        self._mount("-o", "remount,rw,bind", place, place)

    def _mount(self, *words: str | Path) -> None:
        done = subprocess.run(["/usr/bin/mount", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode and os.geteuid():
            pytest.skip(f"this user may not mount: {done.stderr.strip()}; run as root to see this test")
        assert done.returncode == 0, done.stderr


def fill(disk: Path) -> Path:
    """Take all the room that is left; the file to remove afterwards."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        size = 1 << 20
        while size:
            try:
                stream.write(bytes(size))
            except OSError:
                size //= 2
    return ballast

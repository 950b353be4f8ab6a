"""Opening the place of evidence files: a folder, an S3-style store, or whatever else fsspec knows.

S3 is spoken by Arrow behind fsspec's face: it is installed anyway, and fsspec's own way would bring some dozen packages more.
"""

import os
from dataclasses import dataclass
from typing import Any

import fsspec

S3 = "s3://"
CONNECT_S = 2.0
TRIES = 2
"""How often a call is tried before the store counts as not answering: whoever sent the file may send it again."""


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """How an S3-style store is reached. Empty: Amazon's address; the region and the keys as Amazon's own tools find them (environment, role)."""

    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = ""


def open_place(url: str, access: ObjectAccess) -> tuple[Any, str]:
    """The fsspec file system behind an address, and the path in it. OSError: it does not answer. ValueError: no such kind of address."""
    if not url.startswith(S3):
        filesystem, path = fsspec.core.url_to_fs(url)
        return filesystem, str(path)
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    if access.endpoint:
        # Stores of other makes refuse the checksums behind the body that Amazon's library adds unless it is told not to.
        os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    filesystem = S3FileSystem(
        access_key=access.access_key or None,
        secret_key=access.secret_key or None,
        region=access.region or None,
        endpoint_override=access.endpoint or None,
        connect_timeout=CONNECT_S,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=TRIES),
    )
    return ArrowFSWrapper(filesystem), url.removeprefix(S3).rstrip("/")

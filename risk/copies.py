"""The demo's second story: one photo, two buyers. The second sends it mirrored, smaller and saved again, from an account of its own."""

import io
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from features.image.examples import jpeg, scene


def photo() -> bytes:
    """A picture of the first buyer, drawn on the spot."""
    return jpeg(scene(1200, 900, seed=21), quality=92)


def copy(original: bytes) -> bytes:
    """The same picture as the second buyer sends it: mirrored, smaller, saved at quality 60."""
    with Image.open(io.BytesIO(original)) as whole:
        mirrored = ImageOps.mirror(whole.convert("RGB")).resize((820, 615))
    return jpeg(np.asarray(mirrored), quality=60)


def photo_claims(occurred_at: datetime, photos: tuple[str, str], name: str = "photo") -> tuple[dict[str, Any], dict[str, Any]]:
    """Two claims of two buyers at two shops, each with its picture by SHA-256."""
    first, second = (
        {
            "request_id": f"req_{name}-{who}",
            "occurred_at": moment.isoformat(),
            "account_id": f"acc_{name}-{who}",
            "seller_id": f"sel_{name}-{who}",
            "order_id": f"ord_{name}-{who}",
            "claim_type": "damaged",
            "amount_minor": 4_200,
            "currency": "CNY",
            "evidence": [{"sha256": sha256, "kind": "photo"}],
        }
        for who, moment, sha256 in zip(("first", "second"), (occurred_at, occurred_at + timedelta(hours=1)), photos, strict=True)
    )
    return first, second

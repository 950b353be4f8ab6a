"""Signatures of webhooks in the form of the Standard Webhooks specification: HMAC-SHA256 over id, time and body.

Headers: `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`, `v1,` and the signature in base64; several stand with a space
between. Secrets are written `whsec_` and base64.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
TOLERANCE_S = 300
"""How old a message may be when it comes: older ones may have been recorded and sent again by somebody else."""


class NotGenuineError(Exception):
    """The message is not one that the service signed just now."""


def secret_of(identity_key: bytes, endpoint_id: str) -> str:
    """The secret that an installation shares with an endpoint: derived from its own key, so it is stored nowhere."""
    return PREFIX + base64.b64encode(hmac.digest(identity_key, f"webhook|{endpoint_id}".encode(), hashlib.sha256)).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode("ascii")


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float, tolerance_s: int = TOLERANCE_S) -> str:
    """The id of a genuine message; whoever has seen it before drops it. NotGenuineError: why it is none."""
    said = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if name not in said]
    if missing:
        message = f"the message lacks {', '.join(missing)}"
        raise NotGenuineError(message)
    stamp = said["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= len("99999999999")):
        raise NotGenuineError("webhook-timestamp is no number of seconds")
    if abs(now_s - int(stamp)) > tolerance_s:
        message = f"the message was signed {now_s - int(stamp):.0f} s ago; expected at most {tolerance_s}"
        raise NotGenuineError(message)
    due = sign(secret, said["webhook-id"], int(stamp), body)
    shown = said["webhook-signature"].split(" ")
    same = [hmac.compare_digest(due.encode(), each.encode()) for each in shown]  # every one is compared, whichever matches
    if not any(same):
        raise NotGenuineError("the signature is not the service's")
    return said["webhook-id"]


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        message = f"the secret is not base64 after {PREFIX}; `refund-risk webhooks add` showed it"
        raise NotGenuineError(message) from None

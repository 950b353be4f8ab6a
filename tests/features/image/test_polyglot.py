"""Files that are two things at once, and those that only look so."""

import io
import zipfile

import pytest

from features.image import examples
from features.image.container.take_apart import take_apart
from features.image.measure import measure_all
from features.image.polyglot import is_polyglot
from features.image.signal_kit import Context
from tests.features.image.writers import samsung


def archive(comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("run.bat", "echo")
        target.comment = comment
    return out.getvalue()


MADE = {
    "an archive behind a JPEG": examples.jpeg() + archive(),
    "an archive with a long comment": examples.jpeg() + archive(b"c" * 5000),
    "an archive in front of which a picture stands": examples.png() + archive(),
    "an archive behind a GIF": b"GIF89a" + bytes(40) + archive(),
    "a document behind a JPEG": examples.jpeg() + b"%PDF-1.7\n",
    "a document inside a comment": examples.jpeg(comment=b"%PDF-1.7\n1 0 obj"),
    "a page": examples.jpeg() + b"\n <HTML><script>alert(1)</script>",
    "a programme": examples.png(appended=b"MZ\x90\x00" + bytes(60)),
}
HONEST = {
    "a photo": examples.camera_jpeg(),
    "padding": examples.jpeg() + bytes(2000),
    "a second picture behind the first": examples.jpeg() + examples.jpeg(quality=30),
    "a motion photo": examples.jpeg() + b"\x00\x00\x00\x18ftypmp42" + bytes(200),
    "a phone's trailer": examples.jpeg() + samsung("Image_UTC_Data", "1710000000000"),
    "the letters of an archive inside": examples.jpeg(comment=b"PK\x05\x06 is how an archive ends"),
    "a PNG with a text about PDF": examples.png_with_text(("Description", "printed from a.pdf")),
}


@pytest.mark.parametrize("data", MADE.values(), ids=MADE.keys())
def test_a_file_of_two_kinds_is_unreadable_and_says_why(data: bytes) -> None:
    assert is_polyglot(data, take_apart(data))
    assert measure_all(data, Context()).unreadable == "polyglot"


@pytest.mark.parametrize("data", HONEST.values(), ids=HONEST.keys())
def test_what_phones_and_apps_append_is_none(data: bytes) -> None:
    assert not is_polyglot(data, take_apart(data))
    assert measure_all(data, Context()).unreadable is None

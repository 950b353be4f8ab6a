"""Signed and unsigned provenance on real files, on files that we sign ourselves, and on forgeries."""

import datetime as dt
import io
import json
from functools import lru_cache
from pathlib import Path

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from features.image import aigc_label, c2pa_manifest, editor_markers, examples, generator_markers, iptc_source, marker_conflict
from features.image.picture import Picture
from features.image.signal_kit import Context

READERS = (aigc_label, iptc_source, generator_markers, c2pa_manifest)
AI_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAPTURE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def _values(data: bytes) -> dict[str, float | None]:
    return {reader.NAME: reader.measure(Picture(data), Context()).value for reader in READERS}


def _verdicts(data: bytes, context: Context | None = None) -> c2pa_manifest.Verdicts:
    manifest = c2pa_manifest.read_manifest(Picture(data), context or Context())
    assert isinstance(manifest, c2pa_manifest.Manifest)
    return manifest.verdicts


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "reader"),
    [("firefly.png", "c2pa_manifest"), ("flux.jpg", "c2pa_manifest"), ("grok.jpg", "generator_markers"), ("midjourney.png", "iptc_source")],
)
def test_originals_of_generators_are_found(shelf: Path, name: str, reader: str) -> None:
    value = _values((shelf / "data/provenance" / name).read_bytes())[reader]
    assert value is not None
    assert value >= 0.6


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "fault"),
    [("adobe-E-sig-CA.jpg", "signature"), ("adobe-E-dat-CA.jpg", "binding"), ("adobe-XCA.jpg", "binding"), ("adobe-E-uri-CA.jpg", "assertions")],
)
def test_a_broken_manifest_is_named_by_what_is_broken(shelf: Path, name: str, fault: str) -> None:
    data = (shelf / "data/provenance" / name).read_bytes()
    verdicts = _verdicts(data)
    assert [part for part in ("binding", "assertions", "signature") if getattr(verdicts, part) == "failed"] == [fault]
    assert "IMAGE_SIGNATURE_BROKEN" in [item.code for item in c2pa_manifest.measure(Picture(data), Context()).findings]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["adobe-C.jpg", "adobe-CA.jpg", "adobe-CAI.jpg", "adobe-CI.jpg"])
def test_a_sound_manifest_is_sound_but_its_signer_is_not_known(shelf: Path, name: str) -> None:
    verdicts = _verdicts((shelf / "data/provenance" / name).read_bytes())
    assert verdicts.intact
    assert not verdicts.proven
    assert verdicts.trust == "not_checked"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["adobe-A.jpg", "adobe-I.jpg"])
def test_a_camera_photo_saved_by_lightroom_is_edited_and_no_more(shelf: Path, name: str) -> None:
    data = (shelf / "data/provenance" / name).read_bytes()
    assert set(_values(data).values()) == {None}
    assert editor_markers.measure(Picture(data), Context()).value == 0.15
    assert marker_conflict.measure(Picture(data), Context()).value == 0.0


@pytest.mark.shared
def test_no_real_photo_of_the_shelf_carries_an_ai_marker(shelf: Path) -> None:
    paths = sorted((shelf / "data/images/train/real").rglob("*.*"))[::4]
    assert len(paths) >= 500
    false = [str(path) for path in paths if set(_values(path.read_bytes()).values()) != {None}]
    assert false == []


@lru_cache(maxsize=1)
def _authority() -> tuple[bytes, bytes, str]:
    """A signer's chain and key in PEM, and the authority above it, made for this run."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    until = dt.datetime(2036, 1, 1, tzinfo=dt.UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Root"), x509.NameAttribute(NameOID.COMMON_NAME, "Test Root")])
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Camera Works"), x509.NameAttribute(NameOID.COMMON_NAME, "Signer")])
    usage = {
        "content_commitment": False,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    root = (
        x509.CertificateBuilder(root_name, root_name, root_key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=False, key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        x509.CertificateBuilder(root_name, name, key.public_key(), x509.random_serial_number(), now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + root.public_bytes(pem), private, root.public_bytes(pem).decode()


def _signed(data: bytes, kind: str, source: str) -> bytes:
    chain, key, root = _authority()
    action = {"action": "c2pa.created", "digitalSourceType": source, "softwareAgent": {"name": "test"}}
    manifest = {"claim_generator_info": [{"name": "test"}], "format": kind, "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}]}
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None)
    out = io.BytesIO()
    settings = {"verify": {"verify_after_sign": False}, "trust": {"trust_anchors": root}, "builder": {"thumbnail": {"enabled": False}}}
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Builder(json.dumps(manifest), context=context) as builder,
        c2pa.Signer.from_info(info) as signer,
    ):
        builder.sign(signer, kind, io.BytesIO(data), out)
    return out.getvalue()


PLAIN = {"image/jpeg": examples.jpeg, "image/png": examples.png, "image/webp": examples.webp}


@pytest.mark.parametrize("kind", PLAIN)
def test_a_signed_ai_statement_is_proven_only_with_a_trusted_signer(kind: str) -> None:
    data = _signed(PLAIN[kind](), kind, AI_TYPE)
    trusting = Context(trust_anchors=_authority()[2])
    assert _verdicts(data, trusting).proven
    proven = c2pa_manifest.measure(Picture(data), trusting)
    assert (proven.value, proven.findings[0].code) == (1.0, "IMAGE_SIGNED_GENERATED")
    unknown = c2pa_manifest.measure(Picture(data), Context())
    assert (unknown.value, unknown.findings[0].code) == (0.7, "IMAGE_MARKED_GENERATED")


def test_a_proven_capture_speaks_for_the_picture() -> None:
    data = _signed(examples.jpeg(), "image/jpeg", CAPTURE_TYPE)
    result = c2pa_manifest.measure(Picture(data), Context(trust_anchors=_authority()[2]))
    assert (result.value, result.findings[0].code) == (0.0, "IMAGE_SIGNED_CAPTURED")


def test_one_changed_pixel_breaks_the_binding_and_nothing_else() -> None:
    data = bytearray(_signed(examples.jpeg(), "image/jpeg", CAPTURE_TYPE))
    data[-40] ^= 1
    verdicts = _verdicts(bytes(data), Context(trust_anchors=_authority()[2]))
    assert (verdicts.binding, verdicts.signature, verdicts.trust) == ("failed", "passed", "passed")
    assert c2pa_manifest.measure(Picture(bytes(data)), Context()).value == 0.6


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "camera beside generator",
            lambda: examples.jpeg(
                exif=examples.exif({0x010F: "Canon", 0x0110: "EOS"}, {0x829A: 0.01}), xmp=examples.source_type("trainedAlgorithmicMedia")
            ),
        ),
        ("two generators", lambda: examples.png_with_text(("Source", "Luma AI"), ("Software", "NovelAI"))),
        ("two levels", lambda: examples.png_with_text(("AIGC", examples.AIGC), ("AIGC", examples.AIGC.replace('"Label":"1"', '"Label":"2"')))),
        ("behind the end", lambda: examples.png(appended=examples.chunk(b"tEXt", b"parameters\x00a\nSteps: 2, Sampler: x"))),
    ],
)
def test_marks_that_contradict_one_another_are_named(name: str, data: object) -> None:
    assert callable(data)
    assert marker_conflict.measure(Picture(data()), Context()).value == 0.6, name


@pytest.mark.parametrize(
    "data",
    [
        lambda: examples.jpeg(
            exif=examples.exif({0x010F: "samsung", 0x0110: "SM-S928B"}, {0x829A: 0.01}),
            xmp=examples.source_type("compositeWithTrainedAlgorithmicMedia"),
        ),
        lambda: examples.png_with_text(("Software", "NovelAI"), ("AIGC", examples.AIGC)),
        lambda: examples.png_with_text(("prompt", '{"3":{"class_type":"KSampler"}}'), ("parameters", "a\nSteps: 2, Sampler: x")),
    ],
)
def test_marks_that_go_together_are_no_conflict(data: object) -> None:
    assert callable(data)
    assert marker_conflict.measure(Picture(data()), Context()).value == 0.0


def test_novelai_hidden_in_the_alpha_plane_is_found() -> None:
    import numpy as np

    pixels = np.dstack([examples.scene(), np.full(examples.scene().shape[:2], 255, np.uint8)])
    bits = np.unpackbits(np.frombuffer(b"stealth_pngcomp", np.uint8))
    flat = pixels[:, :1, 3].T.reshape(-1)
    flat[: bits.size] = flat[: bits.size] & 254 | bits
    pixels[:, 0, 3] = flat
    assert generator_markers.measure(Picture(examples.png(pixels)), Context()).value == 0.6

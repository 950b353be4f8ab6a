"""Every marker in every place of every container is found, by the reader whose it is; and none is found where there is none."""

import json

import pytest

from features.image import aigc_label, editor_markers, generator_markers, iptc_source
from features.image.examples import (
    AIGC,
    aigc_xmp_attribute,
    aigc_xmp_element,
    exif,
    jpeg,
    packet,
    scene,
    source_type,
    user_comment,
    with_xmp,
)
from features.image.picture import Picture
from features.image.signal_kit import Context
from features.image.statements import AI, Says
from tests.features.image.writers import avi, exif_files, flv, iim, insert_segment, mkv, mp4, samsung, text_pngs, xmp_files

TENCENT = '{"ServiceProvider":"腾讯云","ServiceUser":"u1","Time":"2026-01-01","ContentId":"c1"}'
A1111 = "a broken cup\nNegative prompt: text\nSteps: 28, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1234, Size: 512x512, Model hash: 6ce0161689"
COMFY = '{"3":{"class_type":"KSampler","inputs":{"seed":1}}}'
FLOW = '{"last_node_id":9,"nodes":[],"links":[]}'
SWARM = '{"sui_image_params":{"prompt":"a cup","model":"flux1"}}'
FOOOCUS = '{"metadata_scheme":"fooocus","prompt":"a cup","base_model":"x","sampler":"euler"}'
EASY = '{"prompt":"a cup","use_stable_diffusion_model":"sd-v1-4","negative_prompt":"","num_inference_steps":25}'
DRAW = '{"c":"a cup","sampler":"DPM++ 2M Karras","seed":1,"steps":20}'
GROK = exif({0x010E: "Signature: " + "Ab9+/" * 20 + "=", 0x013B: "4800156b-8880-4786-9056-7ca3da449d8c"})
IPTC_SPACE = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
PHOTOSHOP_SPACE = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'


def _described(**attributes: str) -> bytes:
    spaces = {"xmp": "http://ns.adobe.com/xap/1.0/", "exif": "http://ns.adobe.com/exif/1.0/", "dc": "http://purl.org/dc/elements/1.1/"}
    head = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    body = " ".join(f"{name.replace('_', ':', 1)}='{value}'" for name, value in attributes.items())
    return packet(f"<rdf:Description {head} {body}/>")


EXIF_MARKS = {
    "aigc comment": user_comment(f'{{"AIGC":{AIGC}}}'),
    "aigc comment as text": user_comment(json.dumps({"AIGC": AIGC})),
    "aigc glued": exif({0x010E: f"AIGC{AIGC}"}),
    "tencent": exif({0x010E: TENCENT}),
    "a1111": user_comment(A1111),
    "a1111 unicode": exif({}, {0x9286: b"UNICODE\x00" + A1111.encode("utf-16-be")}),
    "swarm comment": exif({}, {0x9286: b"UNICODE\x00" + SWARM.encode("utf-16-le")}),
    "swarm model": exif({0x0110: SWARM}),
    "comfy make": exif({0x010F: f"Prompt:{COMFY}"}),
    "comfy flow": exif({0x010E: f"Workflow:{FLOW}"}),
    "fooocus": user_comment(FOOOCUS),
    "easy diffusion": user_comment(EASY),
    "grok": GROK,
    "ideogram": exif({0x010F: "Ideogram AI"}),
    "reve": exif({0x0131: "reve.com"}),
    "aphrodite": exif({0x010F: "Aphrodite AI"}),
    "dreamina": exif({0x010E: '{"product":"dreamina","exportType":"generation"}'}),
    "aigc type": user_comment('{"aigc_info":{"aigc_label_type":1}}'),
    "aweme": user_comment('{"product":"aweme","aigc_type":1}'),
    "midjourney": exif({0x010E: "a cup --v 6 Job ID: 2b6e053b-9a65-4ca9-9e13-b6f4465164d4"}),
    "firefly software": exif({0x0131: "Adobe Firefly"}),
    "flux software": exif({0x0131: "FLUX.2 [pro]"}),
    "gpt-image": exif({0x0131: "gpt-image-1"}),
}
XMP_MARKS = {
    "aigc attribute": aigc_xmp_attribute(),
    "aigc element": aigc_xmp_element(),
    "aigc twice encoded": aigc_xmp_element(AIGC.replace('"', "&quot;")),
    "trained": source_type("trainedAlgorithmicMedia"),
    "composite": source_type("compositeWithTrainedAlgorithmicMedia"),
    "synthetic": source_type("compositeSynthetic"),
    "system": packet(f"<rdf:Description {IPTC_SPACE}><Iptc4xmpExt:AISystemUsed>ChatGPT</Iptc4xmpExt:AISystemUsed></rdf:Description>"),
    "prompt": packet(f'<rdf:Description {IPTC_SPACE} Iptc4xmpExt:AIPromptInformation="a cup"/>'),
    "google": packet(f'<rdf:Description {PHOTOSHOP_SPACE} photoshop:Credit="Made with Google AI"/>'),
    "clean up": packet(f'<rdf:Description {PHOTOSHOP_SPACE} photoshop:Credit="Apple Photos Clean Up"/>'),
    "draw things": _described(exif_UserComment=DRAW),
    "creator": _described(xmp_CreatorTool="Midjourney"),
    "dalle": _described(xmp_CreatorTool="DALL-E 3"),
}
TEXT_MARKS = {
    "aigc": ("AIGC", AIGC),
    "a1111": ("parameters", A1111),
    "extras": ("postprocessing", "Postprocess upscale by: 4, Upscaler: R-ESRGAN"),
    "swarm": ("parameters", SWARM),
    "comfy": ("prompt", COMFY),
    "comfy flow": ("workflow", FLOW),
    "invoke": ("invokeai_metadata", '{"model":"x"}'),
    "invoke sd": ("sd-metadata", '{"model":"x"}'),
    "dream": ("Dream", '"a cup" -s 50 -S 1 -W512 -H512 -C7.5 -Ak_lms'),
    "novelai": ("Software", "NovelAI"),
    "novelai source": ("Source", "Stable Diffusion XL 7BCCAA2C"),
    "fooocus": ("Comment", FOOOCUS),
    "fooocus scheme": ("fooocus_scheme", "fooocus"),
    "easy": ("negative_prompt", "text"),
    "luma": ("Source", "Luma AI"),
    "luma comment": ("Comment", "Generated by Luma AI's Uni-1 model"),
    "job": ("hf-job-id", "abc"),
    "midjourney": ("Description", "a cup Job ID: 2b6e053b-9a65-4ca9-9e13-b6f4465164d4"),
}
FILM_MARKS = {
    "mp4 key": mp4({"AIGC": AIGC}),
    "mov key": mp4({"AIGC": AIGC}, quicktime=True),
    "mp4 long key": mp4({"com.example.AIGC": AIGC}),
    "mkv tag": mkv({"AIGC": AIGC}),
    "mkv live": mkv({"AIGC": AIGC}, unknown_length=True),
    "avi info": avi({b"AIGC": AIGC}),
    "flv metadata": flv({"AIGC": AIGC}),
}
SINGLE_MARKS = {
    "jpeg segment": insert_segment(jpeg(), 0xE9, b"AIGC" + AIGC.encode()),
    "jpeg behind jfif": insert_segment(jpeg(), 0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00AIGC" + AIGC.encode()),
    "jpeg comment": jpeg(comment=FOOOCUS.encode()),
    "jpeg a1111 comment": jpeg(comment=A1111.encode()),
    "samsung": samsung("PhotoEditor_Re_Edit_Data", '{"genAIType":3}'),
    "iptc credit": insert_segment(jpeg(), 0xED, iim(110, "Made with Google AI")),
    "iptc clean up": insert_segment(jpeg(), 0xED, iim(110, "Apple Photos Clean Up")),
    "iptc programme": insert_segment(jpeg(), 0xED, iim(65, "Midjourney")),
}
MARKED: dict[str, bytes] = {
    **{f"{mark}: {place}": data for mark, block in EXIF_MARKS.items() for place, data in exif_files(block).items()},
    **{f"{mark}: {place}": data for mark, block in XMP_MARKS.items() for place, data in xmp_files(block).items()},
    **{f"{mark}: {place}": data for mark, pair in TEXT_MARKS.items() for place, data in text_pngs(*pair).items()},
    **FILM_MARKS,
    **SINGLE_MARKS,
}
READERS = (aigc_label, iptc_source, generator_markers)


def _ai_statements(data: bytes) -> list[str]:
    metadata = Picture(data).metadata
    return [item.marker for reader in READERS for item in reader.statements(metadata) if item.says in AI]


def test_two_hundred_marked_files_are_made() -> None:
    assert len(MARKED) > 200


def test_every_marker_in_every_container_is_found() -> None:
    assert [name for name, data in MARKED.items() if not _ai_statements(data)] == []


HONEST = {
    "a camera's tags": exif({0x010F: "Apple", 0x0110: "iPhone 15 Pro", 0x0131: "17.4.1"}, {0x829A: 0.01}),
    "a person with a maker's name": exif({0x013B: "Leonardo Fluxman"}),
    "a word in a description": exif({0x010E: "the flux of light; imagen de mi casa"}),
    "a lens": exif({0x010F: "NIKON CORPORATION", 0x0110: "NIKON D750", 0x0131: "Ver.1.12"}),
    "json that is no label": user_comment('{"Label":"1","note":"ours"}'),
    "a comment with the word": user_comment("AIGC is what my teacher talks about"),
    "one tencent field": exif({0x010E: '{"ServiceProvider":"x"}'}),
    "galaxy without ai": exif({0x010F: "samsung", 0x0110: "SM-S928B"}),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_file_carries_no_ai_marker(name: str) -> None:
    assert {place: found for place, data in exif_files(HONEST[name]).items() if (found := _ai_statements(data))} == {}


@pytest.mark.parametrize(
    "term", ["digitalCapture", "computationalCapture", "algorithmicMedia", "humanEdits", "digitalCreation", "composite", "print"]
)
def test_a_source_type_that_is_not_ai_is_not_taken_for_it(term: str) -> None:
    assert _ai_statements(with_xmp(source_type(term))) == []


def test_a_screen_capture_is_said_to_be_one() -> None:
    found = iptc_source.statements(Picture(with_xmp(source_type("screenCapture"))).metadata)
    assert [item.says for item in found] == [Says.SCREEN]


def test_marker_text_among_the_pixels_is_not_read() -> None:
    pixels = scene().copy()
    text = f"AIGC{AIGC} parameters Steps: 20, Sampler: Euler caBXjumbc2pa".encode()
    pixels.reshape(-1)[: len(text)] = list(text)
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "BMP")
    assert _ai_statements(out.getvalue()) == []
    assert _ai_statements(jpeg() + text) == []


def test_a_label_names_its_product_and_its_level() -> None:
    label = AIGC.replace('"Label":"1"', '"Label":"3"')
    found = aigc_label.statements(Picture(with_xmp(aigc_xmp_attribute(label))).metadata)
    assert [(item.by, item.says) for item in found] == [("jimeng", Says.SUSPECTED)]


def test_an_export_tool_is_a_note_and_no_proof() -> None:
    data = jpeg(exif=exif({0x010E: '{"product":"doubao"}'}))
    assert generator_markers.measure(Picture(data), Context()).value == 0.0


def test_a_galaxy_edit_without_ai_says_nothing() -> None:
    assert _ai_statements(samsung("PhotoEditor_Re_Edit_Data", '{"genAIType":0}')) == []


@pytest.mark.parametrize("software", ["Adobe Photoshop 25.1", "美图秀秀", "Snapseed 2.0", "Meitu", "PicsArt"])
def test_an_editor_is_named_but_is_no_ai(software: str) -> None:
    picture = Picture(jpeg(exif=exif({0x0131: software.encode()})))
    assert [item.says for item in editor_markers.statements(picture.metadata)] == [Says.EDITED]
    assert _ai_statements(picture.data) == []

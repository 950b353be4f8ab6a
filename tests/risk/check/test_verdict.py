"""The rules of the verdict, one story each."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.reason import REASONS, Language
from data_contracts.signal import ImageFinding, Region, SignalResult
from features.image.measure import Measured
from models.authenticity.judgement import Doubt, Judgement, Verdict
from risk.check.asks import Ask, Why, handwritten
from risk.check.order_facts import OrderFacts
from risk.check.verdict import Check, CheckVerdict, conclude
from risk.check.words import gaps, headings, sentences, silent, why_words
from risk.evidence.sight import Absent, Anomaly, AnomalyVerdict

SHA = "ab" * 32
REAL = Judgement(0.05, Verdict.AUTHENTIC, (), "light-1", "light-net")
FAKE = Judgement(0.97, Verdict.GENERATED, (), "light-1", "light-net")


def doubting(*doubts: Doubt, score: float | None = 0.5) -> Judgement:
    return Judgement(score, Verdict.UNSURE, doubts, "light-1", "light-net")


def an_anomaly(verdict: AnomalyVerdict, score: float = 0.1) -> Anomaly:
    region = Region(left=0.1, top=0.2, right=0.3, bottom=0.4) if verdict == "edited" else None
    return Anomaly(map=np.zeros((3, 4), np.uint8), score=score, verdict=verdict, region=region, version="patches-1")


CLEAN, EDITED, MURKY = an_anomaly("clean"), an_anomaly("edited", 0.95), an_anomaly("unsure", 0.5)


def seen(*findings: tuple[str, str, float], unreadable: str | None = None, kind: str = "photo") -> Measured:
    """A piece of evidence in which the signals found (signal, code, strength)."""
    signals = dict.fromkeys(signal for signal, _, _ in findings)
    results = tuple(
        SignalResult(
            signal=name,
            version=1,
            value=max(strength for signal, _, strength in findings if signal == name),
            findings=tuple(
                ImageFinding(code=code, signal=name, strength=strength, detail="so") for signal, code, strength in findings if signal == name
            ),
        )
        for name in signals
    )
    quiet = SignalResult(signal="aigc_label", version=1, unavailable="no_marker")
    given = results if "aigc_label" in signals else (*results, quiet)
    return Measured(sha256=SHA, kind=kind, format="jpeg", unreadable=unreadable, results=given)  # type: ignore[arg-type]  # a plain word


LABEL = ("aigc_label", "IMAGE_MARKED_GENERATED", 0.7)
VISIBLE = ("visible_marks", "IMAGE_VISIBLE_AI_LABEL", 0.7)
MANIFEST = ("c2pa_manifest", "IMAGE_MARKED_GENERATED", 0.7)
WHOLE = ("c2pa_manifest", "IMAGE_SIGNATURE_WHOLE", 0.0)
BROKEN = ("c2pa_manifest", "IMAGE_SIGNATURE_BROKEN", 0.6)
CONFLICT = ("marker_conflict", "IMAGE_MARKS_CONFLICT", 0.6)
CAMERA = ("delivery_kind", "IMAGE_FROM_CAMERA", 0.0)
THUMBNAIL = ("capture_camera", "IMAGE_CAMERA_MISMATCH", 0.6)
EDITOR = ("editor_markers", "IMAGE_MARKED_EDITED", 0.3)


def test_a_clean_photo_that_both_models_looked_at_is_authentic() -> None:
    check = conclude(seen(CAMERA), REAL, CLEAN)
    assert (check.verdict, check.certainty) == (CheckVerdict.AUTHENTIC, "likely")
    assert check.standing_on == ("network", "patches")
    assert check.ask_for == ()


@pytest.mark.parametrize(
    ("judged", "anomaly"),
    [(REAL, None), (None, CLEAN), (Absent("not_installed"), CLEAN), (REAL, Absent("too_small")), (REAL, MURKY), (None, None)],
)
def test_authentic_is_never_said_without_every_important_check(judged: Judgement | Absent | None, anomaly: Anomaly | Absent | None) -> None:
    assert conclude(seen(CAMERA), judged, anomaly).verdict is CheckVerdict.UNSURE


DRAWING = Anomaly(map=CLEAN.map, score=0.0, verdict="drawing", region=None, version="tokens-1")
NOBODY = (Absent("not_installed"), Absent("only_on_request"), DRAWING)


@pytest.mark.parametrize("nobody", NOBODY)
def test_where_nobody_judges_patches_the_network_alone_says_authentic_and_the_gap_is_told(nobody: Anomaly | Absent) -> None:
    check = conclude(seen(CAMERA), REAL, nobody)
    assert (check.verdict, check.standing_on) == (CheckVerdict.AUTHENTIC, ("network",))
    assert "patches" in dict(check.unavailable)
    assert conclude(seen(CAMERA), FAKE, nobody).verdict is CheckVerdict.GENERATED
    assert not any(finding.signal == "patches" for finding in check.findings)


@pytest.mark.parametrize(
    "finding",
    [
        LABEL,
        VISIBLE,
        BROKEN,
        CONFLICT,
        THUMBNAIL,
        ("reuse", "IMAGE_REUSED", 0.7),
        ("capture_time", "IMAGE_TIME_MISMATCH", 0.6),
        ("capture_place", "IMAGE_PLACE_MISMATCH", 0.4),
        ("delivery_kind", "IMAGE_IS_SCREENSHOT", 0.45),
    ],
    ids=lambda finding: finding[1],
)
def test_nothing_that_speaks_against_a_file_alone_accuses_and_none_leaves_it_authentic(finding: tuple[str, str, float]) -> None:
    check = conclude(seen(finding), REAL, CLEAN)
    assert check.verdict is CheckVerdict.UNSURE
    assert check.why
    assert check.ask_for


def test_the_network_with_its_deliveries_may_say_generated() -> None:
    check = conclude(seen(CAMERA), FAKE, CLEAN)
    assert (check.verdict, check.certainty, check.standing_on) == (CheckVerdict.GENERATED, "likely", ("network",))
    assert check.ask_for == (Ask.SECOND_PHOTO, Ask.VIDEO)
    assert "IMAGE_LOOKS_GENERATED" in {finding.code for finding in check.findings}


def test_a_mark_makes_what_the_network_says_more_certain() -> None:
    check = conclude(seen(LABEL), FAKE, CLEAN)
    assert (check.verdict, check.certainty) == (CheckVerdict.GENERATED, "strong")
    assert check.score is not None
    assert check.score > (conclude(seen(), FAKE, CLEAN).score or 1.0)


def test_a_verdict_that_flips_between_deliveries_is_unsure() -> None:
    check = conclude(seen(), doubting(Doubt.DELIVERIES_DISAGREE, score=0.8), CLEAN)
    assert check.verdict is CheckVerdict.UNSURE
    assert check.why == (Why.DELIVERIES_DISAGREE,)
    assert "IMAGE_VERDICT_FLIPS" in {finding.code for finding in check.findings}
    assert check.ask_for[0] is Ask.ORIGINAL_FILE


def test_a_label_that_the_picture_shows_as_well_is_believed() -> None:
    check = conclude(seen(LABEL, VISIBLE), doubting(Doubt.SCORES_BETWEEN), CLEAN)
    assert (check.verdict, check.certainty) == (CheckVerdict.GENERATED, "likely")
    assert check.standing_on == ("aigc_label", "visible_marks")


def test_two_marks_that_the_network_denies_are_unsure() -> None:
    assert conclude(seen(LABEL, VISIBLE), REAL, CLEAN).verdict is CheckVerdict.UNSURE


def test_two_unsigned_marks_of_the_metadata_confirm_nothing_without_a_label() -> None:
    marks = (("iptc_source", "IMAGE_MARKED_GENERATED", 0.6), ("generator_markers", "IMAGE_MARKED_GENERATED", 0.6))
    assert conclude(seen(*marks), doubting(Doubt.SCORES_BETWEEN), CLEAN).verdict is CheckVerdict.UNSURE


def test_a_manifest_that_fits_the_file_is_believed_and_says_how_far() -> None:
    check = conclude(seen(MANIFEST, WHOLE), REAL, CLEAN)
    assert (check.verdict, check.certainty, check.standing_on) == (CheckVerdict.GENERATED, "strong", ("c2pa_manifest",))
    proven = conclude(seen(("c2pa_manifest", "IMAGE_SIGNED_GENERATED", 1.0), WHOLE), REAL, CLEAN)
    assert (proven.verdict, proven.certainty) == (CheckVerdict.GENERATED, "proven")


def test_a_manifest_that_does_not_fit_the_file_proves_nothing() -> None:
    check = conclude(seen(("c2pa_manifest", "IMAGE_MARKED_GENERATED", 0.6), BROKEN), doubting(Doubt.SCORES_BETWEEN), CLEAN)
    assert check.verdict is CheckVerdict.UNSURE
    assert Why.MARKS_CONFLICT in check.why


def test_marks_that_contradict_are_not_believed_but_the_pixels_are() -> None:
    assert conclude(seen(MANIFEST, WHOLE, CONFLICT), REAL, CLEAN).verdict is CheckVerdict.UNSURE
    assert conclude(seen(LABEL, VISIBLE, CONFLICT), doubting(Doubt.SCORES_BETWEEN), CLEAN).verdict is CheckVerdict.UNSURE
    assert conclude(seen(LABEL, CONFLICT), FAKE, CLEAN).verdict is CheckVerdict.GENERATED


def test_the_patch_map_may_say_edited_and_shows_where() -> None:
    check = conclude(seen(CAMERA), REAL, EDITED)
    assert (check.verdict, check.certainty) == (CheckVerdict.EDITED, "likely")
    assert next(finding.region for finding in check.findings if finding.code == "IMAGE_LOOKS_EDITED") == EDITED.region
    assert conclude(seen(EDITOR), REAL, EDITED).certainty == "strong"


def test_an_editor_alone_is_no_offence_and_leaves_a_photo_authentic() -> None:
    assert conclude(seen(EDITOR), REAL, CLEAN).verdict is CheckVerdict.AUTHENTIC


def test_an_editor_whose_edit_the_thumbnail_shows_is_edited() -> None:
    check = conclude(seen(EDITOR, THUMBNAIL), REAL, CLEAN)
    assert (check.verdict, check.standing_on) == (CheckVerdict.EDITED, ("IMAGE_MARKED_EDITED", "capture_camera"))


def test_signed_edits_count_and_signed_crops_do_not() -> None:
    strong, crop = ("c2pa_manifest", "IMAGE_MARKED_EDITED", 0.21), ("c2pa_manifest", "IMAGE_MARKED_EDITED", 0.07)
    assert conclude(seen(strong, WHOLE), REAL, CLEAN).verdict is CheckVerdict.EDITED
    assert conclude(seen(crop, WHOLE), REAL, CLEAN).verdict is CheckVerdict.AUTHENTIC
    retouched = conclude(seen(("c2pa_manifest", "IMAGE_SIGNED_RETOUCHED", 1.0), WHOLE), FAKE, CLEAN)
    assert (retouched.verdict, retouched.certainty) == (CheckVerdict.EDITED, "proven")


def test_a_trusted_camera_against_the_network_is_unsure_and_without_it_authentic() -> None:
    signed = ("c2pa_manifest", "IMAGE_SIGNED_CAPTURED", 0.0)
    check = conclude(seen(signed, WHOLE), FAKE, CLEAN)
    assert (check.verdict, check.why[0]) == (CheckVerdict.UNSURE, Why.SOURCES_DISAGREE)
    assert conclude(seen(signed, WHOLE), doubting(Doubt.SCORES_BETWEEN), CLEAN).certainty == "proven"


def test_what_cannot_be_opened_says_why_and_asks_for_the_original() -> None:
    check = conclude(seen(unreadable="polyglot"), Absent("polyglot"), Absent("polyglot"))
    assert (check.verdict, check.score, check.standing_on) == (CheckVerdict.UNREADABLE, None, ("polyglot",))
    assert check.ask_for == (Ask.ORIGINAL_FILE,)
    assert "polyglot" in next(finding.detail for finding in check.findings if finding.code == "IMAGE_UNREADABLE")
    assert ("network", "polyglot") in check.unavailable


def test_nobody_is_asked_for_an_original_that_is_here_nor_for_a_film_of_a_film() -> None:
    assert conclude(seen(CAMERA), doubting(Doubt.SCORES_BETWEEN), CLEAN).ask_for == (Ask.SECOND_PHOTO,)
    assert Ask.VIDEO not in conclude(seen(kind="video"), FAKE, Absent("not_for_films")).ask_for


def test_a_picture_that_is_too_small_for_the_network_is_listed_as_not_checked() -> None:
    check = conclude(seen(), doubting(Doubt.TOO_SMALL, score=None), Absent("too_small"))
    assert ("network", "too_small") in check.unavailable
    assert Why.TOO_SMALL in check.why


def test_a_weak_guess_about_the_files_way_is_not_said() -> None:
    check = conclude(seen(("delivery_kind", "IMAGE_REDELIVERED", 0.02)), REAL, CLEAN)
    assert "IMAGE_REDELIVERED" not in {finding.code for finding in check.findings}


def test_counts_over_the_order_are_found_and_hold_authentic_back() -> None:
    order = OrderFacts(ordered={"male": 3}, claimed={"male": 2}, observed={"crab.jpg": {"male": 4}, "other.jpg": {"male": 3}})
    over_order = conclude(seen(CAMERA), REAL, CLEAN, order, "crab.jpg")
    assert (over_order.verdict, over_order.why) == (CheckVerdict.UNSURE, (Why.ORDER_MISMATCH,))
    assert [finding.detail for finding in over_order.findings if finding.signal == "order"] == ["4 male counted here, 3 ordered"]
    over_claim = conclude(seen(CAMERA), REAL, CLEAN, order, "other.jpg")
    assert [finding.strength for finding in over_claim.findings if finding.signal == "order"] == [0.3]
    assert conclude(seen(CAMERA), REAL, CLEAN, order, "third.jpg").verdict is CheckVerdict.AUTHENTIC


def test_versions_say_who_spoke() -> None:
    versions = conclude(seen(CAMERA), REAL, CLEAN).versions
    assert versions["network"] == "light-1"
    assert versions["patches"] == "patches-1"
    assert versions["delivery_kind"] == "1"
    assert "network" not in conclude(seen(CAMERA), None, None).versions


def test_scores_of_two_models_are_never_compared() -> None:
    """The same verdict gives the same band, whatever scale the model's score has."""
    timid, bold = replace(FAKE, score=0.55, model="a"), replace(FAKE, score=0.99, model="b")
    assert conclude(seen(), timid, CLEAN).score == conclude(seen(), bold, CLEAN).score
    unsure = replace(doubting(Doubt.SCORES_BETWEEN, score=0.999))
    assert (conclude(seen(), unsure, CLEAN).score or 1.0) < (conclude(seen(), timid, CLEAN).score or 0.0)


findings_drawn = st.lists(
    st.sampled_from([LABEL, VISIBLE, MANIFEST, WHOLE, BROKEN, CONFLICT, CAMERA, THUMBNAIL, EDITOR, ("reuse", "IMAGE_REUSED", 0.7)]), unique=True
)
judged_drawn = st.sampled_from([REAL, FAKE, Absent("not_installed"), None, *(doubting(doubt) for doubt in Doubt)])
anomaly_drawn = st.sampled_from([CLEAN, EDITED, MURKY, Absent("not_installed"), None])


@settings(max_examples=300, deadline=None)
@given(findings_drawn, judged_drawn, anomaly_drawn, st.sampled_from(["photo", "video"]))
def test_every_answer_is_a_full_answer(
    findings: list[tuple[str, str, float]], judged: Judgement | Absent | None, anomaly: Anomaly | Absent | None, kind: str
) -> None:
    check = conclude(seen(*findings, kind=kind), judged, anomaly)
    assert check.score is not None
    low, high = {"authentic": (0.0, 0.3), "unsure": (0.3, 0.7)}.get(check.verdict.value, (0.8, 1.0))
    assert low <= check.score <= high
    assert (check.verdict is CheckVerdict.UNSURE) == bool(check.why)
    assert (check.certainty is None) == (check.verdict is CheckVerdict.UNSURE)
    assert bool(check.ask_for) != (check.verdict is CheckVerdict.AUTHENTIC)
    if check.verdict is CheckVerdict.AUTHENTIC:
        assert judged is REAL
        assert anomaly is CLEAN or anomaly in NOBODY
    if check.verdict is CheckVerdict.GENERATED and judged is not FAKE:
        assert len({LABEL, VISIBLE, MANIFEST} & set(findings)) >= 1 + (MANIFEST not in findings)
    assert check == conclude(seen(*findings, kind=kind), judged, anomaly)
    said(check)


def said(check: Check) -> None:
    """Everything has words in both languages."""
    for language in Language:
        words = [*why_words(check, language), *silent(check, language), *(part for gap in gaps(check, language) for part in gap)]
        assert all(words)
        assert set(sentences(check, language)) == {*(finding.code for finding in check.findings), *(ask.value for ask in check.ask_for)}
        assert all(headings(language).values())
    assert all(re.search(r"[一-鿿]", line) for line in why_words(check, Language.ZH))


def test_every_code_that_may_be_asked_for_has_texts() -> None:
    assert {ask.value for ask in Ask} <= set(REASONS)


@given(st.binary(min_size=32, max_size=32))
def test_the_handwritten_code_is_easy_to_write(digest: bytes) -> None:
    code = handwritten(digest.hex())
    assert len(code) == 5
    assert not set(code) & set("01OIQSZB25G")

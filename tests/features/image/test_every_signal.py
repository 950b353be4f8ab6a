"""Promises that every image signal keeps."""

import pytest

from data_contracts.reason import REASONS
from features.image.examples import camera_jpeg, chunk, jpeg, png
from features.image.measure import SIGNALS, WITH_READING, measure_all, versions
from features.image.picture import Picture
from features.image.signal_kit import Context, Example, Signal

every_signal = pytest.mark.parametrize("signal", WITH_READING, ids=lambda signal: signal.NAME)
every_example = pytest.mark.parametrize(
    ("signal", "example"),
    [(signal, example) for signal in WITH_READING for example in signal.EXAMPLES],
    ids=lambda item: getattr(item, "NAME", None) or item.name,
)


@every_example
def test_an_example_measures_as_it_says(signal: Signal, example: Example) -> None:
    result = signal.measure(Picture(example.make()), example.context)
    assert result.unavailable == example.unavailable
    if result.value is not None:
        assert example.low is not None
        assert example.high is not None
        assert example.low <= result.value <= example.high


@every_signal
def test_it_has_examples_with_and_without_an_answer(signal: Signal) -> None:
    assert {example.unavailable is None for example in signal.EXAMPLES} == {True, False}


@every_example
def test_it_answers_under_its_own_name_with_codes_it_declares(signal: Signal, example: Example) -> None:
    result = signal.measure(Picture(example.make()), example.context)
    assert (result.signal, result.version) == (signal.NAME, signal.VERSION)
    assert {finding.code for finding in result.findings} <= set(signal.CODES)
    assert {finding.signal for finding in result.findings} <= {signal.NAME}


@every_signal
def test_its_codes_have_texts(signal: Signal) -> None:
    assert [code for code in signal.CODES if code not in REASONS] == []


@every_signal
def test_it_opens_with_a_question_and_names_its_false_alarms(signal: Signal) -> None:
    text = (signal.__doc__ or "").strip()
    assert text.splitlines()[0].endswith("?")
    assert "false alarm" in text
    assert "Quality gate" in text


@every_signal
def test_the_same_bytes_measure_the_same(signal: Signal) -> None:
    data = camera_jpeg()
    assert signal.measure(Picture(data), Context()) == signal.measure(Picture(data), Context())


@every_signal
@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", camera_jpeg()[:3000]], ids=["empty", "jpeg head", "png head", "cut"])
def test_bytes_that_are_no_picture_give_no_value_or_say_why(signal: Signal, data: bytes) -> None:
    answer = next(result for result in measure_all(data, Context(), WITH_READING).results if result.signal == signal.NAME)
    assert (answer.value is None) == (answer.unavailable is not None)


def test_names_are_unique_and_versions_are_listed() -> None:
    assert len({signal.NAME for signal in WITH_READING}) == len(WITH_READING)
    assert versions() == {signal.NAME: signal.VERSION for signal in WITH_READING}


def test_all_signals_run_and_what_was_not_possible_is_listed() -> None:
    measured = measure_all(camera_jpeg(), Context(), keep=True)
    assert [result.signal for result in measured.results] == [signal.NAME for signal in SIGNALS]
    assert measured.unavailable["capture_time"] == "no_order"
    assert measured.unavailable["reuse"] == "no_library"
    assert measured.size == (640, 480)
    assert measured.for_query
    assert measured.for_index


def test_a_broken_picture_still_says_what_its_metadata_say() -> None:
    text = chunk(b"tEXt", b"parameters\x00a\nSteps: 20, Sampler: Euler")
    cut = png()[:33] + text + chunk(b"IEND", b"")  # a head and a text, no pixels
    measured = measure_all(cut, Context())
    assert measured.unreadable == "broken"
    assert measured.unavailable["delivery_kind"] == "broken"
    assert {result.signal: result.value for result in measured.results}["generator_markers"] == 0.6


def test_a_picture_of_too_many_pixels_is_not_decoded() -> None:
    data = bytearray(jpeg())
    place = data.find(b"\xff\xc0")
    data[place + 5 : place + 9] = b"\xff\xff\xff\xff"
    assert measure_all(bytes(data), Context()).unreadable == "too_many_pixels"

from hashlib import blake2b

import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.link import LINK_TYPES, EntityType
from graph.entities import NOBODY, OPAQUE, normaliser, one_form
from graph.normalise import Normal, Outcome, address, card, ip, phone, spelled
from graph.templates import ALIKE, LONG_ENOUGH, Templates, reduced, template_id


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 High Street, Apt. 4B", "12 HIGH ST  apartment 4 b"),
        ("Königstraße 7", "Koenigstrasse 7"),
        ("上海市 南京路 100 号", "上海市南京路100号"),
        ("５ North Avenue", "5 n. ave"),
    ],
)
def test_forms_of_one_address_are_one(one: str, other: str) -> None:
    assert address(one) == address(other)
    assert address(one).outcome is Outcome.KEPT


def test_other_houses_are_other_addresses() -> None:
    assert address("12 High Street") != address("13 High Street")
    assert address("12 High Street unit 1") != address("12 High Street unit 2")
    assert address("High Street").outcome is Outcome.WEAK


def test_one_telephone_number_has_one_form() -> None:
    assert phone("+86 138 0013 8000", "DE") == phone("013800138000", "CN") == phone("１３８００１３８０００", "CN")
    assert phone("000000000", "CN").outcome is Outcome.PLACEHOLDER
    assert phone("1294", "CN").outcome is Outcome.MALFORMED


def test_an_ipv6_customer_is_a_prefix_and_private_addresses_are_nobody() -> None:
    assert ip("2a00:1450:4001:81b::200e") == ip("2A00:1450:4001:081B:ffff::1")
    assert ip("::ffff:8.8.8.8") == ip("8.8.8.8")
    assert {ip(text).outcome for text in ("10.0.0.1", "192.168.1.7", "127.0.0.1", "fe80::1")} == {Outcome.PLACEHOLDER}
    assert ip("8.8.1.999").outcome is Outcome.MALFORMED


def test_cards_need_their_check_digit_and_masks_are_weak() -> None:
    assert card("4111 1111 1111 1111").outcome is Outcome.KEPT
    assert card("4111 1111 1111 1112").outcome is Outcome.MALFORMED
    assert card("411111******1111") == card("41111122XXXX1111")
    assert card("**** 1111").value is None


@pytest.mark.parametrize("raw", ["", "  ", "unknown", "N/A", "0000", "00000000-0000-0000-0000-000000000000", "123456", "null", "无", "-", "xxx"])
@pytest.mark.parametrize("kind", LINK_TYPES)
def test_placeholders_link_nobody(kind: EntityType, raw: str) -> None:
    if kind is EntityType.TEXT:
        return
    found = one_form(kind, raw, "CN")
    assert found.value is None
    assert found.outcome in NOBODY


@given(st.sampled_from(LINK_TYPES), st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_text_has_an_outcome_and_one_form_stays_one_form(kind: EntityType, raw: str) -> None:
    read = normaliser(kind, "CN")
    found = read(raw)
    assert read(raw) == found
    assert (found.value is not None) is (found.outcome in {Outcome.KEPT, Outcome.WEAK})
    hashed = one_form(kind, raw, "CN")
    assert hashed == (found if found.outcome is not Outcome.MALFORMED else Normal(OPAQUE + spelled(raw), Outcome.MALFORMED))
    assert (hashed.value is None) is (hashed.outcome in NOBODY)


@given(st.text(st.characters(max_codepoint=127)))
def test_plain_letters_are_spelled_as_any_others(text: str) -> None:
    assert spelled(text) == spelled(f"{text} é").removesuffix("e").rstrip()


def test_names_numbers_and_small_edits_leave_a_text_its_template() -> None:
    templates = Templates()
    script = "I checked with the carrier and the parcel 12345 never arrived at my door, kindly refund to the original payment method"
    first = templates.id_of(f"Hello Anna, {script}. Kind regards, Tom")
    assert templates.id_of(f"Dear shop, {script.replace('12345', '98-77')}!! Thanks, Maria Lopez") == first
    assert templates.id_of(f"{script.replace('kindly', 'please')}") == first
    assert templates.id_of("The lamp came without its shade and the cable is much too short for my room") != first
    assert templates.id_of("item broken") == templates.id_of("Item BROKEN!")
    assert templates.id_of("item broken") != templates.id_of("item missing")
    assert templates.ids_of([None, " ... "]) == [None, None]


@given(st.lists(st.lists(st.sampled_from(["lamp", "kettle", "came", "broken", "without", "its", "shade", "12", "cable"]), max_size=14), max_size=30))
def test_likeness_is_found_as_the_library_finds_it(texts: list[list[str]]) -> None:
    index, founded = MinHashLSH(threshold=0.5, num_perm=128), dict[str, MinHash]()
    templates = Templates()
    for words in (reduced(" ".join(each)) for each in texts):
        name = templates.id_of(words)
        if len(words) < LONG_ENOUGH:
            continue
        letters = words.replace(" ", "")
        sketch = MinHash(num_perm=128, hashfunc=lambda run: int.from_bytes(blake2b(run, digest_size=4).digest(), "little"))
        sketch.update_batch({letters[at : at + 4].encode() for at in range(len(letters) - 3)})
        like = [each for each in founded if each in index.query(sketch) and founded[each].jaccard(sketch) >= ALIKE]
        assert name == (like[0] if like else template_id(words))
        if name == template_id(words) and name not in founded:
            founded[name] = sketch
            index.insert(name, sketch)


def test_a_service_keeps_so_many_templates_and_forgets_the_oldest() -> None:
    script = "I checked with the carrier and the parcel never arrived at my door, kindly refund to the original payment method"
    others = [f"the {word} came without its shade and its {word} cable is much too short for {word}" for word in ("lamp", "kettle", "mirror")]
    few, all_of_them = Templates(2), Templates()
    for each in (few, all_of_them):
        first = each.id_of(script)
        each.ids_of(others)
        assert each.id_of(script) == first, "a forgotten text founds its own template again"
    assert len({few.id_of(other) for other in others}) == len({all_of_them.id_of(other) for other in others})
    near = script.replace("kindly", "please")
    few.ids_of(others)
    assert all_of_them.id_of(near) == all_of_them.id_of(script)
    assert few.id_of(near) != all_of_them.id_of(near), "what it was like is forgotten"

"""The arithmetic behind contradictions, in words: what an analyst can check with a pencil."""

from collections.abc import Mapping

from data_contracts.request import OrderLine
from data_contracts.snapshot import Snapshot
from features.catalog import ATTRIBUTE, by_name
from features.claim_columns import fact_of
from features.claim_tables import OBSERVERS
from features.streams import in_currency

MOST_NAMED = 5
"""Earlier uses of a picture that a finding names."""

DURATIONS = ("seconds", "hours", "days")
"""Units that the words of a feature do not say."""

_RANK = {observer: rank for rank, observer in enumerate(OBSERVERS)}


def details(seen: Snapshot) -> Mapping[str, str]:
    """By feature name, the numbers of this request; only for features that have something to add up."""
    return {**_evidence(seen), **_reuse(seen), **_quantities(seen), **_amounts(seen)}


def plainly(feature: str, value: float, limit: float) -> str:
    """What a feature is in the catalogue's words, its value here, and from which value on it is looked at; a shop's own column by its name."""
    known = by_name.get(feature)
    if known is None:
        return f"The shop's {feature.removeprefix(ATTRIBUTE)}: {value:g} (limit {limit:g})"
    if known.unit == "0 or 1":
        return known.meaning
    if known.unit == "minor units":
        return f"{known.meaning}: {value / 100:.2f} (limit {limit / 100:.2f})"
    return f"{known.meaning}: {value:.4g}{f' {known.unit}' if known.unit in DURATIONS else ''} (limit {limit:g})"


def observed(seen: Snapshot) -> dict[str, dict[str, int]]:
    """What each piece of evidence shows, by attribute: what its most neutral observer counted."""
    best: dict[tuple[str, str], tuple[int, int]] = {}
    for each in seen.observations:
        key, counted = (each.evidence_id, each.attribute), (_RANK[each.observer], each.count)
        if key not in best or counted[0] < best[key][0]:
            best[key] = counted
    shown: dict[str, dict[str, int]] = {}
    for (evidence_id, attribute), (_, count) in best.items():
        shown.setdefault(evidence_id, {})[attribute] = count
    return shown


def _evidence(seen: Snapshot) -> dict[str, str]:
    """Each piece of evidence may fit the claim while all of them together cannot."""
    shown = observed(seen)
    if not shown:
        return {}
    needed: dict[str, int] = {}
    for counts in shown.values():
        for attribute, count in counts.items():
            needed[attribute] = max(needed.get(attribute, 0), count)
    worst = max(_by_fact(needed).values(), key=lambda sort: sum(sort.values()))
    claimed = sum(line.quantity for line in seen.claim_lines)
    pieces = "; ".join(f"{evidence_id} shows {_counts(counts, ', ')}" for evidence_id, counts in shown.items())
    together = f"{_counts(worst, ' + ')} = {sum(worst.values())} needed, {claimed} claimed"
    ordered = _by_attribute(seen.order_lines)
    named = _by_fact(ordered)
    over = [
        f"{count} {attribute} shown, {ordered.get(attribute, 0)} ordered"
        for attribute, count in needed.items()
        if fact_of(attribute) in named and count > ordered.get(attribute, 0)
    ]
    apart = [", ".join(sort) for fact, sort in _by_fact(needed).items() if fact is not None and len(sort) > 1]
    return {
        "observed_over_claimed": f"{together} ({pieces})",
        "observed_disagreement": pieces,
        **({"observed_facts_disagreement": f"{'; '.join(apart)} ({pieces})"} if apart else {}),
        **({"observed_over_ordered": "; ".join(over)} if over else {}),
    }


def _reuse(seen: Snapshot) -> dict[str, str]:
    """Which piece shows which earlier picture, and whose that was."""
    said = [
        f"{each.evidence_id} shows "
        + (
            f"the picture known as {each.origin}"
            if each.origin
            else f"a picture of request {each.request_id}" + (f" ({each.account_id})" if each.account_id else "")
        )
        + ("" if each.form == "same_file" else f", {each.distance} of 256 bits differ, recognised {each.form.replace('_', ' ')}")
        for each in seen.reuses[:MOST_NAMED]
    ]
    more = len(seen.reuses) - MOST_NAMED
    return {"reuse_max": "; ".join([*said, *([f"and {more} more"] if more > 0 else [])])} if said else {}


def _quantities(seen: Snapshot) -> dict[str, str]:
    """Lines on which more is claimed than was ordered, in all or of one kind."""
    lines = {line.line_no: line for line in seen.order_lines}
    more, kinds, unknown = [], [], []
    for claimed in seen.claim_lines:
        line = lines.get(claimed.line_no)
        if line is None:
            unknown.append(str(claimed.line_no))
            continue
        if claimed.quantity > line.quantity:
            more.append(f"line {claimed.line_no}: {claimed.quantity} claimed, {line.quantity} ordered")
        for attribute, count in (claimed.counts or {}).items():
            of_kind = (line.counts or {}).get(attribute, 0)
            if line.counts and count > of_kind:
                kinds.append(f"line {claimed.line_no}: {count} {attribute} claimed, {of_kind} ordered")
    found = {"claimed_quantity_excess": more, "claimed_attribute_excess": kinds}
    said = {name: "; ".join(parts) for name, parts in found.items() if parts}
    if unknown:
        said["claimed_unknown_lines"] = f"claimed lines {', '.join(unknown)}; the order has {', '.join(map(str, sorted(lines)))}"
    return said


def _amounts(seen: Snapshot) -> dict[str, str]:
    """The amount claimed beside what the order cost."""
    claimed = in_currency(seen.request.amount_minor, seen.request.currency, seen.currency)
    ordered = None if seen.order is None else in_currency(seen.order.amount_minor, seen.order.currency, seen.currency)
    if claimed is None or ordered is None or claimed <= ordered:
        return {}
    return {"claimed_amount_excess": f"{claimed / 100:.2f} claimed, the order cost {ordered / 100:.2f}"}


def _by_attribute(lines: tuple[OrderLine, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        for attribute, count in (line.counts or {}).items():
            found[attribute] = found.get(attribute, 0) + count
    return found


def _by_fact(counts: Mapping[str, int]) -> dict[str | None, dict[str, int]]:
    """Counts that may be added up: the plain kinds, and the values of each fact."""
    found: dict[str | None, dict[str, int]] = {}
    for attribute, count in counts.items():
        found.setdefault(fact_of(attribute), {})[attribute] = count
    return found


def _counts(counts: Mapping[str, int], between: str) -> str:
    return between.join(f"{count} {attribute}" for attribute, count in counts.items())

"""The spine: one refund request in, one recorded decision out. Read this file first.

`gather` reads, `features` computes, `judge` scores and decides, the ledger writes; nothing else happens here. Questions that wait together are read
and written together, so that one commit serves them all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data_contracts.errors import ConflictError, SourceUnavailableError
from data_contracts.question import Question
from features.online import compute
from risk.gather import Gatherer, UnmeasuredError
from risk.judge import About, Champion, judge, record_of
from risk.ledger import Entry, Ledger, OvertakenError, Recorded, before, matching
from risk.reads import Reads
from risk.stopwatch import Stopwatch
from risk.stores.turns import NOBODY
from risk.terms import Policy

TRIES = 3
"""How often a question is read again because another worker was first with its order or its account."""

Outcomes = dict[str, Recorded | Exception]


@dataclass(frozen=True, slots=True)
class Engine:
    """Built once at start-up. `champion` is null while no model is installed: then every decision is a review."""

    source: Gatherer
    champion: Champion | None
    policy: Policy
    ledger: Ledger

    def handle(self, question: Question) -> Recorded:
        """Decide, and record everything the decision was made from. Asked again, the recorded decision comes back.

        ConflictError: the identity is taken by another payload. SourceUnavailableError: the database does not answer; nothing was changed.
        """
        outcome = self.handle_all([question])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def handle_all(self, questions: Sequence[Question]) -> list[Recorded | Exception]:
        """The same for several, in their order: each sees the ones before, and has its answer or its error."""
        return [outcome for some in apart(questions) for outcome in self._together(some)]

    def _together(self, questions: Sequence[Question], tries: int = TRIES) -> list[Recorded | Exception]:
        outcomes: Outcomes = {}
        try:
            self._decide(questions, outcomes)
        except SourceUnavailableError as error:  # what was decided before is told all the same
            return [outcomes.get(question.request.request_id, error) for question in questions]
        except Exception as error:  # noqa: BLE001  # alone, the question that deserves it gets the error, and no other
            if tries == 0 or (len(questions) == 1 and not isinstance(error, OvertakenError)):
                return [error] * len(questions)
            return [outcome for question in questions for outcome in self._together([question], tries - 1)]
        return [outcomes[question.request.request_id] for question in questions]

    def _decide(self, questions: Sequence[Question], outcomes: Outcomes) -> None:
        """Read once, decide one after the other, write once; `outcomes` takes what is sure. No two of the questions are of one request."""
        watch = Stopwatch()
        with self.ledger.database.reading() as connection:  # the only reads
            decided = self.ledger.decided(connection, questions)
            fresh = [question for question in questions if not _answered(question, decided, outcomes)]
            reads = self.source.read(connection, fresh)
        watch.lap("gather")
        entries: list[Entry] = []
        for question in fresh:
            try:
                entries.append(self._judged(question, reads, before(question, decided), watch.share(len(fresh))))
            except (ConflictError, UnmeasuredError) as error:
                outcomes[question.request.request_id] = error
        outcomes.update((each.request_id, each) for each in self._keep(entries))

    def _judged(self, question: Question, reads: Reads, supersedes: str | None, watch: Stopwatch) -> Entry:
        """One question decided; what is asked after it sees it. ConflictError, UnmeasuredError: as `gather` says."""
        seen = self.source.snapshot(reads, question)
        watch.lap("gather")
        facts = compute(seen)
        watch.lap("features")
        judged = judge(self.champion, facts, seen, self.policy, len(question.awaiting))
        watch.lap("decide")
        adds = self.source.added(reads, question, seen)
        about = About(self.champion.version if self.champion else "none", supersedes, watch.laps_ms)
        return Entry(record_of(question, seen, facts, judged, about), adds)

    def _keep(self, entries: Sequence[Entry]) -> list[Recorded]:
        """The only write. What was added in memory is forgotten when it fails."""
        if not entries:
            return []
        try:
            return self.ledger.append_all(entries, NOBODY if entries[0].added.question.again else self.source.feed.signature)
        except BaseException:
            self.source.forget()
            raise


def apart(questions: Sequence[Question]) -> Iterator[list[Question]]:
    """Questions in their order, cut where one is about a request, an order or an account of one before, or was decided already."""
    if len(questions) == 1:
        yield [*questions]
        return
    some: list[Question] = []
    named: set[tuple[str, str | None]] = set()
    for question in questions:
        request = question.request
        names = {("request", request.request_id), ("order", request.order_id), ("account", request.account_id)} - {("order", None), ("account", None)}
        if some and (question.again or some[-1].again or names & named):
            yield some
            some, named = [], set()
        some.append(question)
        named |= names
    if some:
        yield some


def _answered(question: Question, decided: dict[str, list[Recorded]], outcomes: Outcomes) -> bool:
    """Whether the ledger has an answer, or an error, for this question."""
    name = question.request.request_id
    try:
        recorded = matching(question, decided.get(name, []))
    except ConflictError as error:
        outcomes[name] = error
        return True
    if recorded is not None:
        outcomes[name] = recorded
    return recorded is not None

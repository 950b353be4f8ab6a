"""Logs: one JSON object a line, with a level, the process, and the call on whose behalf it was said."""

import json
import re
from pathlib import Path

from tests.risk.stories import plain_body
from tests.service.load import SCORE
from tests.service.processes import a_process


def test_every_line_names_its_call_and_the_answer_says_which(tmp_path: Path) -> None:
    with a_process(tmp_path / "home") as service:
        with service.client() as client:
            one = client.post(SCORE, json=plain_body("one"), headers={"X-Call-Id": "13800138000", "X-Request-Id": "13800138000"})
            other = client.post(SCORE, json={})
        lines = [json.loads(line) for line in service.said.read_text(encoding="utf-8").splitlines()]
    assert [answer.status_code for answer in (one, other)] == [200, 422]
    ids = [answer.headers["X-Call-Id"] for answer in (one, other)]
    assert len(set(ids)) == 2
    assert all(re.fullmatch("[0-9a-f]{16}", each) for each in ids)
    said = {line["event"]: line for line in lines}
    assert said["decision_made"]["call_id"] == ids[0]
    assert said["request_refused"]["call_id"] == ids[1]
    assert all({"level", "timestamp", "event", "process"} <= set(line) for line in lines)
    assert "13800138000" not in json.dumps(lines)

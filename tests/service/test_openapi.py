"""The whole OpenAPI document against the running service: what it says is what is answered, and nothing that can be said makes it fail."""

import os
import subprocess
import sys
from pathlib import Path

from tests.risk.servers import Running, running

HERE = Path(__file__).parent
EXAMPLES = int(os.environ.get("REFUND_RISK_TEST_EXAMPLES", "10"))
"""Calls an operation that chance makes up; those that boundaries make up are always the same. More: REFUND_RISK_TEST_EXAMPLES=500."""
LONGEST_S = "60"
"""How long an answer may take before it counts as one that does not come. The check of response times has the same limit, so that it finds nothing of
its own: on a busy machine ten seconds prove nothing."""


def contradictions(service: Running, folder: Path) -> str:
    """What schemathesis found, empty where every check of every operation held."""
    command = [str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "--no-color", "run"]
    command += [f"{service.server.started.address}/openapi.json", "--header", f"Authorization: Bearer {service.key}"]
    command += ["--phases", "examples,coverage,fuzzing", "--checks", "all", "--max-examples", str(EXAMPLES), "--generation-deterministic"]
    command += ["--continue-on-failure", "--no-shrink", "--request-timeout", LONGEST_S, "--max-response-time", LONGEST_S, "--warnings", "off"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=280 + 5 * EXAMPLES)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_service_is_what_its_document_says(tmp_path: Path) -> None:
    with running(tmp_path / "home") as service:
        found = contradictions(service, tmp_path)
        assert not found, found
        asked = service.stranger.get("/metrics").text
        assert 'refund_risk_errors_total{status="500"}' not in asked
        assert 'refund_risk_errors_total{status="422"}' in asked, "it was not even asked"

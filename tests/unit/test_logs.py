"""What a log line shows of an error: the trace, and nothing of what the variables held."""

import subprocess
import sys

CODE = """
import structlog
from frontdesk.core.logs import configure
configure()
def fail(secret):
    raise RuntimeError("it broke")
try:
    fail("sk-canary")
except RuntimeError:
    structlog.get_logger().exception("request failed", path="/x")
"""


def test_a_trace_holds_no_local_variables() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert "it broke" in run.stderr
    assert "request failed" in run.stderr
    assert "sk-canary" not in run.stderr.replace('fail(\\"sk-canary\\")', "")
    assert run.stdout == ""

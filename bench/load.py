"""A closed loop of HTTP requests by wrk, which is never the bottleneck: C, one thread, keep-alive."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Ids and bodies change with each request, so that no side can answer twice from the same place.
SCRIPT = """
local first, count, n = {first}, {count}, 0
wrk.headers["x-api-key"] = {key}
wrk.headers["content-type"] = "application/json"
function request()
  n = n + 1
  {body}
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %f %f\\n", summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration / 1e6, latency:percentile(99) / 1e3))
end
"""
BODIES: Mapping[str, str] = {
    "get": 'return wrk.format("GET", "/contacts/" .. (first + (n * 7919) % count))',
    "list": 'return wrk.format("GET", "/contacts?$limit=50&$skip=" .. (n * 7) % (count - 50))',
    "post": """return wrk.format("POST", "/contacts", nil, string.format(
    '{"first_name":"Ana","last_name":"Torres %d","email":"ana%d@example.com","phone":"5550102030",'
    .. '"phone_country_code":"+1","phone_country_iso":"US","avatar_url":"https://example.com/%d.png"}', n, n, n))""",
}


@dataclass(frozen=True)
class Load:
    """What one round brought: requests, seconds, and the 99th percentile in ms."""

    requests: int
    seconds: float
    p99: float


def missing() -> str | None:
    """Why no load can be made; None when it can."""
    return None if shutil.which("wrk") else "wrk is missing (Debian and Ubuntu: apt install wrk)"


def run_load(url: str, operation: str, key: str, ids: range, folder: Path, seconds: int, connections: int) -> Load:
    """One round against `url`. Raises RuntimeError when any answer was not a success."""
    script = folder / f"{operation}.lua"
    script.write_text(
        SCRIPT.replace("{first}", str(ids.start))
        .replace("{count}", str(len(ids)))
        .replace("{key}", json.dumps(key))
        .replace("{body}", BODIES[operation])
    )
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+)$", done.stdout, re.MULTILINE)
    if not found or int(found[2]) or int(found[3]) or not int(found[1]):
        raise RuntimeError(f"{operation} on {url} failed:\n{done.stdout}{done.stderr}")
    return Load(int(found[1]), float(found[4]), float(found[5]))

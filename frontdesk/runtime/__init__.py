"""The rules of a turn: who may speak, what the model sees, what leaves as a reply."""

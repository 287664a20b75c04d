"""What an assistant can do: internal tools over the door, and the wrappers that are around all tools alike."""

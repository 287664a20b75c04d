"""Channels: one file each. A channel knows the core and nothing else."""

"""Frontdesk: the open, self-hosted platform on which a business runs its AI assistants."""

__version__ = "0.1.0"

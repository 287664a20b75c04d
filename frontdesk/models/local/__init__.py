"""The built-in model: a small one on this machine's processor, so that a newcomer needs no key. Guarded accordingly."""

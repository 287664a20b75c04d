"""Model providers: which model answers, with which key, and the two that are ours (built-in, scripted)."""

"""The schema of experiments: ladders, methods, what the sections of settings share, and a user's own code."""

"""The sealed bench: scores a weak-to-strong method of one file, which never sees the truth (docs/bench.md)."""

"""Easy-to-hard generalization (Appendices C.2 and C.3)."""

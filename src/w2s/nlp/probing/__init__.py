"""Linear probes on features (Section 5.2.3, Appendices D.2 and E.1)."""

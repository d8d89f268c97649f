"""The structure of supervisors' errors (Appendix E)."""

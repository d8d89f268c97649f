"""What an experiment amounts to, as pages that open offline: ``claims``, the verdicts on the paper's claims."""

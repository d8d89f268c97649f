"""Self-contained HTML pages about experiments (verdicts, reports, comparisons), and the documentation's gallery."""

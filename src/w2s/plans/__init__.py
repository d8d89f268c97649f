"""The run graphs of settings beside NLP; ``w2s.plan`` has what they share, and that of NLP."""

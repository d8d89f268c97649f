"""Chess (Section 1.3 and Appendix A.2): games to pretrain on, puzzles to finetune on, and how both become text."""

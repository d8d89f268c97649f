"""Base models: the corpus and tokenizer of an own ladder, its pretraining, and heads for finetuning."""

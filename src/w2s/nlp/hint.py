"""Label hints: texts that end (or begin) with another model's label, as in Appendix E.3."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from w2s.config.schema import Rate, Strict
from w2s.config.section import refuse_twice


class LabelHint(Strict):
    """The hint in every text, and how long models train with it."""

    prompt: str = "I think this is {label}. What do you think?"
    words: tuple[str, str] = ("incorrect", "correct")  # {label} for a prediction of class 0, of class 1
    place: Literal["end", "start"] = "end"  # of the text
    epochs: Rate | None = None  # as all runs by default; small models need more to learn to use the hint

    @field_validator("prompt")
    @classmethod
    def _has_a_place(cls, prompt: str) -> str:
        if prompt.count("{label}") != 1:
            raise ValueError(f"{prompt!r} is not allowed; it should have one {{label}}")
        return prompt

    @model_validator(mode="after")
    def _words_differ(self) -> LabelHint:
        refuse_twice("words", self.words)
        return self

"""Texts that end (or begin) in what another model thinks of them: how it is said, and how long that is trained on."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from w2s.config.schema import Rate, Strict
from w2s.config.section import refuse_twice


class Told(Strict):
    """What stands in every text beside what is asked."""

    prompt: str = "I think this is {label}. What do you think?"
    words: tuple[str, str] = ("incorrect", "correct")  # {label} for a prediction of class 0, of class 1
    place: Literal["end", "start"] = "end"  # of the text
    epochs: Rate | None = None  # as all runs by default; small models need more until they read what they are told

    @field_validator("prompt")
    @classmethod
    def _has_a_place(cls, prompt: str) -> str:
        if prompt.count("{label}") != 1:
            raise ValueError(f"{prompt!r} is not allowed; it should have one {{label}}")
        return prompt

    @model_validator(mode="after")
    def _words_differ(self) -> Told:
        refuse_twice("words", self.words)
        return self

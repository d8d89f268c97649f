"""Progress of a long loop: share done, speed and time left, one line now and then."""

from __future__ import annotations

import time

EVERY_SECONDS = 5.0


class Progress:
    """Prints "40% | 1,234 examples/s | 12 s left | loss 0.61" every few seconds, and at the end."""

    def __init__(self, steps: int, unit: str, *, start: int = 0) -> None:
        self.steps, self.unit, self.start = steps, unit, start
        self.began = self.printed = time.monotonic()
        self.units = 0

    def update(self, step: int, units: int, remark: str = "") -> None:
        """step: steps done so far; units: how many examples or tokens the last one took."""
        self.units += units
        now = time.monotonic()
        if now - self.printed < EVERY_SECONDS and step < self.steps:
            return
        self.printed = now
        left = (now - self.began) / max(1, step - self.start) * (self.steps - step)
        print(
            f"{step / self.steps:4.0%} | {_speed(self.speed)} {self.unit}/s | {_time(left)} left | {remark}",
            flush=True,
        )

    @property
    def speed(self) -> float:
        """Units a second since the loop began in this process, evaluations included."""
        return self.units / max(time.monotonic() - self.began, 1e-9)


def _speed(units: float) -> str:
    return f"{units:,.0f}" if units >= 10 else f"{units:.2g}"


def _time(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"

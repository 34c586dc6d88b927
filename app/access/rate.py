"""Limit how often something may happen, with the generic cell rate algorithm (GCRA)."""


class Rate:
    """Allows ``per_s`` events a second, and up to ``burst`` at once after a quiet time.

    The state is one number, the theoretical arrival time (ITU-T I.371, annex A): when the next event would be due if
    all came at even distances. An event may come earlier than that by the time of ``burst - 1`` events.
    """

    def __init__(self, per_s: float, burst: int) -> None:
        self.per_s = per_s
        self.burst = burst
        self._interval_s = 1 / per_s
        self._tolerance_s = self._interval_s * (burst - 1)
        self._due_s = float("-inf")

    def take(self, now_s: float) -> float:
        """Take an event and return 0, or take none and return the seconds after which there will be one."""
        due_s = max(self._due_s, now_s)
        wait_s = due_s - now_s - self._tolerance_s
        if wait_s > 0:
            return wait_s
        self._due_s = due_s + self._interval_s
        return 0.0

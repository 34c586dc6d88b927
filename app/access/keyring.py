"""The keys that hold now: who calls with a secret, whether they may, and whether they are over their rate."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from app.access.key_file import Key, Scope
from app.access.rate import Rate
from app.errors import KeyMissingError, KeyUnknownError, RateExceededError, ScopeMissingError

MAX_SECRET_BYTES = 256  # a longer one is not hashed


class Caller:
    """Whoever has the keys of one name: the rate of their requests, and how many slots these hold.

    Attributes:
        name: that of the keys.
        held: slots that requests of the caller hold or wait for; app.processing.admission counts them.
        max_share: the part of all slots that this may be.
    """

    def __init__(self, key: Key) -> None:
        self.name = key.name
        self.held = 0
        self._rate: Rate | None = None
        self.update(key)

    def update(self, key: Key) -> None:
        """Take over the limits of a key; an unchanged rate goes on where it was."""
        self.max_share = key.max_share
        if key.rate is None:
            self._rate = None
        elif self._rate is None or (self._rate.per_s, self._rate.burst) != (key.rate, key.burst):
            self._rate = Rate(key.rate, key.burst)

    def take_turn(self, now_s: float) -> None:
        """Count a request at the time ``now_s``.

        Raises:
            RateExceededError: it comes too early.
        """
        if self._rate is not None and (wait_s := self._rate.take(now_s)) > 0:
            raise RateExceededError(
                f"The key allows {self._rate.per_s:g} requests a second, and {self._rate.burst} at once.",
                retry_after_s=math.ceil(wait_s),
            )


@dataclass(frozen=True)
class Grant:
    """What a key gives: a caller, and the scopes of the key."""

    caller: Caller
    scopes: frozenset[Scope]


class Keyring:
    """Finds keys by the digests of their secrets; for use on one event loop."""

    def __init__(self, keys: Iterable[Key], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self.replace(keys)

    def replace(self, keys: Iterable[Key]) -> None:
        """Let other keys hold from now on; callers that stay keep their state."""
        before, self._callers = self._callers, {}
        grants: dict[bytes, Grant] = {}
        for key in keys:
            caller = self._callers.get(key.name) or before.get(key.name) or Caller(key)
            caller.update(key)
            self._callers[key.name] = caller
            grants[bytes.fromhex(key.sha256)] = Grant(caller, frozenset(key.scopes))
        self._grants = grants

    def find(self, secret: bytes | None) -> Grant:
        """Return what a secret gives.

        The look-up is by digest, so that its time tells nothing about other secrets.

        Raises:
            KeyMissingError: there is no secret.
            KeyUnknownError: it belongs to no key.
        """
        if not secret:
            raise KeyMissingError("The request has no key; send one as `X-API-Key`, or as `Authorization: Bearer`.")
        grant = self._grants.get(sha256(secret).digest()) if len(secret) <= MAX_SECRET_BYTES else None
        if grant is None:
            raise KeyUnknownError("The service does not know this key.")
        return grant

    def check(self, grant: Grant, scope: Scope) -> None:
        """Check that a key is for ``scope``, and count a request against its rate.

        Raises:
            ScopeMissingError: it is not.
            RateExceededError: it has come too early.
        """
        if scope not in grant.scopes:
            raise ScopeMissingError(f"The key has no scope {scope!r}.", names=sorted(grant.scopes))
        grant.caller.take_turn(self._clock())

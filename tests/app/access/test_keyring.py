"""Who a secret belongs to, and what it may do."""

import pytest

from app.access.key_file import Key, digest
from app.access.keyring import MAX_SECRET_BYTES, Keyring
from app.errors import KeyMissingError, KeyUnknownError, RateExceededError, ScopeMissingError


class Clock:
    """Stands still until it is set."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make_key(secret: str, name: str = "shop", **values: object) -> Key:
    return Key(name=name, sha256=digest(secret), **values)


def call(keyring: Keyring, secret: bytes = b"old") -> None:
    keyring.check(keyring.find(secret), "denoise")


def test_a_secret_names_its_caller() -> None:
    keyring = Keyring([make_key("old"), make_key("other", "clinic")])
    assert keyring.find(b"other").caller.name == "clinic"


@pytest.mark.parametrize("secret", [None, b""])
def test_no_secret_is_no_key(secret: bytes | None) -> None:
    with pytest.raises(KeyMissingError):
        Keyring([make_key("old")]).find(secret)


@pytest.mark.parametrize("secret", [b"odl", b"old ", b"\xff", digest("old").encode()])
def test_any_other_secret_is_unknown(secret: bytes) -> None:
    with pytest.raises(KeyUnknownError) as caught:
        Keyring([make_key("old")]).find(secret)
    assert repr(secret)[2:-1] not in str(caught.value)


def test_a_secret_that_is_too_long_is_unknown_even_if_its_digest_is_known() -> None:
    secret = "x" * (MAX_SECRET_BYTES + 1)
    with pytest.raises(KeyUnknownError):
        Keyring([make_key(secret)]).find(secret.encode())


def test_a_key_without_the_scope_is_refused_and_takes_nothing_from_its_rate() -> None:
    keyring = Keyring([make_key("old", scopes=("denoise",), rate=1)], clock=Clock())
    with pytest.raises(ScopeMissingError):
        keyring.check(keyring.find(b"old"), "metrics")
    call(keyring)


def test_over_the_rate_whole_seconds_are_told() -> None:
    clock = Clock()
    keyring = Keyring([make_key("old", rate=0.4, burst=2)], clock=clock)
    call(keyring)
    call(keyring)
    with pytest.raises(RateExceededError) as caught:
        call(keyring)
    assert caught.value.retry_after_s == 3
    clock.now_s += 3
    call(keyring)


def test_keys_of_one_name_share_its_rate_and_others_do_not() -> None:
    keyring = Keyring(
        [make_key("old", rate=1), make_key("new", rate=1), make_key("x", "clinic", rate=1)], clock=Clock()
    )
    call(keyring, b"old")
    call(keyring, b"x")
    with pytest.raises(RateExceededError):
        call(keyring, b"new")


def test_a_key_that_replaces_another_goes_on_with_its_rate_and_its_slots() -> None:
    keyring = Keyring([make_key("old", rate=1)], clock=Clock())
    call(keyring)
    caller = keyring.find(b"old").caller
    caller.held = 3
    keyring.replace([make_key("new", rate=1, max_share=0.25)])
    with pytest.raises(KeyUnknownError):
        keyring.find(b"old")
    assert keyring.find(b"new").caller is caller
    assert (caller.held, caller.max_share) == (3, 0.25)
    with pytest.raises(RateExceededError):
        call(keyring, b"new")


def test_a_rate_can_be_changed_and_lifted() -> None:
    keyring = Keyring([make_key("old", rate=1)], clock=Clock())
    call(keyring)
    keyring.replace([make_key("old", rate=2, burst=2)])
    call(keyring)
    call(keyring)
    keyring.replace([make_key("old")])
    for _ in range(10):
        call(keyring)

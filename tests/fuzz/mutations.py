"""Change files at random, as they might be damaged, cut off or forged."""

import random
from collections.abc import Callable, Sequence

MAX_CHANGES = 6
PIECE_BYTES = 64
NUMBERS = [
    b"\0",
    b"\x01",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\0",
    b"\xff\xff",
    b"\x7f\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
]

Change = Callable[[bytes, int, random.Random], bytes]  # of a file, at a position


def mutate(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """Return one of the seeds with a few changes; a third of them take in another seed or are cut off."""
    data = rng.choice(seeds)
    for _ in range(rng.randint(1, MAX_CHANGES)):
        data = rng.choice(SMALL)(data, rng.randrange(len(data) + 1), rng)
    at = rng.randrange(len(data) + 1)
    match rng.randrange(6):
        case 0:
            return data[:at]
        case 1:
            other = rng.choice(seeds)
            return data[:at] + other[rng.randrange(len(other) + 1) :]
        case _:
            return data


def _flip_bit(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + bytes([byte ^ 1 << rng.randrange(8) for byte in data[at : at + 1]]) + data[at + 1 :]


def _write_number(data: bytes, at: int, rng: random.Random) -> bytes:
    number = rng.choice(NUMBERS)
    return data[:at] + number + data[at + len(number) :]


def _leave_out(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + data[at + rng.randint(1, PIECE_BYTES) :]


def _repeat(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + data[at : at + rng.randint(1, PIECE_BYTES)] * rng.randint(1, 20) + data[at:]


def _insert_noise(data: bytes, at: int, rng: random.Random) -> bytes:
    return data[:at] + rng.randbytes(rng.randint(1, 16)) + data[at:]


SMALL: list[Change] = [_flip_bit, _write_number, _leave_out, _repeat, _insert_noise]

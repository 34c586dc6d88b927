"""Decode and fit what Atheris makes of pictures: ``python -m tests.fuzz.pictures CORPUS`` (libFuzzer's options follow).

Whatever the bytes are, there is an image, or an error that names what is wrong with the file. In the service a file can
also run out of memory or time, which ends its decoder.
"""

import resource
import struct
import sys
import zlib
from math import prod
from typing import get_args

import atheris

with atheris.instrument_imports(include=["app", "PIL"]):
    from app.errors import RequestError
    from app.imaging.decode import decode_image, open_image
    from app.imaging.fit import Fit, fit_image, restore_image
    from app.imaging.headers import PNG_SIGNATURE, count_plain_pixels
    from app.imaging.png import encode_png
    from app.imaging.samples import Samples, to_gray, to_levels

FITS = get_args(Fit)
NETWORK = (28, 28)
MAX_PIXELS = 2**16  # what a decoder is asked for takes no longer, but what comes after it does
SPARE_BYTES = 2**30


def fuzz(data: bytes) -> None:
    """Take a picture through the steps before and after the network."""
    data = _with_checksums(data)
    plain_pixels = count_plain_pixels(data)
    try:
        opened = open_image(data, max_pixels=MAX_PIXELS)
        samples = decode_image(opened, backdrop=0.5, keeps_color=len(data) % 2 == 0).samples
    except (RequestError, MemoryError):
        return
    if prod(samples.shape[:2]) != opened.pixels:
        raise AssertionError(f"{samples.shape} has not {opened.pixels} pixels")
    if plain_pixels not in (None, opened.pixels):
        raise AssertionError(f"plain, but {opened.pixels} pixels instead of {plain_pixels}")
    _fit(samples, fit=FITS[len(data) % len(FITS)])


def _fit(samples: Samples, *, fit: Fit) -> None:
    gray = to_gray(samples)
    fitted = fit_image(gray, size=NETWORK, network_polarity="light-on-dark", fit=fit, polarity="auto")
    restored = restore_image(fitted.image, fitted, to_source=True)
    if fitted.image.shape != NETWORK or restored.shape != gray.shape:
        raise AssertionError(f"{gray.shape} became {fitted.image.shape}, then {restored.shape}")
    encode_png(to_levels(restored))


def _with_checksums(data: bytes) -> bytes:
    """Mend the checksums of a PNG, which no mutation hits."""
    if not data.startswith(PNG_SIGNATURE):
        return data
    mended, at = bytearray(data), len(PNG_SIGNATURE)
    while at + 12 <= len(mended):
        end = at + 8 + int.from_bytes(mended[at : at + 4])
        if end + 4 <= len(mended):
            mended[end : end + 4] = struct.pack(">I", zlib.crc32(mended[at + 4 : end]))
        at = end + 4
    return bytes(mended)


def _limit_memory() -> None:
    """Let allocations fail beyond a size, as in a decoder process."""
    with open("/proc/self/statm") as file:  # noqa: PTH123  # pathlib would be instrumented, too
        reserved = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (reserved + SPARE_BYTES, resource.RLIM_INFINITY))


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-rss_limit_mb=0"], fuzz)
    _limit_memory()
    atheris.Fuzz()

"""The steps between an upload and its answer, each on the event loop if it is small and in a thread if not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from app.admission import Slot
from app.errors import InvalidParameterError
from app.fitting import Fit, FittedImage, fit_image, restore_image
from app.images import FloatImage, OpenedImage, decode_gray, encode_png, open_image
from app.metadata import InputSpec, Polarity
from app.schemas import DenoiseQuery

T = TypeVar("T")

INLINE_PIXELS = 64 * 64  # up to this size, a step costs less than handing it to a thread
INLINE_BYTES = 8 * 1024  # text in a PNG can unpack to a thousand times its size


@dataclass(frozen=True)
class Options:
    """What a query asks of a network, with the defaults filled in."""

    input: InputSpec
    fit: Fit
    polarity: Polarity | Literal["auto"]
    to_source: bool


@dataclass(frozen=True)
class Picture:
    """A decoded picture, fitted to the network; ``format`` is one of images.ACCEPTED_FORMATS."""

    format: str
    fitted: FittedImage


@dataclass(frozen=True)
class EncodedPicture:
    """A finished PNG and its size in pixels."""

    png: bytes
    width: int
    height: int


def choose_options(query: DenoiseQuery, spec: InputSpec) -> Options:
    """Fill in the defaults of the network that takes ``spec``.

    Raises:
        InvalidParameterError: the query has a parameter that the network cannot use.
    """
    if spec.size is None:
        _refuse("fit", query.fit, "takes pictures of any size")
        _refuse("output_size", "model" if query.output_size == "model" else None, "takes pictures of any size")
    if spec.polarity is None:
        _refuse("polarity", query.polarity, "does not care about polarity")
    return Options(
        input=spec,
        fit=query.fit or "stretch",
        polarity=query.polarity or "auto",
        to_source=query.output_size == "original",
    )


def _refuse(parameter: str, value: str | None, reason: str) -> None:
    if value is not None:
        msg = f"{parameter}={value} has no meaning for the chosen model, which {reason}."
        raise InvalidParameterError(msg, parameter=parameter)


class Pipeline:
    """Decodes and encodes with the limits and the thread pool of one service."""

    def __init__(self, *, pool: Executor, max_pixels: int) -> None:
        self._pool = pool
        self._max_pixels = max_pixels

    async def decode(self, data: bytes, options: Options, *, slot: Slot) -> Picture:
        """Turn an upload into what the network gets; the pixels are reserved in ``slot`` before they are decoded.

        Raises:
            RequestError: see open_image, Slot.reserve_pixels and decode_gray.
        """
        is_small = len(data) <= INLINE_BYTES
        opened = await self._run(partial(open_image, data, max_pixels=self._max_pixels), is_small=is_small)
        slot.reserve_pixels(opened.pixels)
        is_small = is_small and opened.pixels <= INLINE_PIXELS
        fitted = await self._run(partial(_decode_and_fit, opened, options), is_small=is_small)
        return Picture(opened.format, fitted)

    async def encode(self, denoised: FloatImage, fitted: FittedImage, options: Options) -> EncodedPicture:
        """Turn the network's answer into a PNG of the size that was asked for."""
        pixels = fitted.source_size[0] * fitted.source_size[1] if options.to_source else denoised.size
        return await self._run(
            partial(_restore_and_encode, denoised, fitted, options), is_small=pixels <= INLINE_PIXELS
        )

    async def _run(self, step: Callable[[], T], *, is_small: bool) -> T:
        return step() if is_small else await asyncio.get_running_loop().run_in_executor(self._pool, step)


def _decode_and_fit(opened: OpenedImage, options: Options) -> FittedImage:
    gray = decode_gray(opened, backdrop=0.0 if options.polarity == "light-on-dark" else 1.0)
    spec = options.input
    return fit_image(gray, size=spec.size, network_polarity=spec.polarity, fit=options.fit, polarity=options.polarity)


def _restore_and_encode(denoised: FloatImage, fitted: FittedImage, options: Options) -> EncodedPicture:
    restored = restore_image(denoised, fitted, to_source=options.to_source)
    return EncodedPicture(encode_png(restored), width=restored.shape[1], height=restored.shape[0])

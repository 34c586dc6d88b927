"""A picture as it was sent, as it is prepared for the network, and as it is denoised."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.imaging.decode import DecodedImage
from app.imaging.encode import OutputFormat, check_format
from app.imaging.fit import FittedImage, find_polarity, fit_image
from app.imaging.full_size import FullSizeImage
from app.imaging.handwriting.polarity import Polarity
from app.imaging.noise.level import estimate_noise_level
from app.imaging.placement import Size
from app.imaging.samples import BitDepth, Samples, to_unit
from app.inference.metadata import ModelMetadata
from app.processing.options import Options


@dataclass(frozen=True)
class Upload:
    """The bytes that a client sent, and the file name if there is one."""

    data: bytes | memoryview
    filename: str | None


@dataclass(frozen=True)
class Picture:
    """What is known about a picture.

    Attributes:
        format: one of formats.ACCEPTED_FORMATS.
        width: of the picture, upright, in pixels.
        height: likewise.
        polarity: that of the picture, or None if the network works with either.
        noise_level: standard deviation of its noise, in [0, 1] units, as given or estimated; None if the network
            does not take one.
    """

    format: str
    width: int
    height: int
    polarity: Polarity | None
    noise_level: float | None

    @property
    def pixels(self) -> int:
        """The number of its pixels."""
        return self.width * self.height


@dataclass(frozen=True)
class PreparedPicture:
    """A picture and its image for the network, which has the network's fixed size or the size of the picture.

    ``icc_profile`` is the colour profile of the result; None if that is in sRGB.
    """

    source: Picture
    image: FittedImage | FullSizeImage
    icc_profile: bytes | None = None


@dataclass(frozen=True)
class DenoisedPicture:
    """The result of a picture, encoded, and what is known about it.

    Attributes:
        encoded: the result.
        format: that of the result.
        width: of the result, in pixels.
        height: likewise.
        source: the picture that was sent.
        model: the network that denoised it.
        batch_size: how many pictures shared the network's call.
        timing_ms: milliseconds of each stage, and ``total``.
        filename: that of the upload, or None.
    """

    encoded: bytes
    format: OutputFormat
    width: int
    height: int
    source: Picture
    model: ModelMetadata
    batch_size: int
    timing_ms: dict[str, float]
    filename: str | None


def prepare_picture(decoded: DecodedImage, options: Options) -> PreparedPicture:
    """Make a decoded picture ready for its network.

    Raises:
        InvalidParameterError: the result cannot be encoded as it was asked for.
    """
    size = options.model.input.size
    return _prepare_full_size(decoded, options) if size is None else _prepare_fitted(decoded, options, size)


def _prepare_fitted(decoded: DecodedImage, options: Options, size: Size) -> PreparedPicture:
    gray = to_unit(decoded.samples)
    wanted = options.model.input.polarity
    fitted = fit_image(gray, size=size, network_polarity=wanted, fit=options.fit, polarity=options.polarity)
    height, width = fitted.source_size
    check_format(options.format, size=fitted.source_size if options.to_source else size, bit_depth=8)
    level = _choose_noise_level(options, partial(estimate_noise_level, lambda a, b: fitted.image[a:b], *size))
    return PreparedPicture(Picture(decoded.format, width, height, fitted.polarity, level), fitted)


def _prepare_full_size(decoded: DecodedImage, options: Options) -> PreparedPicture:
    samples = decoded.samples
    wanted = options.model.input.polarity
    polarity = find_polarity(samples, wanted, options.polarity)
    is_inverted = polarity != wanted
    bit_depth = _choose_bit_depth(options, samples)
    height, width = samples.shape[:2]
    check_format(options.format, size=(height, width), bit_depth=bit_depth)
    image = FullSizeImage(samples, is_inverted=is_inverted, bit_depth=bit_depth)
    level = _choose_noise_level(options, image.estimate_noise_level)
    return PreparedPicture(Picture(decoded.format, width, height, polarity, level), image, decoded.icc_profile)


def _choose_noise_level(options: Options, estimate: Callable[[], float]) -> float | None:
    """Return the noise level as given or estimated, in [0, 1] units; None for a network that takes none."""
    return estimate() if options.estimates_noise else options.noise_level


def _choose_bit_depth(options: Options, samples: Samples) -> BitDepth:
    if options.bit_depth == "same":
        return 8 if samples.dtype == np.uint8 else 16
    return 16 if options.bit_depth == "16" else 8

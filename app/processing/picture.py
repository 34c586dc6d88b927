"""A decoded picture made ready for its network, and the network's answer made ready to be encoded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from app.imaging.chroma import RgbImage, luma
from app.imaging.decode import OpenedImage, decode_gray, decode_samples
from app.imaging.fit import FittedImage, find_polarity, fit_image, restore_image
from app.imaging.full_size import ColorPicture, FullSizePicture, GrayPicture
from app.imaging.handwriting.polarity import Polarity
from app.imaging.noise_level import estimate_noise_level
from app.imaging.placement import Size
from app.imaging.samples import BitDepth, FloatImage, Levels, Samples, as_levels, to_levels, to_unit
from app.processing.options import Options


@dataclass(frozen=True)
class Picture:
    """A picture made ready for its network.

    Attributes:
        format: one of images.ACCEPTED_FORMATS.
        width: of the picture, upright, in pixels.
        height: likewise.
        polarity: the picture's, or None where the network does not ask.
        noise_level: standard deviation of its noise, in [0, 1] units, as given or estimated; None where the network is
            not told.
        prepared: fitted to the network's size or, for a network of any, at the picture's own.
    """

    format: str
    width: int
    height: int
    polarity: Polarity | None
    noise_level: float | None
    prepared: FittedImage | FullSizePicture


def prepare_picture(opened: OpenedImage, options: Options) -> Picture:
    """Decode a picture and make it ready.

    Raises:
        InvalidImageError: see decode_samples.
    """
    backdrop = 0.0 if options.polarity == "light-on-dark" else 1.0
    if options.input.size is None:
        return _prepare_full_size(opened, options, backdrop)
    return _prepare_fitted(opened, options, options.input.size, backdrop)


def finish_picture(answer: Samples, picture: Picture, *, to_source: bool) -> Levels:
    """Turn an answer to levels: that of a fitted image back to polarity and size; others are finished already."""
    if isinstance(picture.prepared, FittedImage):
        return to_levels(restore_image(to_unit(answer), picture.prepared, to_source=to_source))
    return as_levels(answer)


def _prepare_fitted(opened: OpenedImage, options: Options, size: Size, backdrop: float) -> Picture:
    gray = decode_gray(opened, backdrop=backdrop)
    polarity = options.input.polarity
    fitted = fit_image(gray, size=size, network_polarity=polarity, fit=options.fit, polarity=options.polarity)
    height, width = fitted.source_size
    level = _choose_noise_level(options, partial(estimate_noise_level, lambda a, b: fitted.image[a:b], *size))
    return Picture(opened.format, width, height, fitted.polarity, level, fitted)


def _prepare_full_size(opened: OpenedImage, options: Options, backdrop: float) -> Picture:
    samples = decode_samples(opened, backdrop=backdrop, keeps_color=options.keeps_color)
    rgb = np.asarray(samples, np.uint8) if samples.ndim == 3 else None
    wanted = options.input.polarity
    polarity = find_polarity(partial(_to_gray, samples, rgb), wanted, options.polarity)
    is_inverted = polarity != wanted
    prepared: FullSizePicture
    if rgb is not None:
        prepared = ColorPicture(rgb, is_inverted=is_inverted)
    else:
        prepared = GrayPicture(samples, is_inverted=is_inverted, bit_depth=_choose_bit_depth(options, samples))
    height, width = samples.shape[:2]
    level = _choose_noise_level(options, prepared.estimate_noise_level)
    return Picture(opened.format, width, height, polarity, level, prepared)


def _to_gray(samples: Samples, rgb: RgbImage | None) -> FloatImage:
    return to_unit(samples) if rgb is None else luma(rgb)


def _choose_noise_level(options: Options, estimate: Callable[[], float]) -> float | None:
    """As asked for, or estimated; None for a network that is not told."""
    return estimate() if options.estimates_noise else options.noise_level


def _choose_bit_depth(options: Options, samples: Samples) -> BitDepth:
    if options.bit_depth == "same":
        return 8 if samples.dtype == np.uint8 else 16
    return 16 if options.bit_depth == "16" else 8

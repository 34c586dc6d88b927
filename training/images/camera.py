"""A camera's noise: what a sensor's photon and read noise become on the way to an 8-bit picture.

A clean photograph is taken back to the sensor, gets noise there, and is developed again. The clean side goes the same
way without noise, so that it is what the camera would have written in perfect light.

Source: T. Brooks et al., "Unprocessing images for learned raw denoising", CVPR 2019, for the way back and
the relation of read to shot noise.
"""

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from training.images.files import from_8_bit, to_8_bit
from training.images.luma import GRAY_WEIGHTS
from training.images.noise import Images, round_to_8_bits

BLACK_LEVEL, WHITE_LEVEL = 4096.0, 61440.0  # of the 16-bit mosaic; noise below black and above white is kept

NEGLIGIBLE = np.float32(1e-6)  # far below an 8-bit level

Photo = NDArray[np.uint8]


@dataclass(frozen=True)
class CameraNoise:
    """Noise of cameras for crops of clean photographs; ranges are drawn from uniformly unless said otherwise.

    ``shot`` is the variance of the photon noise at a linear signal of 1, drawn log-uniformly; the read noise goes with
    it. A ``monochrome`` share is noise of a sensor without colour filters, in linear light or in gamma, as a
    microscope's camera writes it, with ``monochrome_shot``. ``blurred``, ``chroma_blurred``, ``sharpened``, ``resized``
    and ``compressed`` are shares of the others.
    """

    shot: tuple[float, float] = (2e-4, 0.012)
    monochrome: float = 0.15
    monochrome_shot: tuple[float, float] = (3e-4, 0.03)
    red_gain: tuple[float, float] = (1.4, 2.4)
    blue_gain: tuple[float, float] = (1.3, 2.1)
    saturation: tuple[float, float] = (0.0, 0.6)
    blurred: float = 0.9
    blur_px: tuple[float, float] = (0.5, 1.1)
    chroma_blurred: float = 0.95
    chroma_blur_px: tuple[float, float] = (1.0, 4.0)
    chroma_left: tuple[float, float] = (0.15, 0.9)
    sharpened: float = 0.5
    sharpening: tuple[float, float] = (0.2, 1.2)
    resized: float = 0.2
    scale: tuple[float, float] = (0.5, 1.0)
    compressed: float = 0.75
    quality: tuple[int, int] = (65, 99)

    def __str__(self) -> str:
        return "of cameras: photon and read noise, demosaiced, sharpened, scaled and compressed"

    def draw_scale(self, rng: np.random.Generator) -> float:
        """Return by how much the developed picture is scaled down; callers cut a crop that is large enough."""
        return float(rng.uniform(*self.scale)) if rng.random() < self.resized else 1.0

    def make_pair(self, photo: Photo, scale: float, rng: np.random.Generator) -> tuple[Images, Images]:
        """Return (noisy, clean), float32 (H', W', 3) in [0, 1], for a crop (H, W, 3) that is scaled by ``scale``."""
        if rng.random() < self.monochrome:
            return self._expose_monochrome(photo, scale, rng)
        return self._expose_mosaic(photo, scale, rng)

    def _expose_mosaic(self, photo: Photo, scale: float, rng: np.random.Generator) -> tuple[Images, Images]:
        gains = np.array([rng.uniform(*self.red_gain), 1, rng.uniform(*self.blue_gain)], np.float32)
        has_tone_curve = rng.random() < 0.5
        matrix = _mix_colours(rng.uniform(*self.saturation))
        image = (LINEAR_WITH_TONE_CURVE if has_tone_curve else LINEAR)[photo]
        linear = image @ (np.linalg.inv(matrix).T / gains).astype(np.float32)
        light = _filter_colours(linear)
        exposed = add_sensor_noise(light, draw_log(self.shot, rng), rng)

        demosaic = partial(_demosaic, method=METHODS[rng.integers(len(METHODS))])
        to_srgb = gains[:, None] * matrix.T

        def develop(mosaic: Images) -> Images:
            return _render(demosaic(mosaic) @ to_srgb, has_tone_curve=has_tone_curve)

        clean = develop(light)
        noise = self._reduce_noise(develop(exposed) - clean, rng)
        sides = [clean + noise, clean]
        if rng.random() < self.sharpened:
            amount, sigma_px = rng.uniform(*self.sharpening), rng.uniform(0.6, 1.5)
            sides = [sharpen(side, amount=amount, sigma_px=sigma_px) for side in sides]
        return self._write(sides, scale, rng)

    def _expose_monochrome(self, photo: Photo, scale: float, rng: np.random.Generator) -> tuple[Images, Images]:
        is_linear = rng.random() < 0.7
        gray = (IDENTITY if is_linear else LINEAR)[photo] @ GRAY_WEIGHTS
        light = rng.uniform(0.3, 1) * gray
        sides = [add_sensor_noise(light, draw_log(self.monochrome_shot, rng), rng).clip(0, 1), light]
        if not is_linear:
            sides = [_apply_gamma(side) for side in sides]
        if rng.random() < self.blurred / 3:
            sigma_px = rng.uniform(*self.blur_px)
            sides[0] = sides[1] + blur(sides[0] - sides[1], sigma_px)
        return self._write([np.repeat(side[..., None], 3, axis=-1) for side in sides], scale, rng)

    def _reduce_noise(self, noise: Images, rng: np.random.Generator) -> Images:
        """Blur the noise as cameras' own noise reduction does, chroma more than luma.

        What is left of chroma is a share of its root mean square before: the blur alone would leave coarse noise weaker
        than cameras do.
        """
        if rng.random() < self.blurred:
            noise = blur(noise, rng.uniform(*self.blur_px))
        if rng.random() < self.chroma_blurred:
            luma = (noise @ GRAY_WEIGHTS)[..., None]
            chroma = noise - luma
            coarse = blur(chroma, rng.uniform(*self.chroma_blur_px))
            strength = _root_mean_square(chroma) / max(_root_mean_square(coarse), NEGLIGIBLE)
            noise = luma + rng.uniform(*self.chroma_left) * strength * coarse
        return noise

    def _write(self, sides: list[Images], scale: float, rng: np.random.Generator) -> tuple[Images, Images]:
        """Scale both sides, and write the noisy one into a file of 8 bits."""
        if scale < 1:
            interpolation = cv2.INTER_AREA if rng.random() < 0.5 else cv2.INTER_CUBIC
            scaled = [cv2.resize(side, None, fx=scale, fy=scale, interpolation=interpolation) for side in sides]
            sides = [np.asarray(side, np.float32) for side in scaled]
        noisy, clean = (round_to_8_bits(side) for side in sides)
        if rng.random() < self.compressed:
            low, high = self.quality
            noisy = compress(noisy, quality=round(high - (high - low) * rng.random() ** 4), rng=rng)
        return noisy, clean


def _root_mean_square(image: Images) -> np.float32:
    return np.float32(np.sqrt(np.mean(np.square(image))))


def draw_log(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """Return a number from a log-uniform distribution."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def add_sensor_noise(light: Images, shot: float, rng: np.random.Generator) -> Images:
    """Add photon noise of variance ``shot`` times the signal, and the read noise of such a sensor.

    Source: Brooks et al., section 3.1, whose line through the sensors of the Darmstadt data set this is.
    """
    read = np.exp(2.18 * np.log(shot) + 1.2 + rng.normal(0, 0.26))
    deviation = np.sqrt(np.maximum(light, 0) * np.float32(shot) + np.float32(read))
    return np.asarray(light + deviation * rng.standard_normal(light.shape, dtype=np.float32))


def blur(image: Images, sigma_px: float) -> Images:
    """Blur (H, W) or (H, W, C) with a Gaussian; the edge is mirrored."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.float32)


def sharpen(image: Images, *, amount: float, sigma_px: float) -> Images:
    """Add ``amount`` times the difference from a blurred copy."""
    return np.asarray(image + amount * (image - blur(image, sigma_px)), np.float32)


def compress(image: Images, *, quality: int, rng: np.random.Generator) -> Images:
    """Return the image (H, W, 3) after JPEG of ``quality``, with one of the usual samplings of chroma."""
    sampling = SAMPLINGS[rng.integers(len(SAMPLINGS))]
    levels = np.ascontiguousarray(to_8_bit(image)[..., ::-1])
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    encoded = cv2.imencode(".jpg", levels, options)[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return from_8_bit(decoded[..., ::-1])


def _linearise(image: NDArray[np.float64]) -> Images:
    """Undo the gamma of sRGB. Source: IEC 61966-2-1."""
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4).astype(np.float32)


# What each 8-bit level is: as it is, in linear light, and in linear light before the tone curve 3x² - 2x³.
IDENTITY = np.linspace(0, 1, 256, dtype=np.float32)
LINEAR = _linearise(np.linspace(0, 1, 256))
LINEAR_WITH_TONE_CURVE = _linearise(0.5 - np.sin(np.arcsin(np.linspace(1, -1, 256)) / 3))

SAMPLINGS = (
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
)
METHODS = (cv2.COLOR_BayerRGGB2RGB, cv2.COLOR_BayerRGGB2RGB_EA, cv2.COLOR_BayerRGGB2RGB_EA)


def _filter_colours(linear: Images) -> Images:
    """Return the mosaic (H, W): one colour of each pixel in Bayer's pattern."""
    mosaic = linear[..., 1].copy()
    mosaic[::2, ::2] = linear[::2, ::2, 0]
    mosaic[1::2, 1::2] = linear[1::2, 1::2, 2]
    return mosaic


def _demosaic(mosaic: Images, *, method: int) -> Images:
    """Interpolate the colours that each pixel lacks, on a sensor's whole numbers."""
    counts = np.rint(mosaic * (WHITE_LEVEL - BLACK_LEVEL) + BLACK_LEVEL).clip(0, 65535).astype(np.uint16)
    colours = cv2.cvtColor(counts, method)
    return np.asarray((colours - np.float32(BLACK_LEVEL)) / np.float32(WHITE_LEVEL - BLACK_LEVEL), np.float32)


def _mix_colours(saturation: float) -> Images:
    """Return the matrix from the sensor's colours to sRGB: its rows sum to 1, and it undoes the overlap of filters."""
    return np.asarray((1 + saturation) * np.eye(3) - saturation * np.full((3, 3), 1 / 3), np.float32)


def _render(linear: Images, *, has_tone_curve: bool) -> Images:
    image = _apply_gamma(linear.clip(0, 1))
    return image * image * (3 - 2 * image) if has_tone_curve else image


def _apply_gamma(linear: Images) -> Images:
    curve = cv2.pow(np.maximum(linear, np.float32(0.0031308)), 1 / 2.4)
    return np.where(linear <= 0.0031308, np.float32(12.92) * linear, np.float32(1.055) * curve - np.float32(0.055))

"""Printed pages, drawn, and the noise of scanning them: paper, toner, sensor and JPEG."""

import string
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.images.camera import add_sensor_noise, blur, compress, draw_log
from training.images.noise import Images, round_to_8_bits

FONTS = tuple(
    Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneral")
)
LETTERS = np.array(list(string.ascii_lowercase * 4 + string.ascii_uppercase + string.digits + ".,;:-()"))


@dataclass(frozen=True)
class ScanNoise:
    """Noise of scans for drawn pages; ranges are drawn from uniformly unless said otherwise.

    Paper texture, toner speckle, sensor noise and JPEG are on the noisy side alone. Uneven light, tinted paper and
    print that shows through are on both: a scan of perfect quality has them, too. ``speckle`` is the share of pixels
    where toner went astray, drawn log-uniformly.
    """

    text_px: tuple[float, float] = (9, 44)
    texture: tuple[float, float] = (0.0, 0.02)
    speckle: tuple[float, float] = (1e-5, 1e-3)
    shot: tuple[float, float] = (2e-4, 0.012)
    shade: float = 0.25
    quality: tuple[int, int] = (55, 98)

    def __str__(self) -> str:
        return "of scanned pages: paper, toner, sensor and JPEG"

    def make_pair(self, side_px: int, rng: np.random.Generator) -> tuple[Images, Images]:
        """Return (noisy, clean), float32 (side_px, side_px, 3) in [0, 1]."""
        clean = round_to_8_bits(self._draw_page(side_px, rng))
        texture = rng.standard_normal((side_px, side_px, 1), dtype=np.float32)
        texture = blur(texture, rng.uniform(0.7, 2.5))[..., None]
        texture *= np.float32(rng.uniform(*self.texture) / texture.std())
        is_toner = (rng.random((side_px, side_px)) < draw_log(self.speckle, rng)).astype(np.float32)
        toner = blur(is_toner, rng.uniform(0.4, 0.9))[..., None] * rng.uniform(0.3, 0.9)
        lit = clean * (1 + texture) * (1 - np.minimum(1, 2 * toner))
        noise = add_sensor_noise(lit, draw_log(self.shot, rng), rng) - lit
        if rng.random() < 0.7:
            noise = blur(noise, rng.uniform(0.4, 1.1))
        noisy = round_to_8_bits(lit + noise)
        if rng.random() < 0.8:
            noisy = compress(noisy, quality=int(rng.integers(self.quality[0], self.quality[1] + 1)), rng=rng)
        return noisy, clean

    def _draw_page(self, side_px: int, rng: np.random.Generator) -> Images:
        """Return a crop of a page: lines of print on paper, a little turned and blurred, unevenly lit."""
        is_coloured = rng.random() < 0.3
        paper = rng.uniform(0.82, 1) * (1 - is_coloured * rng.uniform(0, 0.15, 3))
        ink = rng.uniform(0, 0.35) + is_coloured * rng.uniform(0, 0.5, 3)
        if rng.random() < 0.08:  # white on black
            paper, ink = ink * np.ones(3), paper
        coverage = self._print(side_px, rng)
        coverage = blur(coverage, rng.uniform(0.35, 0.9))[..., None]
        page = paper * (1 - coverage) + np.minimum(1, ink) * coverage
        if rng.random() < 0.3:
            behind = blur(self._print(side_px, rng)[:, ::-1], rng.uniform(1, 3))
            page = page * (1 - rng.uniform(0.02, 0.12) * behind[..., None])
        y, x = np.mgrid[:side_px, :side_px] / side_px - 0.5
        angle, shade = rng.uniform(0, 2 * np.pi), rng.uniform(0, self.shade)
        light = 1 - shade * (0.5 + np.cos(angle) * x + np.sin(angle) * y).clip(0, 1)
        return np.asarray(page * light[..., None], np.float32).clip(0, 1)

    def _print(self, side_px: int, rng: np.random.Generator) -> Images:
        """Return how much ink is where, (side_px, side_px) in [0, 1]."""
        size_px = draw_log(self.text_px, rng)
        margin = side_px // 8
        sheet = Image.new("L", (side_px + 2 * margin, side_px + 2 * margin))
        draw = ImageDraw.Draw(sheet)
        font = _load_font(FONTS[rng.integers(len(FONTS))], round(size_px))
        y = rng.uniform(-size_px, size_px)
        while y < sheet.height:
            words = ("".join(rng.choice(LETTERS, rng.integers(1, 10))) for _ in range(2 + int(side_px / size_px)))
            draw.text((rng.uniform(-3, 1) * size_px, y), " ".join(words), fill=255, font=font)
            y += size_px * rng.uniform(1.2, 1.8)
        if rng.random() < 0.3:
            for _ in range(rng.integers(1, 5)):
                place, width = int(rng.integers(sheet.width)), int(rng.integers(1, 4))
                ends = [(0, place), (sheet.width, place)]
                if rng.random() < 0.4:
                    ends = [(place, 0), (place, sheet.height)]
                draw.line(ends, fill=255, width=width)
        turned = sheet.rotate(rng.normal(0, 1.0), Image.Resampling.BICUBIC)
        cut = turned.crop((margin, margin, margin + side_px, margin + side_px))
        return np.asarray(cut, np.float32) / np.float32(255)


@lru_cache(maxsize=512)
def _load_font(path: Path, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size_px)

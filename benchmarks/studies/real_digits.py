"""Measure how well digits can be read in pictures as people take them, before the service and after it.

``python -m benchmarks.studies.real_digits --data mnist.npz`` sends pictures made in code to the service in this
process, reads them with the classifier of ``training``, prints the shares that it reads correctly, and draws some
of them.
"""

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from app.main import create_app
from app.settings import Settings
from benchmarks.harness.processes import REPOSITORY
from training.digits.classifier import load_classifier, read_digits

Gray = NDArray[np.float32]
Points = NDArray[np.float64]

FONT_FOLDER = Path(mpl.get_data_path()) / "fonts" / "ttf"
FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
OUTPUT = REPOSITORY / "docs/images/real-digits.png"
SIZE = (28, 28)
SOURCES = ("font", "pen", "mnist")
WAYS = ("plain resize", "fit=stretch", "fit=mnist")
FIGURE_PICTURES, TILE_PX, GAP_PX = 15, 112, 4

# How a pen draws each digit, in a box of 0.75 x 1 with y downwards; a point twice in a row is a corner.
STROKES: tuple[tuple[tuple[tuple[float, float], ...], ...], ...] = (
    (((0.45, 0.03), (0.18, 0.18), (0.1, 0.55), (0.25, 0.93), (0.5, 0.93), (0.66, 0.55), (0.6, 0.18), (0.42, 0.03)),),
    (((0.25, 0.22), (0.42, 0.04), (0.42, 0.04), (0.42, 0.5), (0.41, 0.97)),),
    (((0.1, 0.25), (0.3, 0.04), (0.6, 0.12), (0.6, 0.38), (0.38, 0.66), (0.1, 0.94), (0.1, 0.94), (0.74, 0.93)),),
    (((0.13, 0.12), (0.4, 0.03), (0.62, 0.18), (0.54, 0.4), (0.33, 0.48), (0.33, 0.48), (0.6, 0.56), (0.66, 0.78),
      (0.43, 0.97), (0.1, 0.87)),),
    (((0.42, 0.03), (0.28, 0.35), (0.08, 0.62), (0.08, 0.62), (0.74, 0.6)), ((0.56, 0.33), (0.55, 0.97))),
    (((0.66, 0.05), (0.22, 0.05), (0.22, 0.05), (0.17, 0.43), (0.17, 0.43), (0.45, 0.38), (0.66, 0.6), (0.58, 0.88),
      (0.33, 0.97), (0.09, 0.88)),),
    (((0.55, 0.03), (0.3, 0.25), (0.13, 0.6), (0.2, 0.9), (0.45, 0.97), (0.65, 0.8), (0.57, 0.6), (0.35, 0.56),
      (0.16, 0.74)),),
    (((0.1, 0.07), (0.7, 0.06), (0.7, 0.06), (0.48, 0.45), (0.33, 0.97)),),
    (((0.6, 0.15), (0.4, 0.03), (0.19, 0.15), (0.24, 0.36), (0.5, 0.52), (0.66, 0.76), (0.48, 0.96), (0.24, 0.94),
      (0.13, 0.75), (0.3, 0.52), (0.53, 0.36), (0.61, 0.16)),),
    (((0.62, 0.2), (0.4, 0.05), (0.18, 0.2), (0.2, 0.42), (0.42, 0.5), (0.6, 0.36), (0.63, 0.18), (0.6, 0.55),
      (0.5, 0.97)),),
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """A JPEG of a digit; ``source`` is one of SOURCES."""

    jpeg: bytes
    digit: int
    source: str

    def decode(self) -> Gray:
        """Return gray levels in [0, 1]."""
        return to_gray(Image.open(io.BytesIO(self.jpeg)))


def to_gray(image: Image.Image) -> Gray:
    """Return gray levels in [0, 1]."""
    return np.asarray(np.asarray(image.convert("L")) / 255, np.float32)


def main() -> None:
    """Print a table of Markdown and draw docs/images/real-digits.png."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST's layout, whose test digits are used, too")
    parser.add_argument("--count", type=int, default=600, help="number of pictures (default: 600)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    pictures = list(make_pictures(arguments.count, seed=arguments.seed, mnist=load_test_digits(arguments.data)))
    with TestClient(create_app(Settings())) as client:
        results = {
            "plain resize": [resize_plainly(picture) for picture in pictures],
            "fit=stretch": [denoise(client, picture, fit="stretch") for picture in pictures],
            "fit=mnist": [denoise(client, picture, fit="mnist") for picture in pictures],
        }
    classifier = load_classifier()
    truth = np.array([picture.digit for picture in pictures])
    is_right = {way: read_digits(classifier, np.stack(results[way])[..., None]) == truth for way in WAYS}
    print_table(pictures, is_right)
    draw_figure(pictures, results)


def load_test_digits(path: Path | None) -> tuple[Gray, NDArray[np.uint8]] | None:
    """Return MNIST's test images, in [0, 1], and their labels."""
    if path is None:
        return None
    with np.load(path) as arrays:
        return arrays["x_test"].astype(np.float32) / 255, arrays["y_test"]


def resize_plainly(picture: Picture) -> Gray:
    """Return what one would make without the service: scaled to 28x28, with light ink on a dark ground."""
    return 1 - np.asarray(Image.fromarray(picture.decode()).resize(SIZE, Image.Resampling.BOX))


def denoise(client: TestClient, picture: Picture, *, fit: str) -> Gray:
    """Denoise a picture with the service, and return it with light ink on a dark ground."""
    answer = client.post("/v1/denoise", params={"fit": fit}, content=picture.jpeg)
    answer.raise_for_status()
    image = to_gray(Image.open(io.BytesIO(answer.content)))
    return 1 - image if answer.headers["X-Polarity"] == "dark-on-light" else image


def print_table(pictures: list[Picture], is_right: dict[str, NDArray[np.bool_]]) -> None:
    """Print the shares that are read correctly, one row for each source."""
    sources = np.array([picture.source for picture in pictures])
    print("| read correctly (%) | pictures | " + " | ".join(WAYS) + " |")
    print("| --- |" + " ---: |" * (len(WAYS) + 1))
    for name in (*SOURCES, "all"):
        chosen = sources == name if name != "all" else np.ones(len(pictures), np.bool_)
        if chosen.any():
            shares = " | ".join(f"{100 * is_right[way][chosen].mean():.1f}" for way in WAYS)
            print(f"| {name} | {chosen.sum()} | {shares} |")


def draw_figure(pictures: list[Picture], results: dict[str, list[Gray]]) -> None:
    """Save a figure of every second picture, its plain resize, and what the service makes of it."""
    columns = []
    for number, picture in list(enumerate(pictures))[: 2 * FIGURE_PICTURES : 2]:
        photo = Image.fromarray(np.rint(picture.decode() * 255).astype(np.uint8))
        photo.thumbnail((TILE_PX, TILE_PX))
        columns.append([photo, *(_to_tile(results[way][number]) for way in ("plain resize", "fit=mnist"))])
    step = TILE_PX + GAP_PX
    sheet = Image.new("L", (len(columns) * step, 3 * step), 128)
    for x, column in enumerate(columns):
        for y, tile in enumerate(column):
            sheet.paste(tile, (x * step + (step - tile.width) // 2, y * step + (step - tile.height) // 2))
    sheet.quantize(64).save(OUTPUT, optimize=True)


def _to_tile(gray: Gray) -> Image.Image:
    levels = Image.fromarray(np.rint(np.clip(gray, 0, 1) * 255).astype(np.uint8))
    return levels.resize((TILE_PX, TILE_PX), Image.Resampling.NEAREST)


def make_pictures(count: int, *, seed: int, mnist: tuple[Gray, NDArray[np.uint8]] | None = None) -> Iterator[Picture]:
    """Draw digits in turn from fonts, by pen and from MNIST (images in [0, 1] and labels) and photograph them."""
    rng = np.random.default_rng(seed)
    sources = SOURCES if mnist else SOURCES[:2]
    for number in range(count):
        source, digit = sources[number % len(sources)], number // len(sources) % 10
        height = round(float(np.exp(rng.uniform(np.log(50), np.log(800)))))
        if source == "font":
            ink = draw_font(digit, height, rng)
        elif source == "pen":
            ink = draw_pen(digit, height, rng)
        else:
            assert mnist is not None  # noqa: S101  # for mypy
            ink = enlarge(mnist[0][rng.choice(np.flatnonzero(mnist[1] == digit))], height)
        yield Picture(photograph(ink, rng), digit, source)


def draw_font(digit: int, height: int, rng: np.random.Generator) -> Gray:
    """Print a digit of about that height, ink 1 on paper 0, cropped to the ink."""
    font = ImageFont.truetype(FONT_FOLDER / f"{rng.choice(FONTS)}.ttf", round(height * 1.4))
    canvas = Image.new("L", (3 * height, 3 * height))
    ImageDraw.Draw(canvas).text((height, height // 2), str(digit), fill=255, font=font)
    return _crop(canvas.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC))


def draw_pen(digit: int, height: int, rng: np.random.Generator) -> Gray:
    """Write a digit of about that height with a pen, pencil or marker, ink 1 on paper 0, cropped to the ink."""
    width_px = max(1.5, height * float(np.exp(rng.uniform(np.log(0.012), np.log(0.2)))))
    slant, aspect = rng.uniform(-0.1, 0.25), rng.uniform(0.8, 1.1)
    scale = 2 if height < 200 else 1
    canvas = Image.new("L", (2 * height * scale, 2 * height * scale))
    draw = ImageDraw.Draw(canvas)
    for stroke in STROKES[digit]:
        # Both points of a corner move together.
        moved = {point: np.array(point) + rng.normal(0, 0.018, 2) for point in stroke}
        points = _smooth(np.array([moved[point] for point in stroke]))
        points = (np.stack([points[:, 0] * aspect - (points[:, 1] - 0.5) * slant, points[:, 1]], 1) + 0.5) * height
        radius = width_px / 2 * rng.normal(1, 0.05, len(points)).clip(0.8, 1.2)
        for (x, y), r in zip(points, radius, strict=True):
            draw.ellipse([(c * scale) for c in (x - r, y - r, x + r, y + r)], fill=255)
    return _crop(canvas.resize((2 * height, 2 * height), Image.Resampling.BOX))


def _smooth(points: Points) -> Points:
    """Follow the points along a Catmull-Rom spline."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, 60)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        parts.append(b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2) + t**3 * (1.5 * (b - c) + (d - a) / 2))
    return np.concatenate(parts)


def enlarge(image: Gray, height: int) -> Gray:
    """Draw a digit of MNIST, shape (28, 28), large and with sharp edges, cropped to the ink."""
    size = round(height * 1.4)
    canvas = Image.fromarray(np.rint(image * 255).astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
    levels = np.asarray(canvas.filter(ImageFilter.GaussianBlur(size / 56)), np.float32)
    return _crop(Image.fromarray(np.clip((levels - 110) * 12 + 110, 0, 255).astype(np.uint8)))


def _crop(canvas: Image.Image) -> Gray:
    return to_gray(canvas.crop(canvas.getbbox()))


def photograph(ink: Gray, rng: np.random.Generator) -> bytes:
    """Put ink on paper of 100-1500 pixels, light it unevenly, add the camera's blur and noise, and save a JPEG."""
    longer = max(ink.shape)
    height, width = (max(100, round(longer / rng.uniform(0.2, 0.8) * rng.uniform(0.85, 1.15))) for _ in range(2))
    height, width = (min(1500, max(side, longer + 8)) for side in (height, width))
    top, left = rng.integers(2, height - ink.shape[0] - 1), rng.integers(2, width - ink.shape[1] - 1)
    canvas = Image.new("L", (width, height))
    canvas.paste(Image.fromarray(np.rint(ink * 255).astype(np.uint8)), (int(left), int(top)))
    coverage = np.asarray(canvas.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5))), np.float32) / 255
    texture = sum(
        strength * _upscale(rng.normal(0, 1, (max(2, height // grain), max(2, width // grain))), (height, width))
        for strength, grain in ((0.015, 2), (0.012, 8), (0.01, 30))
    )
    paper = rng.uniform(0.7, 0.95) + texture
    if rng.random() < 0.25:
        paper = paper * _rule(height, rng)
    darkness = rng.uniform(0.3, 0.95)
    scene = paper * (1 - darkness * coverage * rng.uniform(0.85, 1, coverage.shape).astype(np.float32))
    scene = scene * _light((height, width), rng)
    noisy = scene + rng.normal(0, rng.uniform(0.01, 0.06), (height, width))
    file = io.BytesIO()
    levels = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(levels).save(file, "JPEG", quality=int(rng.integers(50, 92)))
    return file.getvalue()


def _rule(height: int, rng: np.random.Generator) -> Gray:
    """Return the light that horizontal lines leave, shape (height, 1)."""
    is_line = np.arange(height) % (height / rng.uniform(4, 9)) < max(1, height / 300)
    return np.asarray(1 - rng.uniform(0.05, 0.3) * is_line[:, None], np.float32)


def _light(shape: tuple[int, int], rng: np.random.Generator) -> Gray:
    """Return a lamp's falloff across the picture, in half of all cases with the soft shadow of a hand or phone."""
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None] - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    slope, bend = rng.uniform(0, 0.35), rng.uniform(0, 0.3)
    light = 1 - slope * (0.5 + x * np.cos(angle) + y * np.sin(angle)) - bend * (x * x + y * y)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        edge = (x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-0.2, 0.4)) / rng.uniform(0.02, 0.2)
        light *= 1 - rng.uniform(0.1, 0.35) / (1 + np.exp(-np.clip(edge, -50, 50)))
    return np.asarray(light, np.float32)


def _upscale(values: NDArray[np.float64], shape: tuple[int, int]) -> Gray:
    image = Image.fromarray(values.astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR))


if __name__ == "__main__":
    main()

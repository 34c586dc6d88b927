"""Crops of photographs beside what a network makes of them, for its model card."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from training.images.files import from_8_bit
from training.images.luma import is_in_colour
from training.images.noise import Images
from training.photos.crops import cut_centre, estimate_level
from training.photos.data import Photo, read_photo
from training.photos.evaluate import PhotoMethod, Protocol, measure_pair

EXAMPLES = Path(__file__).with_name("examples")
EXAMPLE_LEVEL = 50
EXAMPLE_SIDE_PX = 128
EXAMPLE_PAIRS = 2


def draw_examples(methods: Mapping[str, PhotoMethod], pairs: Sequence[Photo] = ()) -> Figure:
    """Draw noisy crops, what each method makes of them, and clean ones: of pairs, or of the project's photographs."""
    if pairs:
        examples = [measure_pair(cut_centre(pair, EXAMPLE_SIDE_PX)) for pair in pairs[:EXAMPLE_PAIRS]]
    else:
        photos = [read_photo(path) for path in sorted(EXAMPLES.glob("*.png"))]
        examples = [
            Protocol(EXAMPLE_LEVEL, rounded=True, in_colour=is_in_colour(photo)).make_noisy(photo) for photo in photos
        ]
    rows = [[noisy, *(method(noisy, sigma) for method in methods.values()), clean] for clean, noisy, sigma in examples]
    return plot_crops(["noisy" if pairs else f"noise {EXAMPLE_LEVEL}", *methods, "clean"], rows)


def draw_noisy_only(methods: Mapping[str, PhotoMethod], photos: Sequence[Photo]) -> Figure:
    """Draw crops of noisy photographs and what each method makes of them."""
    rows = []
    for photo in photos[:EXAMPLE_PAIRS]:
        noisy, level = from_8_bit(cut_centre(photo, EXAMPLE_SIDE_PX)), estimate_level(photo)
        rows.append([noisy, *(method(noisy, level) for method in methods.values())])
    return plot_crops(["noisy", *methods], rows)


def plot_crops(titles: Sequence[str], rows: Sequence[Sequence[Images]]) -> Figure:
    """Draw images (H, W, 1) or (H, W, 3) in [0, 1] pixel by pixel, in titled columns."""
    figure = Figure(figsize=(2.4 * len(titles), 2.4 * len(rows) + 0.3), layout="constrained")
    for panels, row in zip(figure.subplots(len(rows), len(titles), squeeze=False), rows, strict=True):
        for panel, image in zip(panels, row, strict=True):
            panel.imshow(image.clip(0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            panel.set_axis_off()
    for panel, title in zip(figure.axes, titles, strict=False):
        panel.set_title(title, fontsize=10)
    return figure

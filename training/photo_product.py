"""What a finished run of a network for photographs is measured with, and what is drawn of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from training.checkpoints import load_progress
from training.config import Config
from training.export import SavedNetwork
from training.figures import plot_crops, plot_loss
from training.metrics import count_macs
from training.noise import Images
from training.photo_evaluation import NOISE_LEVELS, PhotoMethod, Protocol, leave_noisy, score_on_photos
from training.photos import CleanPhotos, read_photo
from training.unet import build_photo

EXAMPLES = Path(__file__).parent / "examples"
EXAMPLE_LEVEL = 50
MAC_SIDE_PX = 64


def as_photo_method(saved: SavedNetwork) -> PhotoMethod:
    """Let a network take one image and one level."""

    def denoise(noisy: Images, sigma: float) -> Images:
        return saved.denoise(noisy[None, ..., None], np.array([sigma], np.float32))[0, ..., 0]

    return denoise


def measure_photo_run(
    network: keras.Model, saved: SavedNetwork, photos: CleanPhotos, *, config: Config, run_dir: Path
) -> dict[str, Any]:
    """Return the metrics of metadata.json, on the held-out photographs through the SavedModel."""
    method = as_photo_method(saved)
    by_level = {}
    for level in NOISE_LEVELS:
        protocol = Protocol(level, rounded=False)
        score = score_on_photos(method, photos.validation, protocol)
        noisy = score_on_photos(leave_noisy, photos.validation, protocol)
        by_level[str(level)] = {"psnr_db": score.psnr_db, "ssim": score.ssim, "noisy_psnr_db": noisy.psnr_db}
    progress = load_progress(run_dir / config.stages[-1].name)
    return {
        "protocol": f"{len(photos.validation)} held-out photographs of {photos.name}, white Gaussian noise, level told",
        **by_level["25"],
        "by_noise_level": by_level,
        "train_images": len(photos.train),
        "validation_images": len(photos.validation),
        "epochs": progress.epochs,
        **({"minutes": round(progress.seconds / 60, 1)} if progress.seconds else {}),
        "parameters": network.count_params(),
        "mac_per_pixel": count_macs_per_pixel(),
    }


def count_macs_per_pixel() -> int:
    """Return the multiply-accumulates of the photo network for each pixel of its image, rounded."""
    total = count_macs(build_photo(side_px=MAC_SIDE_PX))
    assert total is not None  # noqa: S101  # the side is fixed
    return round(total / MAC_SIDE_PX**2)


def draw_photo_run(
    _network: keras.Model, saved: SavedNetwork, _photos: CleanPhotos, *, config: Config, run_dir: Path
) -> dict[str, Figure]:
    """Return the figures by name: crops of photographs in the public domain, and the loss."""
    progresses = [load_progress(run_dir / stage.name) for stage in config.stages]
    return {
        "examples": draw_examples({"denoised": as_photo_method(saved)}),
        "loss": plot_loss(config.stages, progresses, loss=config.loss),
    }


def draw_examples(methods: Mapping[str, PhotoMethod]) -> Figure:
    """Draw what each method makes of the project's example photographs, between the noisy and the clean ones."""
    protocol = Protocol(EXAMPLE_LEVEL, rounded=True)
    rows = []
    for path in sorted(EXAMPLES.glob("*.png")):
        clean = read_photo(path).astype(np.float32) / np.float32(255)
        noisy = protocol.add_noise(clean)
        rows.append([noisy, *(method(noisy, EXAMPLE_LEVEL / 255) for method in methods.values()), clean])
    return plot_crops([f"noise {EXAMPLE_LEVEL}", *methods, "clean"], rows)

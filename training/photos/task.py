"""What a finished run of a network for photographs is measured with, and what is drawn of it."""

from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from training.config import Config
from training.fit.checkpoints import load_progress
from training.fit.figures import plot_loss
from training.images.metrics import count_macs
from training.images.noise import RecordedNoise
from training.photos.data import CleanPhotos
from training.photos.evaluate import NOISE_LEVELS, PairProtocol, Protocol, as_method, leave_noisy, score_on_photos
from training.photos.figures import draw_examples
from training.photos.networks import build_photo
from training.store.export import SavedNetwork

PAIRS = "pairs"
MAIN_LEVEL = "25"
MAC_SIDE_PX = 64


def measure_photo_run(
    network: keras.Model, saved: SavedNetwork, photos: CleanPhotos, *, config: Config, run_dir: Path
) -> dict[str, Any]:
    """Return the metrics of metadata.json, on the held-out photographs through the SavedModel."""
    method = as_method(saved)
    by_level = {}
    for level, protocol in _choose_protocols(config).items():
        score = score_on_photos(method, photos.validation, protocol)
        noisy = score_on_photos(leave_noisy, photos.validation, protocol)
        by_level[level] = {"psnr_db": score.psnr_db, "ssim": score.ssim, "noisy_psnr_db": noisy.psnr_db}
    progresses = [load_progress(run_dir / stage.name) for stage in config.stages]
    seconds = sum(progress.seconds for progress in progresses)
    return {
        "protocol": f"{len(photos.validation)} held-out photographs of {photos.name}, {_describe(config)}, level told",
        **by_level[PAIRS if config.takes_pairs else MAIN_LEVEL],
        "by_noise_level": by_level,
        "train_images": len(photos.train),
        "validation_images": len(photos.validation),
        "epochs": {stage.name: progress.epochs for stage, progress in zip(config.stages, progresses, strict=True)},
        **({"minutes": round(seconds / 60, 1)} if seconds else {}),
        "parameters": network.count_params(),
        "mac_per_pixel": count_macs_per_pixel(),
    }


def _choose_protocols(config: Config) -> dict[str, Protocol | PairProtocol]:
    if config.takes_pairs:
        return {PAIRS: PairProtocol(RecordedNoise())}
    return {str(level): Protocol(level, rounded=False) for level in NOISE_LEVELS}


def _describe(config: Config) -> str:
    return f"noise {config.stages[-1].noise}" if config.takes_pairs else "white Gaussian noise"


def count_macs_per_pixel() -> int:
    """Return the multiply-accumulates of the photo network for each pixel of its image, rounded."""
    total = count_macs(build_photo(side_px=MAC_SIDE_PX))
    assert total is not None  # noqa: S101  # the side is fixed
    return round(total / MAC_SIDE_PX**2)


def draw_photo_run(
    _network: keras.Model, saved: SavedNetwork, photos: CleanPhotos, *, config: Config, run_dir: Path
) -> dict[str, Figure]:
    """Return the figures by name: crops of held-out pairs, or of photographs in the public domain, and the loss."""
    progresses = [load_progress(run_dir / stage.name) for stage in config.stages]
    return {
        "examples": draw_examples({"denoised": as_method(saved)}, photos.validation if photos.are_pairs else ()),
        "loss": plot_loss(config.stages, progresses),
    }

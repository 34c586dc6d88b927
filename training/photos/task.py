"""Networks for photographs of any size: how they are trained, measured and published."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from training.config import Config, Crops, Stage
from training.fit.checkpoints import load_progresses
from training.fit.figures import plot_loss
from training.images.metrics import count_macs
from training.images.noise import Images, RandomLevelNoise, RecordedNoise
from training.photos.batches import Inputs, NoisyCrops, make_validation_crops
from training.photos.card import render_card
from training.photos.data import CleanPhotos, load_photos
from training.photos.evaluate import NOISE_LEVELS, Protocol, as_method, leave_noisy, score_on_photos, split_pair
from training.photos.figures import draw_examples
from training.photos.networks import NETWORKS, build_photo
from training.task import TrainedRun

PAIRS = "pairs"
MAIN_LEVEL = "25"
MAC_SIDE_PX = 64  # a size at which to count, since that of the images is free


@dataclass(frozen=True)
class PhotosTask:
    """The task of the preset for photographs; ``networks`` are its architectures by name."""

    networks: Mapping[str, Callable[[], keras.Model]] = field(default_factory=lambda: NETWORKS)

    render_card = staticmethod(render_card)

    def load(self, source: str, config: Config) -> CleanPhotos:
        return load_photos(source, min_side_px=_crops_of(config).side_px, seed=config.seed)

    def build_network(self, config: Config) -> keras.Model:
        return self.networks[config.architecture]()

    def batches(self, config: Config, stage: Stage, photos: CleanPhotos) -> NoisyCrops:
        return NoisyCrops(
            photos.train, _noise_of(stage), crops=_crops_of(config), batch_size=config.batch_size, seed=config.seed
        )

    def validation(self, config: Config, stage: Stage, photos: CleanPhotos) -> tuple[Inputs, Images]:
        return make_validation_crops(photos.validation, _noise_of(stage), _crops_of(config))

    def measure(self, run: TrainedRun[CleanPhotos]) -> dict[str, Any]:
        """Measure on the held-out photographs, at each noise level."""
        config, photos = run.config, run.images
        method = as_method(run.saved)
        protocols = {str(level): Protocol(level, rounded=False).make_noisy for level in NOISE_LEVELS}
        if config.takes_pairs:
            protocols = {PAIRS: split_pair}
        by_level = {}
        for level, make_noisy in protocols.items():
            score = score_on_photos(method, photos.validation, make_noisy)
            noisy = score_on_photos(leave_noisy, photos.validation, make_noisy)
            by_level[level] = {"psnr_db": score.psnr_db, "ssim": score.ssim, "noisy_psnr_db": noisy.psnr_db}
        progresses = load_progresses(run.folder, config.stages)
        seconds = sum(progress.seconds for progress in progresses.values())
        noise = f"noise {config.stages[-1].noise}" if config.takes_pairs else "white Gaussian noise"
        return {
            "protocol": f"{len(photos.validation)} held-out photographs of {photos.name}, {noise}, level told",
            **by_level[PAIRS if config.takes_pairs else MAIN_LEVEL],
            "by_noise_level": by_level,
            "train_images": len(photos.train),
            "validation_images": len(photos.validation),
            "epochs": {name: progress.epochs for name, progress in progresses.items()},
            **({"minutes": round(seconds / 60, 1)} if seconds else {}),
            "parameters": run.network.count_params(),
            "mac_per_pixel": round((count_macs(build_photo(side_px=MAC_SIDE_PX)) or 0) / MAC_SIDE_PX**2),
        }

    def draw(self, run: TrainedRun[CleanPhotos]) -> dict[str, Figure]:
        """Draw crops of held-out pairs, or of photographs in the public domain, and the loss."""
        pairs = run.images.validation if run.images.are_pairs else ()
        return {
            "examples": draw_examples({"denoised": as_method(run.saved)}, pairs),
            "loss": plot_loss(run.config.stages, load_progresses(run.folder, run.config.stages)),
        }

    def assess(self, folder: Path, source: str, _runs: Path, *, limit: int | None) -> str:
        from training.photos.assess import assess  # needs libraries that only developers install

        return assess(folder, source, limit=limit)


def _crops_of(config: Config) -> Crops:
    if config.crops is None:
        raise TypeError(f"{config.preset} has no crops, which photographs are trained on")
    return config.crops


def _noise_of(stage: Stage) -> RandomLevelNoise | RecordedNoise:
    if not isinstance(stage.noise, RandomLevelNoise | RecordedNoise):
        raise TypeError(f"stage {stage.name} has noise without a level that the network can be given")
    return stage.noise

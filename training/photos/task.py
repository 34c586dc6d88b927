"""Networks for photographs of any size: how they are trained, measured and published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from training.config import Config, Crops, Stage
from training.errors import DataError
from training.fit.checkpoints import load_progresses
from training.fit.figures import plot_loss
from training.images.files import to_images
from training.images.luma import GRAY_WEIGHTS
from training.images.metrics import count_macs
from training.images.mixture import MixedNoise
from training.images.noise import Images
from training.photos.batches import Inputs, NoisyCrops, PhotoNoise, make_validation_crops
from training.photos.card import render_card
from training.photos.crops import cut_centre
from training.photos.data import CleanPhotos, Photo, load_photos
from training.photos.evaluate import (
    NOISE_LEVELS,
    NoisyPhoto,
    Protocol,
    as_method,
    leave_noisy,
    measure_neighbours,
    measure_pair,
    photograph,
    score_on_photos,
)
from training.photos.figures import draw_examples, draw_noisy_only
from training.photos.neighbours import measure_noise, require_independence
from training.photos.network.colour import build_colour
from training.photos.network.photo import NETWORKS, copy_part, let_learn, split_by_colour
from training.photos.network.unet import build_unet
from training.photos.network.weights import Weights, adapt_weights
from training.task import TrainedRun

PAIRS, NEIGHBOURS, CAMERA, IN_COLOUR = "pairs", "neighbours", "a camera's", " in colour"
MAIN_LEVEL = "25"
MEASURED_SIDE_PX = 256  # the middle of each held-out photograph; whole ones would take an hour
MAC_SIDE_PX = 64  # a size at which to count, since that of the images is free


@dataclass(frozen=True)
class PhotosTask:
    """The task of the preset for photographs; ``networks`` are its architectures by name."""

    networks: Mapping[str, Callable[[], keras.Model]] = field(default_factory=lambda: NETWORKS)

    render_card = staticmethod(render_card)

    def load(self, sources: Sequence[str], config: Config) -> CleanPhotos:
        side_px = _crops_of(config).side_px
        if not config.takes_noisy_only:
            return load_photos(sources, min_side_px=side_px, seed=config.seed)
        photos = load_photos(sources, min_side_px=2 * side_px, seed=config.seed)
        if photos.are_pairs:
            raise DataError(f"{photos.name}: holds pairs, which teach more: train without --noisy-only")
        require_independence([measure_noise(to_images(photo[None])[0]) for photo in photos.train])
        return photos

    def build_network(self, config: Config) -> keras.Model:
        return self.networks[config.architecture]()

    def adapt_weights(self, weights: Sequence[Weights], network: keras.Model) -> list[Weights]:
        return adapt_weights(weights, network)

    def prepare(self, network: keras.Model, stage: Stage) -> None:
        if stage.part and stage.copy_of:
            copy_part(network, stage.copy_of, stage.part)
        let_learn(network, stage.part)

    def special_cases(self, network: keras.Model) -> dict[str, keras.Model]:
        return split_by_colour(network)

    def batches(self, config: Config, stage: Stage, photos: CleanPhotos) -> NoisyCrops:
        return NoisyCrops(
            photos.train,
            _noise_of(stage),
            crops=_crops_of(config),
            batch_size=config.batch_size,
            seed=config.seed,
            part=stage.part,
        )

    def validation(self, config: Config, stage: Stage, photos: CleanPhotos) -> tuple[Inputs, Images]:
        return make_validation_crops(photos.validation, _noise_of(stage), _crops_of(config), part=stage.part)

    def measure(self, run: TrainedRun[CleanPhotos]) -> dict[str, Any]:
        """Measure on the held-out photographs, at each noise level."""
        config, photos = run.config, run.images
        method = as_method(run.saved)
        noise = config.stages[-1].noise
        protocols: dict[str, Callable[[Photo], NoisyPhoto]] = {
            str(protocol.level) + (IN_COLOUR if protocol.in_colour else ""): protocol.make_noisy
            for protocol in (Protocol(level, False, is_colour) for is_colour in (False, True) for level in NOISE_LEVELS)
        }
        if isinstance(noise, MixedNoise):
            protocols[CAMERA] = partial(photograph, noise=noise)
        if config.takes_pairs:
            protocols = {PAIRS: measure_pair}
        if config.takes_noisy_only:
            protocols = {NEIGHBOURS: measure_neighbours}
        measured = [cut_centre(photo, MEASURED_SIDE_PX) for photo in photos.validation]
        by_level = {}
        for level, make_noisy in protocols.items():
            score = score_on_photos(method, measured, make_noisy)
            noisy = score_on_photos(leave_noisy, measured, make_noisy)
            by_level[level] = {"psnr_db": score.psnr_db, "ssim": score.ssim, "noisy_psnr_db": noisy.psnr_db}
        progresses = load_progresses(run.folder, config.stages)
        seconds = sum(progress.seconds for progress in progresses.values())
        kind = f"noise {noise}" if config.takes_pairs else "white Gaussian noise"
        told = f"{kind}, level told"
        if config.takes_noisy_only:
            told = "half of the pixels denoised and compared with their neighbours, whose noise bounds the PSNR"
        colour = build_colour(build_unet(side_px=MAC_SIDE_PX), GRAY_WEIGHTS, MAC_SIDE_PX)  # the larger one
        return {
            "protocol": f"The middle of {len(measured)} held-out photographs of {photos.name}, {told}",
            **(next(iter(by_level.values())) if len(by_level) == 1 else by_level[MAIN_LEVEL]),
            "by_noise_level": by_level,
            "train_images": len(photos.train),
            **({"licences": dict(photos.licences)} if photos.licences else {}),
            "validation_images": len(photos.validation),
            "epochs": {name: progress.epochs for name, progress in progresses.items()},
            **({"minutes": round(seconds / 60, 1)} if seconds else {}),
            "parameters": run.network.count_params(),
            "mac_per_pixel": round((count_macs(colour) or 0) / MAC_SIDE_PX**2),
        }

    def draw(self, run: TrainedRun[CleanPhotos]) -> dict[str, Figure]:
        """Draw crops of held-out pairs or noisy photographs, or of photographs in the public domain, and the loss."""
        methods = {"denoised": as_method(run.saved)}
        if run.config.takes_noisy_only:
            examples = draw_noisy_only(methods, run.images.validation)
        else:
            examples = draw_examples(methods, run.images.validation if run.images.are_pairs else ())
        return {
            "examples": examples,
            "loss": plot_loss(run.config.stages, load_progresses(run.folder, run.config.stages)),
        }

    def assess(self, folder: Path, source: str, _runs: Path, *, limit: int | None) -> str:
        from training.photos.assess import assess  # needs libraries that only developers install

        return assess(folder, source, limit=limit)


def _crops_of(config: Config) -> Crops:
    if config.crops is None:
        raise TypeError(f"{config.preset} has no crops, which photographs are trained on")
    return config.crops


def _noise_of(stage: Stage) -> PhotoNoise:
    if not isinstance(stage.noise, PhotoNoise):
        raise TypeError(f"stage {stage.name} has noise without a level that the network can be given")
    return stage.noise

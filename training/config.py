"""Every choice of a training run, in frozen values that are dumped whole into metadata.json."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from training.images.augmentation import RandomAffine
from training.images.mixture import MixedNoise
from training.images.noise import Noise, NoNoise, RandomLevelNoise, RecordedNoise, UnknownNoise

Polarity = Literal["light-on-dark", "dark-on-light"]
TaskName = Literal["digits", "photos"]
Part = Literal["white-gray", "gray", "white-colour", "colour"]  # for white noise or any, and kind of image
Loss = Literal["binary_crossentropy", "mean_absolute_error", "log_mean_squared_error"]

WHITE_PARTS: tuple[Part, ...] = ("white-gray", "white-colour")
FINE_TUNING_SHARE = 0.4  # of the learning rate


@dataclass(frozen=True)
class NoiseLevelRange:
    """The noise levels that a network was trained for, in [0, 1] units."""

    min: float
    max: float


@dataclass(frozen=True)
class Interface:
    """What a network takes; ``polarity`` is None for any, ``noise_level`` None for a network without that input."""

    polarity: Polarity | None = None
    noise_level: NoiseLevelRange | None = None
    size_multiple: int = 1
    halo_px: int = 0


@dataclass(frozen=True)
class Adadelta:
    """The optimizer of the article."""

    learning_rate: float

    def __str__(self) -> str:
        return f"Adadelta {self.learning_rate:g}"


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay; an exponential average of the weights is measured and kept.

    The learning rate rises for ``warmup_steps``, at most a tenth of all steps, then falls along half a cosine to
    ``final_share`` of its peak. The average's time constant is ``averaged_share`` of the steps so far.
    """

    learning_rate: float
    weight_decay: float = 0.02
    beta_2: float = 0.99
    clip_norm: float = 1.0
    warmup_steps: int = 500
    final_share: float = 0.003
    averaged_share: float = 0.036

    def __str__(self) -> str:
        return f"AdamW {self.learning_rate:g}"


@dataclass(frozen=True)
class Muon:
    """Orthogonalised momentum, equally long in every direction; learning rate and average as for AdamW.

    Adam updates biases and narrow kernels at ``adam_ratio`` of the learning rate. The norm of all gradients together is
    clipped to ``clip_norm``, so that no single crop dominates the momentum.
    """

    learning_rate: float
    momentum: float = 0.95
    adam_ratio: float = 0.5
    adam_beta_2: float = 0.99
    clip_norm: float = 0.3
    warmup_steps: int = 200
    final_share: float = 0.0
    averaged_share: float = 0.036

    def __str__(self) -> str:
        return f"Muon {self.learning_rate:g}"


Optimizer = Adadelta | AdamW | Muon


@dataclass(frozen=True)
class Crops:
    """Square crops of photographs, drawn at random; an epoch is a number of steps.

    A ``full_size`` share has the photograph's scale, the others one from ``min_scale`` to 1, which hides the traces of
    JPEG. Validation uses central crops of twice ``side_px`` where the photographs are large enough.
    """

    side_px: int = 128
    full_size: float = 0.4
    min_scale: float = 0.5
    steps_per_epoch: int = 1000


@dataclass(frozen=True)
class Stage:
    """One call of fit, from fresh weights or from the best weights of the earlier stage ``start_from``.

    A stage with a ``lesson``, a sentence for the model card, changes nothing for the other stages; runs on data other
    than the preset's leave it out.
    ``measured_noise`` is the noise of validation and test images where it differs from that of training.
    ``part`` names what the stage trains, on images of its kind alone; the rest of the network stays as it is.
    ``copy_of`` names the part whose weights it takes over at first.
    """

    name: str
    noise: Noise | RandomLevelNoise | MixedNoise | RecordedNoise | UnknownNoise
    epochs: int
    optimizer: Optimizer
    loss: Loss = "binary_crossentropy"
    start_from: str | None = None
    part: Part | None = None
    copy_of: Part | None = None
    augmentation: RandomAffine | None = None
    measured_noise: Noise | None = None
    lesson: str | None = None

    @property
    def test_noise(self) -> Noise | RecordedNoise:
        """The noise of validation and test images; TypeError if the network takes a noise level."""
        noise = self.measured_noise or self.noise
        if isinstance(noise, RandomLevelNoise | MixedNoise | UnknownNoise):
            raise TypeError(f"stage {self.name} is measured at fixed noise levels")
        return noise

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, numbers and strings."""
        return asdict(self) | {
            "noise": str(self.noise),
            "measured_noise": str(self.measured_noise or self.noise),
            "optimizer": {"name": type(self.optimizer).__name__, **asdict(self.optimizer)},
        }


@dataclass(frozen=True)
class Config:
    """A preset, or a run: a preset with the options of the command line.

    The last stage is exported; ``note`` explains the stages to readers of the model card. ``data`` names the images
    that ``description`` is about. ``crops`` is None for images of one size, which are used whole. The stages share
    ``minutes`` in proportion to their epochs, and end early where their epochs take longer.
    """

    preset: str
    task: TaskName
    architecture: str
    description: str
    interface: Interface
    stages: tuple[Stage, ...]
    note: str = ""
    data: str = "MNIST"
    crops: Crops | None = None
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    batch_size: int = 128
    minutes: float | None = None
    seed: int = 0

    @property
    def takes_noisy_only(self) -> bool:
        """Whether the exported network is trained on noisy images without clean ones."""
        return isinstance(self.stages[-1].noise, UnknownNoise)

    @property
    def takes_pairs(self) -> bool:
        """Whether the exported network is trained on noisy/clean pairs."""
        return isinstance(self.stages[-1].noise, RecordedNoise)

    def minutes_of(self, stage: Stage) -> float | None:
        """Return the stage's share of ``minutes``, None where the run is not timed."""
        return self.minutes and self.minutes * stage.epochs / sum(stage.epochs for stage in self.stages)

    def with_pairs(self) -> "Config":
        """Return the same run on noisy/clean pairs, without warping, which would change their noise.

        Stages that learn to copy clean images stay as they are. A network with parts for white noise leaves them out:
        the noise is that of the pairs, whatever it is.
        """
        stages = tuple(
            stage
            if isinstance(stage.noise, NoNoise)
            else replace(stage, noise=RecordedNoise(), measured_noise=None, augmentation=None, copy_of=None)
            for stage in _drop(self.stages, WHITE_PARTS)
        )
        return replace(self, stages=stages, architecture=self._without_white())

    def with_noisy_only(self) -> "Config":
        """Return a short run of one stage that adapts an earlier network to noisy photographs without clean ones."""
        crops = replace(self.crops or Crops(), steps_per_epoch=100)
        stage = replace(
            self.stages[-1],
            name="adapt",
            noise=UnknownNoise(),
            epochs=30,
            optimizer=Muon(1e-3, warmup_steps=50),
            start_from=None,
            part=None,
        )
        return replace(self, stages=(stage,), crops=crops, architecture=self._without_white())

    def starting_from(self, origin: str) -> "Config":
        """Return the last stage, or the last of each part, from weights that the run keeps under ``origin``.

        The learning rate is lower, but for noisy images alone, whose stage expects a trained network: with the usual
        one, a good network is worse for most of a short run.
        """
        kept = list({stage.part: stage for stage in self.stages if stage.part}.values()) or self.stages[-1:]
        share = 1 if self.takes_noisy_only else FINE_TUNING_SHARE
        names = {stage.name for stage in kept}
        stages = tuple(
            replace(
                stage,
                start_from=stage.start_from if stage.start_from in names else origin,
                copy_of=None,
                optimizer=replace(stage.optimizer, learning_rate=share * stage.optimizer.learning_rate),
            )
            for stage in kept
        )
        return replace(self, stages=stages)

    def without_colour(self) -> "Config":
        """Return the same run without the stage for colour, to which gray pairs would teach nothing."""
        return replace(self, stages=_drop(self.stages, ("colour", "white-colour")))

    def _without_white(self) -> str:
        """Return the name of the architecture that has no parts for white noise."""
        return "photo-any-noise" if any(stage.part in WHITE_PARTS for stage in self.stages) else self.architecture

    def without_lessons(self) -> "Config":
        """Return the same run without the stages that only teach something."""
        return replace(self, stages=tuple(stage for stage in self.stages if stage.lesson is None))

    def with_epochs(self, epochs: int) -> "Config":
        """Return the same run with that many epochs in every stage."""
        return replace(self, stages=tuple(replace(stage, epochs=epochs) for stage in self.stages))

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, numbers and strings, as they come back from a file."""
        dumped: dict[str, Any] = json.loads(json.dumps(asdict(self) | {"stages": [s.to_json() for s in self.stages]}))
        return dumped


def _drop(stages: Sequence[Stage], parts: Collection[Part]) -> tuple[Stage, ...]:
    """Return the stages without those of ``parts``; what followed one of them starts from what that started from."""
    starts = {stage.name: stage.start_from for stage in stages if stage.part in parts}

    def find_start(name: str | None) -> str | None:
        return find_start(starts[name]) if name in starts else name

    kept = (stage for stage in stages if stage.name not in starts)
    return tuple(replace(stage, start_from=find_start(stage.start_from)) for stage in kept)

"""What to do with a picture, with the defaults of the network filled in."""

from dataclasses import dataclass
from typing import Literal, Self

from app.imaging.encode import DEFAULT_QUALITY, OutputFormat
from app.imaging.fit import Fit
from app.imaging.handwriting.polarity import Polarity
from app.imaging.placement import Size
from app.inference.metadata import ModelMetadata

SMALL_SIDE_PX = 64  # the largest width and height of a picture that counts as small


@dataclass(frozen=True)
class Options:
    """What to do with a picture.

    Attributes:
        model: the network.
        fit: how the picture is brought to a fixed size.
        polarity: that of the picture, or ``auto`` to judge it.
        to_source: whether the result has the size of the picture.
        noise_level: that of the picture, in [0, 1] units; None to estimate it.
        strength: factor for the noise level that the network receives.
        bit_depth: that of the result of a network of any size.
        keeps_color: whether that result may be in colour.
        format: that of the result.
        quality: 1 to 100, of a format that loses something.
    """

    model: ModelMetadata
    fit: Fit = "stretch"
    polarity: Polarity | Literal["auto"] = "auto"
    to_source: bool = False
    noise_level: float | None = None
    strength: float = 1.0
    bit_depth: Literal["8", "16", "same"] = "8"
    keeps_color: bool = False
    format: OutputFormat = "png"
    quality: int = DEFAULT_QUALITY

    @property
    def backdrop(self) -> float:
        """The gray in [0, 1] that shows through transparent pixels: that of paper."""
        return 0.0 if self.polarity == "light-on-dark" else 1.0

    @property
    def estimates_noise(self) -> bool:
        """Whether the noise level has to be estimated, which takes milliseconds."""
        return self.model.noise_level is not None and self.noise_level is None

    def told_noise_level(self, noise_level: float | None) -> float | None:
        """Return the level that the network receives, kept in its range, in [0, 1] units; None if it takes none."""
        known = self.model.noise_level
        if noise_level is None or known is None:
            return None
        return min(max(noise_level * self.strength, known.min), known.max)


@dataclass(frozen=True)
class Choice:
    """What to do with a picture of any size: the network may depend on it, the format of the result does not.

    Attributes:
        small: for pictures of at most SMALL_SIDE_PX pixels in width and in height.
        large: for all others.
    """

    small: Options
    large: Options

    @classmethod
    def always(cls, options: Options) -> Self:
        """Return the choice that does not depend on the size."""
        return cls(options, options)

    def for_size(self, size: Size) -> Options:
        """Return the options for a picture of this height and width, upright or not."""
        return self.small if max(size) <= SMALL_SIDE_PX else self.large

    @property
    def model(self) -> ModelMetadata | None:
        """The network, or None if it depends on the size."""
        return self.small.model if self.small.model == self.large.model else None

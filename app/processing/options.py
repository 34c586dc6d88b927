"""What a query asks of a network, with the defaults filled in."""

from dataclasses import dataclass
from typing import Literal

from app.errors import InvalidParameterError
from app.imaging.fit import Fit
from app.imaging.handwriting.polarity import Polarity
from app.inference.metadata import InputSpec, ModelMetadata, NoiseLevelRange
from app.web.schemas import DenoiseQuery

LEVELS = 255  # noise levels are on the 8-bit scale outside, in units of the [0, 1] range inside


@dataclass(frozen=True)
class Options:
    """What to do with a picture.

    Attributes:
        input: the images that the network takes.
        noise_levels: those that it knows, or None where it is not told.
        fit: how a picture is brought to a fixed size.
        polarity: of the picture.
        to_source: whether the result has the picture's size.
        noise_level: of the picture, in [0, 1] units; None is to be estimated.
        strength: times the noise level that the network is told.
        bit_depth: of a result of any size.
        keeps_color: whether such a result may be in colour.
    """

    input: InputSpec
    noise_levels: NoiseLevelRange | None = None
    fit: Fit = "stretch"
    polarity: Polarity | Literal["auto"] = "auto"
    to_source: bool = False
    noise_level: float | None = None
    strength: float = 1.0
    bit_depth: Literal["8", "16", "same"] = "8"
    keeps_color: bool = False

    @property
    def estimates_noise(self) -> bool:
        """Whether the noise level has to be estimated, which takes milliseconds."""
        return self.noise_levels is not None and self.noise_level is None

    def told_noise_level(self, noise_level: float | None) -> float | None:
        """What the network is told of a picture with that noise: within what it knows; None where it is not told."""
        if noise_level is None or self.noise_levels is None:
            return None
        return min(max(noise_level * self.strength, self.noise_levels.min), self.noise_levels.max)


def choose_options(query: DenoiseQuery, model: ModelMetadata) -> Options:
    """Fill in the defaults of a network.

    Raises:
        InvalidParameterError: the query has a parameter that the network cannot use.
    """
    spec = model.input
    if spec.size is None:
        _refuse("fit", query.fit, "takes pictures of any size")
        _refuse("output_size", "model" if query.output_size == "model" else None, "takes pictures of any size")
    else:
        _refuse("bit_depth", query.bit_depth, "takes pictures of one size")
        _refuse("color", query.color, "takes pictures of one size")
    if spec.polarity is None:
        _refuse("polarity", query.polarity, "does not care about polarity")
    if model.noise_level is None:
        _refuse("noise_level", query.noise_level, "is not told the noise level")
        _refuse("strength", query.strength, "is not told the noise level")
    keeps_color = query.color == "keep"
    if keeps_color and query.bit_depth == "16":
        msg = "bit_depth=16 is for gray results; leave it out, or use color=gray."
        raise InvalidParameterError(msg, parameter="bit_depth")
    return Options(
        input=spec,
        noise_levels=model.noise_level,
        fit=query.fit or "stretch",
        polarity=query.polarity or "auto",
        to_source=query.output_size == "original",
        noise_level=_read_noise_level(query, model.noise_level),
        strength=1.0 if query.strength is None else query.strength,
        bit_depth=query.bit_depth or "8",
        keeps_color=keeps_color,
    )


def _read_noise_level(query: DenoiseQuery, known: NoiseLevelRange | None) -> float | None:
    if known is None or query.noise_level is None or query.noise_level == "auto":
        return None
    lowest, highest = known.min * LEVELS, known.max * LEVELS
    if not lowest <= query.noise_level <= highest:
        msg = f"noise_level: the chosen model knows {lowest:g} to {highest:g}, not {query.noise_level:g}."
        raise InvalidParameterError(msg, parameter="noise_level")
    return query.noise_level / LEVELS + 0.0  # so that -0 is 0


def _refuse(parameter: str, value: str | float | None, reason: str) -> None:
    if value is not None:
        shown = f"{value:g}" if isinstance(value, float) else value
        msg = f"{parameter}={shown} has no meaning for the chosen model, which {reason}."
        raise InvalidParameterError(msg, parameter=parameter)

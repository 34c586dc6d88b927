"""The noise that the network for photographs learns: white noise, cameras and scans."""

from dataclasses import dataclass, field

from training.images.camera import CameraNoise
from training.images.documents import ScanNoise
from training.images.noise import RandomLevelNoise


@dataclass(frozen=True)
class MixedNoise:
    """White noise for most crops, a camera's or a scanner's for a share of them, none for a ``clean_share``.

    The level of cameras and scanners is that of noisy - clean, as ``luma.measure_level`` has it. The network gets it
    times a log-normal factor of median ``level_bias`` and deviation ``level_error``, as people and estimates
    have one: they miss a part of noise that is weak where it is dark. For a clean crop, it is still told a level,
    log-uniform in ``clean_level`` on the 8-bit scale, because estimates take fine texture for noise.
    """

    white: RandomLevelNoise = field(default_factory=RandomLevelNoise)
    camera: CameraNoise = field(default_factory=CameraNoise)
    scan: ScanNoise = field(default_factory=ScanNoise)
    camera_share: float = 0.34
    scan_share: float = 0.06
    clean_share: float = 0.05
    clean_level: tuple[float, float] = (0.3, 3.0)
    level_bias: float = 0.9
    level_error: float = 0.3

    def __post_init__(self) -> None:
        if self._white_share < 0:
            raise ValueError("the shares of cameras, scanners and clean crops are more than the whole")

    @property
    def _white_share(self) -> float:
        return round(1 - self.camera_share - self.scan_share - self.clean_share, 9) or 0.0  # not -0

    def __str__(self) -> str:
        return (
            f"{self._white_share:.0%} {self.white}; {self.camera_share:.0%} {self.camera};"
            f" {self.scan_share:.0%} {self.scan}; {self.clean_share:.0%} none"
        )

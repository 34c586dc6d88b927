"""The noise that the network for photographs learns: white noise, cameras and scans."""

from dataclasses import dataclass, field

from training.images.camera import CameraNoise
from training.images.documents import ScanNoise
from training.images.noise import RandomLevelNoise


@dataclass(frozen=True)
class MixedNoise:
    """White noise for most crops, a camera's or a scanner's for a share of them.

    The level of the latter is the root mean square of noisy - clean over pixels and channels. The network gets it times
    a log-normal factor of median ``level_bias`` and deviation ``level_error``, as people and estimates have one: they
    miss a part of the noise whose finest grain is gone.
    """

    white: RandomLevelNoise = field(default_factory=RandomLevelNoise)
    camera: CameraNoise = field(default_factory=CameraNoise)
    scan: ScanNoise = field(default_factory=ScanNoise)
    camera_share: float = 0.34
    scan_share: float = 0.06
    level_bias: float = 0.85
    level_error: float = 0.3

    def __str__(self) -> str:
        white_share = 1 - self.camera_share - self.scan_share
        return (
            f"{white_share:.0%} {self.white}; {self.camera_share:.0%} {self.camera}; {self.scan_share:.0%} {self.scan}"
        )

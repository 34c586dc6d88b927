from training.config import Adadelta, Stage
from training.fit.checkpoints import Progress
from training.fit.figures import plot_loss
from training.images.noise import GaussianNoise, NoNoise

STAGES = (
    Stage("plain", NoNoise(), 2, Adadelta(1.0)),
    Stage("slow", NoNoise(), 2, Adadelta(0.1)),
    Stage("denoise", GaussianNoise(0.4), 2, Adadelta(1.0)),
)


def test_stages_of_the_same_noise_share_a_panel() -> None:
    progress = Progress({"loss": [3.0, 2.0], "val_loss": [2.5, 1.5]})
    panels = plot_loss(STAGES, dict.fromkeys(("plain", "slow", "denoise"), progress)).axes
    assert [panel.get_title() for panel in panels] == ["Noise: none", "Noise: Gaussian 0.4 clipped"]
    assert [len(panel.lines) for panel in panels] == [4, 2]
    assert panels[0].get_ylabel() == "binary cross-entropy"
    assert panels[1].lines[1].get_label() == "denoise, Adadelta 1 (best 1.5000)"


def test_stages_without_an_epoch_have_none() -> None:
    progress = Progress({"loss": [3.0, 2.0], "val_loss": [2.5, 1.5]})
    (panel,) = plot_loss(STAGES, {"plain": progress, "slow": Progress(), "denoise": Progress()}).axes
    assert len(panel.lines) == 2

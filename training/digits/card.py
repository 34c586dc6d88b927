"""MODEL_CARD.md of a network for images of one size."""

from collections.abc import Collection
from typing import Any

from training.images.noise import RecordedNoise
from training.store.metadata import Metadata

MNIST_LICENSE = (
    "[MNIST](https://keras.io/api/datasets/mnist/) by Yann LeCun, Corinna Cortes and Christopher Burges,"
    " [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/)"
)

TEMPLATE = """\
# {name}/{version}

{description}.

![Clean, noisy and denoised test images](figures/examples.png)

## Intended use

Removing noise from gray images of {size}, {polarity}, behind the denoiser service or in anything else that loads a
TensorFlow SavedModel. Signature `serving_default`: `image` (N, H, W, 1) float32 in [0, 1] in, `denoised` of the same
shape out. Trained for this noise: {noise}.

## Data

{data}.
The figures below come from {test_images:,} images that the network never saw; the weights are those of the epoch with
the lowest loss on images held out of the training set.

## Training

{note}

| stage | noise, new in every step | epochs | optimizer, learning rate | starts from | lowest validation BCE |
| --- | --- | ---: | --- | --- | ---: |
{stages}

![Loss of every stage: strong on held-out images, faint on training images](figures/loss.png)

{features}
## Measured

{protocol}; mean over the images.

| | PSNR (dB) | SSIM | BCE |
| --- | ---: | ---: | ---: |
| noisy input | {noisy_psnr_db:.2f} | {noisy_ssim:.3f} | {noisy_bce:.4f} |
| denoised | {psnr_db:.2f} | {ssim:.3f} | {bce:.4f} |

{parameters:,} parameters{macs}.

## Limits

The network knows only what it was trained on: it draws other subjects as if they were those, other or stronger noise
leaves traces, and fine detail below the noise is invented or lost. Not for evidence, diagnosis or measurement.

## Reproduce

```sh
{command}
```

Seed {seed}; the same seed yields the same data and noise, and weights that differ by rounding.{commit}
Configuration and versions are in [metadata.json](metadata.json).

## Licence

Weights: Apache-2.0, like the code. {data_license}.
"""

FEATURES = """\
## What the layers see

A noisy digit after each convolution and each pooling: a row for a layer, a tile for a channel (at most
16 are shown), black for zero.

![Feature maps of one noisy digit](figures/features.png)
"""

RECONSTRUCTIONS = """\
The plain autoencoder of the first stage copies clean images through the bottleneck:

![Clean test images and their copies](figures/reconstructions.png)
"""

SECTIONS = {"features": FEATURES, "reconstructions": RECONSTRUCTIONS}
STAGE = "| {name} | {noise} | {epochs} | {optimizer_text} | {origin} | {best_bce:.4f} |"


def render_card(metadata: Metadata, figures: Collection[str], *, command: str) -> str:
    """Return the card; ``figures`` are the names of its figures, ``command`` reproduces the network."""
    training, metrics = metadata.training, metadata.metrics
    config = training["config"]
    height, width = metadata.size
    is_mnist = training["data"] == "MNIST"
    return TEMPLATE.format(
        name=metadata.name,
        version=metadata.version,
        description=metadata.description,
        **metrics,
        size="any size" if height is None else f"{width}x{height} pixels",
        polarity=metadata.interface.polarity or "of either polarity",
        data=MNIST_LICENSE if is_mnist else f"The {_name_kind(training)} of “{training['data']}”",
        features="\n".join(text for name, text in SECTIONS.items() if name in figures),
        data_license="The figures show digits of MNIST, so they are CC BY-SA 3.0, like MNIST itself"
        if is_mnist
        else f"The holders of the rights to “{training['data']}” may disagree: state their licence here",
        noise=training["noise"],
        note=" ".join([config["note"], *filter(None, (stage.get("lesson") for stage in config["stages"]))]),
        stages="\n".join(
            STAGE.format(
                **stage,
                optimizer_text="{name} {learning_rate:g}".format(**stage["optimizer"]),
                origin=stage["start_from"] or "random weights",
                best_bce=metrics["best_validation_bce"][stage["name"]],
            )
            for stage in config["stages"]
        ),
        macs=""
        if metrics["mac_per_image"] is None
        else f", {metrics['mac_per_image']:,} multiply-accumulates an image",
        command=command,
        seed=training["config"]["seed"],
        commit=f" Trained at commit {training['git_commit']}." if training["git_commit"] else "",
    )


def _name_kind(training: dict[str, Any]) -> str:
    return "noisy/clean pairs" if training["noise"] == str(RecordedNoise()) else "images"

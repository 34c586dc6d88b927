"""MODEL_CARD.md of a network for photographs of any size."""

from collections.abc import Collection

from training.images.noise import RecordedNoise
from training.store.metadata import Metadata

BSDS_LICENSE = (
    "400 images of [BSDS500](https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/resources.html)"
    " (P. Arbeláez et al., “Contour detection and hierarchical image segmentation”, IEEE TPAMI 33(5), 2011), its splits"
    " *train* and *test*; the split *val*, which holds the usual test set BSD68, was not used. The data set is for"
    " non-commercial research and education"
)

TEMPLATE = """\
# {name}/{version}

{description}.

![Crops of photographs: noisy, denoised, clean](figures/examples.png)

## Intended use

Removing noise from gray photographs and scans of any size, behind the denoiser service or in anything else that loads a
TensorFlow SavedModel. Signature `serving_default`: `image` (N, H, W, 1) float32 in [0, 1] and `noise_level` (N,), the
standard deviation of its noise in the same units, in; `denoised` of the shape of `image` out. Trained for this noise:
{noise}. Without biases, the network is homogeneous: twice the image and twice the level yield twice the output.

## Data

{data}. {train_images} {kind} were trained on{scales}; {validation_images} were held out, and the
weights are those of the epoch with the lowest loss on crops of them. No test image was used for any choice.

## Training

{note}An epoch has {steps} steps of {batch_size} crops of {side_px}x{side_px} pixels; {precision}.

| stage | loss | epochs | optimizer, learning rate | starts from |
| --- | --- | ---: | --- | --- |
{stages}

![Loss of every epoch: strong on held-out photographs, faint on training crops](figures/loss.png)

## Measured

{protocol}; mean over the images.

| noise level | noisy (dB) | PSNR (dB) | SSIM |
| ---: | ---: | ---: | ---: |
{levels}

{parameters:,} parameters, {mac_per_pixel:,} multiply-accumulates a pixel.

## Limits

{limits} Fine texture that is weaker than the noise is lost, and at high levels plausible detail is drawn that was not
there. Not for evidence, diagnosis or measurement.

## Reproduce

```sh
{command}
```

Seed {seed}; with a budget of minutes, how far it gets depends on the machine.{commit} Configuration and versions are in
[metadata.json](metadata.json).

## Licence

Weights: Apache-2.0, like the code. {data_license}.{figures_license}
"""

KNOWS_WHITE_NOISE = """\
The network knows white Gaussian noise: independent for each pixel, at the same level everywhere. Noise of scans, of
compressed and of processed photographs is correlated between neighbours, stronger in some tones than in others, and
mostly coarser: single pixels do not reveal its level, so set it by hand, and expect blotches to stay."""

KNOWS_PAIRS = """\
The network knows the noise of its pairs: the same camera, scanner or setting gives the best results. Its noise level
was the standard deviation of noisy - clean of each whole pair; where the service's own estimate differs, set the level
by hand."""

FIGURES_LICENSE = """ \
The photographs in the figures are the camera man by Lav Varshney
and the astronaut Eileen Collins by NASA, from scikit-image: CC0 and public domain."""

STAGE = "| {name} | {loss} | {epochs} | {optimizer} | {start_from} |"
LEVEL = "| {level} | {noisy_psnr_db:.2f} | {psnr_db:.2f} | {ssim:.3f} |"


def render_card(metadata: Metadata, _figures: Collection[str], *, command: str) -> str:
    """Return the card; ``command`` reproduces the network."""
    training, metrics = metadata.training, metadata.metrics
    config = training["config"]
    is_bsds = training["data"].lower().startswith("bsds")
    are_pairs = training["noise"] == str(RecordedNoise())
    return TEMPLATE.format(
        name=metadata.name,
        version=metadata.version,
        description=metadata.description,
        **{key: config[key] for key in ("batch_size", "seed")},
        **metrics,
        note="" if are_pairs else config["note"] + " ",
        kind="noisy/clean pairs" if are_pairs else "photographs",
        scales="" if are_pairs else ", at scales from 1 to 0.5",
        limits=KNOWS_PAIRS if are_pairs else KNOWS_WHITE_NOISE,
        figures_license="" if are_pairs else FIGURES_LICENSE,
        noise=training["noise"],
        precision=config["precision"].replace("_", " "),
        data=BSDS_LICENSE if is_bsds else f"The photographs of “{training['data']}”",
        steps=config["crops"]["steps_per_epoch"],
        side_px=config["crops"]["side_px"],
        stages="\n".join(
            STAGE.format(
                name=stage["name"],
                loss=stage["loss"].replace("_", " "),
                epochs=metrics["epochs"][stage["name"]],
                optimizer="{name} {learning_rate:g}".format(**stage["optimizer"]),
                start_from=stage["start_from"] or "fresh weights",
            )
            for stage in config["stages"]
        ),
        levels="\n".join(LEVEL.format(level=level, **scores) for level, scores in metrics["by_noise_level"].items()),
        data_license="Photographs of BSDS500 are in none of its files"
        if is_bsds
        else f"The holders of the rights to “{training['data']}” may disagree: state their licence here",
        command=command,
        commit=f" Trained at commit {training['git_commit']}." if training["git_commit"] else "",
    )

"""MODEL_CARD.md of a network for photographs of any size."""

from collections.abc import Collection, Mapping, Sequence

from training.images.noise import RecordedNoise, UnknownNoise
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

![Crops of photographs: noisy, denoised{clean}](figures/examples.png)

## Intended use

Removing noise from photographs and scans of any size, gray and in colour, behind the denoiser service or in anything
else that loads a TensorFlow SavedModel. Signature `serving_default`: `image` (N, H, W, 3) float32 in [0, 1], sRGB, and
`noise_level` (N,), the standard deviation of its noise in the same units, in; `denoised` of the shape of `image` out.
The level of colour is that of white noise of equal strength in all channels that would put the same amount of noise
into 0.3 R + 0.4 G + 0.3 B. A gray image fills all three channels. Trained for this noise: {noise}.
Without biases, the network is homogeneous: twice the image and twice the level yield twice the output.

## Data

{data}. {train_images} {kind} were trained on{scales}; {validation_images} were held out, and the
weights are those of the epoch with the lowest loss on crops of them. No test image was trained on, and no weights were
chosen by one.

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

KNOWS_MIXED_NOISE = """\
The network knows white noise, and simulated cameras and scanners. Noise that is much coarser than theirs, such as that
of a picture that was enlarged after it was taken, stays in part; set the level by hand where the estimate is wrong."""

KNOWS_PAIRS = """\
The network knows the noise of its pairs: the same camera, scanner or setting gives the best results. Its noise level
was that of noisy - clean of each whole pair; where the service's own estimate differs, set the level
by hand."""

KNOWS_NOISY_ONLY = """\
The network knows the noise of its pictures: the same instrument and setting give the best results, other pictures
may come out worse than from the network that it started from. It learned from noise that differs between neighbouring
pixels; what they share, such as stripes or stains, it takes for the picture."""

NOISY_ONLY_NOTE = """\
Without clean pictures: of each cell of 2x2 pixels, one pixel goes into a noisy crop of half the size, and a neighbour
of it into a second one, which takes the place of the clean crop. Both show the same, and what differs is noise, which
cannot be predicted (T. Huang et al., “Neighbor2Neighbor”, CVPR 2021). """

FIGURES_LICENSE = """ \
The photographs in the figures are the camera man by Lav Varshney
and the astronaut Eileen Collins by NASA, from scikit-image: CC0 and public domain."""

STAGE = "| {name} | {loss} | {epochs} | {optimizer} | {start_from} |"
LEVEL = "| {level} | {noisy_psnr_db:.2f} | {psnr_db:.2f} | {ssim:.3f} |"


def render_card(metadata: Metadata, _figures: Collection[str], *, command: str) -> str:
    """Return the card; ``command`` reproduces the network."""
    training, metrics = metadata.training, metadata.metrics
    config = training["config"]
    names = training["data"].split("+")
    return TEMPLATE.format(
        name=metadata.name,
        version=metadata.version,
        description=metadata.description,
        **{key: config[key] for key in ("batch_size", "seed")},
        **metrics,
        **_explain_data(training["noise"], config["note"]),
        noise=training["noise"],
        precision=config["precision"].replace("_", " "),
        data=_describe_data(names, metrics.get("licences", {})),
        steps=config["crops"]["steps_per_epoch"],
        side_px=config["crops"]["side_px"],
        stages="\n".join(
            STAGE.format(
                name=stage["name"],
                loss=stage["loss"].replace("_", " "),
                epochs=metrics["epochs"][stage["name"]],
                optimizer="{name} {learning_rate:g}".format(**stage["optimizer"]),
                start_from=_describe_start(stage["start_from"]),
            )
            for stage in config["stages"]
        ),
        levels="\n".join(LEVEL.format(level=level, **scores) for level, scores in metrics["by_noise_level"].items()),
        data_license=_describe_rights(names, metrics.get("licences", {})),
        command=command,
        commit=f" Trained at commit {training['git_commit']}." if training["git_commit"] else "",
    )


def _describe_start(start_from: str | None) -> str:
    """Return ``photo/8`` for ``photo-8``, and the name of an earlier stage as it is."""
    if start_from is None:
        return "fresh weights"
    name, _, version = start_from.rpartition("-")
    return f"{name}/{version}" if version.isdecimal() else start_from


def _explain_data(noise: str, note: str) -> dict[str, str]:
    """Return the passages that depend on whether there were clean images, noisy ones, or both."""
    if noise == str(RecordedNoise()):
        return {
            "clean": ", clean",
            "note": "",
            "kind": "noisy/clean pairs",
            "scales": "",
            "limits": KNOWS_PAIRS,
            "figures_license": "",
        }
    if noise == str(UnknownNoise()):
        return {
            "clean": "",
            "note": NOISY_ONLY_NOTE,
            "kind": "noisy photographs, without clean ones,",
            "scales": "",
            "limits": KNOWS_NOISY_ONLY,
            "figures_license": "",
        }
    return {
        "clean": ", clean",
        "note": f"{note} ",
        "kind": "photographs",
        "scales": ", at scales from 1 to 0.5",
        "limits": KNOWS_MIXED_NOISE,
        "figures_license": FIGURES_LICENSE,
    }


def _describe_data(names: Sequence[str], licences: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count} {licence}" for licence, count in sorted(licences.items(), key=lambda item: -item[1]))
    others = [f"“{name}”" for name in names if not _is_bsds(name)]
    parts = (
        [f"The photographs of {' and '.join(others)}" + (f", by licence: {listed}" if listed else "")] if others else []
    )
    return ". ".join(parts + [BSDS_LICENSE for name in names if _is_bsds(name)])


def _describe_rights(names: Sequence[str], licences: Mapping[str, int]) -> str:
    """Return whose rights the weights may touch; none of the photographs is in any file."""
    others = " and ".join(f"“{name}”" for name in names if not _is_bsds(name))
    if others and not licences:
        return f"The holders of the rights to {others} may disagree: state their licence here"
    return "No photograph that it was trained on is in any of its files"


def _is_bsds(name: str) -> bool:
    return name.lower().startswith("bsds")

"""The comparison of a network with other methods: tables for people, scores for metadata.json."""

import math
from dataclasses import asdict

from training.digits.comparison import Results, Score
from training.images.noise import GaussianNoise, Noise, NoNoise, SaltAndPepperNoise
from training.store.card_section import render_table, wrap_section

INTRO = """\
{count:,} test images of {data_name}; mean over the images. Columns: no noise; Gaussian noise of that standard
deviation, clipped to [0, 1]; salt-and-pepper noise on that share of the pixels. Each classical filter has the parameter
that does best for that noise on training images. The networks know neither kind nor strength of the noise. Made by
`python -m training evaluate MODEL`, and `dense`, the fully connected autoencoder of the stacked pixels, by
`python -m training train dense --no-export` before it.

![PSNR against the strength of the noise](figures/psnr.png)"""
METRICS = {
    "accuracy": ("Read correctly by the classifier (%)", "{:.2f}", 100),
    "psnr_db": ("PSNR (dB)", "{:.2f}", 1),
    "ssim": ("SSIM", "{:.3f}", 1),
    "bce": ("Binary cross-entropy", "{:.4f}", 1),
    "mse": ("Mean squared error", "{:.4f}", 1),
}


def render_section(results: Results, *, data_name: str, count: int) -> str:
    """Return the model card's section: a table for each metric, with a row per method and a column per noise."""
    tables = [
        _render_metric(results, metric)
        for metric in METRICS
        if all(getattr(score, metric) is not None for scores in results.values() for score in scores.values())
    ]
    return wrap_section(
        "\n\n".join(["## Beside other methods", INTRO.format(count=count, data_name=data_name), *tables])
    )


def _render_metric(results: Results, metric: str) -> str:
    title, form, factor = METRICS[metric]
    rows = {
        name: [form.format(getattr(score, metric) * factor).replace("inf", "∞") for score in scores.values()]
        for name, scores in results.items()
    }
    return render_table(title, map(_shorten, next(iter(results.values()))), rows)


def _shorten(noise: Noise) -> str:
    match noise:
        case NoNoise():
            return "clean"
        case GaussianNoise(sigma):
            return f"{sigma:g}"
        case SaltAndPepperNoise(share):
            return f"{share:.0%}"
    return str(noise)


def round_scores(scores: dict[Noise, Score]) -> dict[str, dict[str, float]]:
    """Return the finite scores for metadata.json, rounded so that two runs agree."""
    return {
        str(noise): {name: round(value, 5) for name, value in asdict(score).items() if value not in (None, math.inf)}
        for noise, score in scores.items()
    }

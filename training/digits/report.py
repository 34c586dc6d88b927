"""A comparison told to people: tables for the terminal and the model card, key figures for metadata.json."""

import math
from dataclasses import asdict

from training.digits.comparison import Results, Score
from training.images.noise import GaussianNoise, Noise, NoNoise, SaltAndPepperNoise
from training.store.card_section import wrap_section

INTRO = """\
{count:,} test images of {data_name}; mean over the images. Columns: no noise; Gaussian noise of that standard
deviation, clipped to [0, 1]; salt-and-pepper noise on that share of the pixels. Each classical filter has the parameter
that does best for that noise on training images. The networks are told neither kind nor strength. Made by
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
    """Return the model card's section: one table for each metric, methods down, noises across."""
    tables = [
        _render_table(results, metric)
        for metric in METRICS
        if all(getattr(score, metric) is not None for scores in results.values() for score in scores.values())
    ]
    intro = INTRO.format(count=count, data_name=data_name)
    return wrap_section("\n\n".join(["## Beside other methods", intro, *tables]))


def _render_table(results: Results, metric: str) -> str:
    title, form, factor = METRICS[metric]
    noises = list(next(iter(results.values())))
    lines = [
        f"| {title} | " + " | ".join(_shorten(noise) for noise in noises) + " |",
        "| --- |" + " ---: |" * len(noises),
    ]
    for name, scores in results.items():
        values = (form.format(getattr(score, metric) * factor).replace("inf", "∞") for score in scores.values())
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _shorten(noise: Noise) -> str:
    match noise:
        case NoNoise():
            return "clean"
        case GaussianNoise():
            return f"{noise.sigma:g}"
        case SaltAndPepperNoise():
            return f"{noise.share:.0%}"
        case _:
            return str(noise)


def round_scores(scores: dict[Noise, Score]) -> dict[str, dict[str, float]]:
    """Return what is finite and known, without the digits in which two runs may differ, for metadata.json."""
    return {
        str(noise): {name: round(value, 5) for name, value in asdict(score).items() if value not in (None, math.inf)}
        for noise, score in scores.items()
    }

"""A comparison told to people: tables for the terminal and the model card, key figures for metadata.json."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.comparison import Results, Score
from training.images.noise import GaussianNoise, Noise, NoNoise, SaltAndPepperNoise
from training.metadata import FILE_NAME, write_metadata
from training.model_card import FILE_NAME as CARD_NAME

BEGIN, END = "<!-- evaluation{of}: written by `python -m training evaluate` -->", "<!-- end of evaluation{of} -->"
NEXT_SECTION = "## Limits"
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


def wrap_section(text: str, *, data_name: str = "") -> str:
    """Mark a section as written by `evaluate`; those of several data sets stand side by side."""
    of = f" on {data_name}" if data_name else ""
    return "\n".join([BEGIN.format(of=of), f"{text}\n", END.format(of=of)])


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


def write_report(folder: Path, section: str, scores: dict[Noise, Score]) -> None:
    """Put the section into a version's model card, in the place of an earlier one, and `scores` into its metadata."""
    card = folder / CARD_NAME
    text = card.read_text(encoding="utf-8") if card.exists() else f"# {folder.parent.name}/{folder.name}\n"
    card.write_text(insert_section(text, section), encoding="utf-8")
    metadata = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    metadata["metrics"]["evaluation"] = {str(noise): _round(score) for noise, score in scores.items()}
    write_metadata(folder, metadata)


def insert_section(text: str, section: str) -> str:
    """Replace the section with the same marks, or put it before the limits, or at the end."""
    begin, *_, end = section.splitlines()
    if begin in text:
        return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: section, text, flags=re.DOTALL)
    head, limits, tail = text.partition(NEXT_SECTION)
    return f"{head.rstrip()}\n\n{section}\n\n{limits}{tail}".rstrip() + "\n"


def _round(score: Score) -> dict[str, Any]:
    """Return what is finite and known, without the digits in which two runs may differ."""
    values = asdict(score).items()
    return {name: round(value, 5) for name, value in values if value is not None and value != float("inf")}

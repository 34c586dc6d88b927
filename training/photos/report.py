"""A comparison on photographs told to people: tables for the terminal and the model card."""

from collections.abc import Callable

from training.photos.evaluate import NOISE_LEVELS, PhotoResults, PhotoScore, Protocol
from training.photos.published import PUBLISHED_PSNR_DB, SOURCE
from training.store.card_section import wrap_section

INTRO = """\
{count} images of {data_name}. White Gaussian noise of standard deviation {levels} on the 8-bit scale
(`numpy.random.seed(0)` for each image), which every method is told; once as it is, once clipped and rounded to 8 bits.
Answers are rounded to 8 bits; means over the images. SSIM has the Gaussian window of 11x11 pixels. Made by
`python -m training evaluate MODEL --data FOLDER`.

![Two photographs: noisy, after non-local means, denoised, clean](figures/comparison.png)"""

METRICS: dict[str, tuple[str, Callable[[PhotoScore], float]]] = {
    "PSNR (dB)": ("{:.2f}", lambda score: score.psnr_db),
    "SSIM": ("{:.3f}", lambda score: score.ssim),
}


def render_photo_section(results: PhotoResults, *, data_name: str, count: int) -> str:
    """Return the model card's section: a table for each metric, and one of the time that the methods take."""
    levels = ", ".join(str(level) for level in NOISE_LEVELS)
    parts = [f"## Beside other methods, on {data_name}", INTRO.format(count=count, data_name=data_name, levels=levels)]
    parts += [_render_metric(results, title) for title in METRICS]
    if published := PUBLISHED_PSNR_DB.get(data_name.lower()):
        parts.append(_render_published(published))
    return wrap_section("\n\n".join([*parts, _render_times(results)]), data_name=data_name)


def _render_metric(results: PhotoResults, title: str) -> str:
    form, value = METRICS[title]
    protocols = list(next(iter(results.values())))
    header = [f"{protocol.level}{' rounded' if protocol.rounded else ''}" for protocol in protocols]
    rows = {name: [form.format(value(scores[protocol])) for protocol in protocols] for name, scores in results.items()}
    return _render_table(title, header, rows)


def _render_published(published: dict[str, dict[int, float]]) -> str:
    header = [str(level) for level in NOISE_LEVELS]
    rows = {name: [f"{figures[level]:.2f}" for level in NOISE_LEVELS] for name, figures in published.items()}
    return f"As published, not measured here ({SOURCE}):\n\n" + _render_table("PSNR (dB)", header, rows)


def _render_times(results: PhotoResults) -> str:
    protocol = Protocol(25, rounded=False)
    rows = {name: [f"{scores[protocol].seconds_per_megapixel:.2f}"] for name, scores in results.items()}
    return _render_table("Seconds a megapixel, noise 25", ["here"], rows)


def _render_table(title: str, header: list[str], rows: dict[str, list[str]]) -> str:
    lines = [f"| {title} | {' | '.join(header)} |", "| --- |" + " ---: |" * len(header)]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())])

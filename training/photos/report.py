"""The comparison of a network with other methods on photographs, as tables for the terminal and the model card."""

from collections.abc import Sequence

from training.photos.evaluate import NOISE_LEVELS, PhotoResults, Protocol
from training.store.card_section import render_table, wrap_section

INTRO = """\
{count} images of {data_name}. White Gaussian noise of standard deviation {levels} on the 8-bit scale
(`numpy.random.seed(0)` for each image), which every method knows; once as it is, once clipped and rounded to 8 bits.
Outputs are rounded to 8 bits; means over the images. SSIM has the Gaussian window of 11x11 pixels. Made by
`python -m training evaluate MODEL --data FOLDER`.

![Two photographs: noisy, after non-local means, denoised, clean](figures/comparison.png)"""

METRICS = {"PSNR (dB)": ("{:.2f}", "psnr_db"), "SSIM": ("{:.3f}", "ssim")}

# Figures that this project did not measure.
SOURCE = (
    "K. Zhang, W. Zuo, L. Zhang, “FFDNet: Toward a fast and flexible solution for CNN-based image denoising”,"
    " IEEE TIP 27(9), 2018, tables II, III and V; DnCNN-B: K. Zhang et al., “Beyond a Gaussian denoiser”, IEEE TIP"
    " 26(7), 2017"
)

# PSNR in dB by set (the name of its folder), whether in colour, method and noise level on the 8-bit scale.
PUBLISHED_PSNR_DB: dict[tuple[str, bool], dict[str, dict[int, float]]] = {
    ("set12", False): {
        "BM3D": {15: 32.37, 25: 29.97, 50: 26.72},
        "DnCNN-B": {15: 32.68, 25: 30.36, 50: 27.21},
        "FFDNet": {15: 32.75, 25: 30.43, 50: 27.32},
    },
    ("bsd68", False): {
        "BM3D": {15: 31.08, 25: 28.57, 50: 25.60},
        "DnCNN-B": {15: 31.61, 25: 29.16, 50: 26.23},
        "FFDNet": {15: 31.63, 25: 29.19, 50: 26.29},
    },
    ("kodak24", True): {
        "CBM3D": {15: 34.28, 25: 31.68, 50: 28.46},
        "FFDNet": {15: 34.63, 25: 32.13, 50: 28.98},
    },
}


def render_section(results: PhotoResults, *, data_name: str, count: int) -> str:
    """Return the model card's section: a table for each metric, and one of the methods' durations."""
    levels = ", ".join(str(level) for level in NOISE_LEVELS)
    parts = [f"## Beside other methods, on {data_name}", INTRO.format(count=count, data_name=data_name, levels=levels)]
    measured = next(iter(results.values()))
    for in_colour in (False, True):
        protocols = [protocol for protocol in measured if protocol.in_colour == in_colour]
        if protocols:
            parts += [_render_metric(results, title, protocols) for title in METRICS]
        if published := PUBLISHED_PSNR_DB.get((data_name.lower(), in_colour)):
            parts.append(_render_published(published))
    return wrap_section("\n\n".join([*parts, _render_times(results)]), data_name=data_name)


def _render_metric(results: PhotoResults, title: str, protocols: Sequence[Protocol]) -> str:
    form, metric = METRICS[title]
    header = [f"{protocol.level}{' rounded' if protocol.rounded else ''}" for protocol in protocols]
    rows = {
        name: [form.format(getattr(scores[protocol], metric)) for protocol in protocols]
        for name, scores in results.items()
    }
    return render_table(f"In colour: {title}" if protocols[0].in_colour else title, header, rows)


def _render_published(published: dict[str, dict[int, float]]) -> str:
    header = [str(level) for level in NOISE_LEVELS]
    rows = {name: [f"{figures[level]:.2f}" for level in NOISE_LEVELS] for name, figures in published.items()}
    return f"As published, not measured here ({SOURCE}):\n\n" + render_table("PSNR (dB)", header, rows)


def _render_times(results: PhotoResults) -> str:
    protocol = Protocol(25, rounded=False)
    rows = {name: [f"{scores[protocol].seconds_per_megapixel:.2f}"] for name, scores in results.items()}
    return render_table("Seconds a megapixel, noise 25", ["here"], rows)

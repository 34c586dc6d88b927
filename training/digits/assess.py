"""A network of the store beside other methods, on the same noisy images."""

from dataclasses import replace
from pathlib import Path

from keras import ops

from training.digits.classifier import load_classifier
from training.digits.comparison import NOISES, Judge, Method, as_method, compare, tune_baselines
from training.digits.data import CleanImages
from training.digits.figures import plot_psnr
from training.digits.networks import build_dense
from training.digits.report import render_section, round_scores
from training.errors import StoreError
from training.fit.checkpoints import load_best
from training.images.noise import Noise
from training.presets import PRESETS
from training.store.card_section import write_report
from training.store.export import SavedNetwork
from training.store.figures import save_figures
from training.store.metadata import read_metadata
from training.store.versions import find_versions

DENSE = "dense"


def assess(
    folder: Path, images: CleanImages, *, runs: Path, limit: int | None = None, noises: tuple[Noise, ...] = NOISES
) -> str:
    """Compare STORE/NAME/VERSION with the noisy input, classical filters and the store's other networks of its size.

    The fully connected autoencoder takes part if its run is in ``runs``. The tables are returned, and written into the
    model card, metadata.json and figures unless ``limit`` restricts them to the first test images.
    StoreError if the network does not take these images.
    """
    chosen = replace(images, test=images.test[:limit])
    labels = images.labels.test[:limit] if images.labels else None
    own_name = _title(folder)
    own = _load_method(folder, like=folder)
    if own is None:
        raise StoreError(f"{folder}: takes other images than {images.name}'s, or a noise level")
    methods = tune_baselines(chosen.train) | load_dense(runs) | find_rivals(folder) | {own_name: own}
    results = compare(methods, Judge(chosen.test, labels, load_classifier()), noises)
    section = render_section(results, data_name=images.name, count=len(chosen.test))
    if limit is None:
        write_report(folder, section, round_scores(results[own_name]))
        save_figures(folder / "figures", {"psnr": plot_psnr(results)})
    return section


def load_dense(runs: Path) -> dict[str, Method]:
    """Return the fully connected autoencoder whose run is in ``runs``, if any."""
    run_dir = runs / DENSE
    if not (run_dir / "run.json").exists():
        print(f"{DENSE} is left out: `python -m training train {DENSE} --no-export` trains it")
        return {}
    network = build_dense()
    load_best(run_dir / PRESETS[DENSE].stages[-1].name, network)
    return {DENSE: as_method(lambda noisy: ops.convert_to_numpy(network(noisy, training=False)))}


def find_rivals(folder: Path) -> dict[str, Method]:
    """Return the highest versions of the store's other models for the same images."""
    rivals = {}
    for versions in sorted(path for path in folder.parents[1].iterdir() if path.is_dir() and path != folder.parent):
        if numbers := find_versions(versions):
            rival = versions / str(numbers[-1])
            if method := _load_method(rival, like=folder):
                rivals[_title(rival)] = method
    return rivals


def _load_method(folder: Path, *, like: Path) -> Method | None:
    """Return a version's network, or None if it takes a noise level or other images than the version ``like``."""
    metadata = read_metadata(folder)
    if metadata["noise_level"] or metadata["input"] != read_metadata(like)["input"]:
        return None
    return as_method(SavedNetwork(folder).denoise)


def _title(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}"

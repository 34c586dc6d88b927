"""A network for photographs beside classical filters, on a folder of test images."""

from pathlib import Path

from training.errors import DataError, StoreError
from training.images.files import find_images
from training.images.luma import is_in_colour
from training.photos.baselines import PHOTO_BASELINES
from training.photos.data import read_photo
from training.photos.evaluate import COLOUR_PROTOCOLS, GRAY_PROTOCOLS, as_method, compare_on_photos
from training.photos.figures import draw_examples
from training.photos.report import render_section
from training.store.card_section import write_report
from training.store.export import SavedNetwork
from training.store.figures import save_figures


def assess(folder: Path, source: str, *, limit: int | None = None) -> str:
    """Compare STORE/NAME/VERSION with classical filters on the photographs in the folder ``source``.

    The tables are returned, and written into the model card and metadata.json unless ``limit`` restricts them to the
    first images.

    Raises:
        DataError: ``source`` is not a folder with readable images.
        StoreError: the network does not take a noise level.
    """
    if not Path(source).is_dir():
        raise DataError(f"{source}: no such folder; --data names a folder of clean test images")
    saved = SavedNetwork(folder)
    if "noise_level" not in saved.inputs:
        raise StoreError(f"{folder}: has no input noise_level, which this comparison needs")
    photos = [read_photo(path) for path in find_images(Path(source))[:limit]]
    own_name = f"{folder.parent.name}/{folder.name}"
    data_name = Path(source).resolve().name
    protocols = GRAY_PROTOCOLS + (COLOUR_PROTOCOLS if any(is_in_colour(photo) for photo in photos) else ())
    results = compare_on_photos(PHOTO_BASELINES | {own_name: as_method(saved)}, photos, protocols)
    section = render_section(results, data_name=data_name, count=len(photos))
    if limit is None:
        scores = {
            str(protocol): {"psnr_db": round(score.psnr_db, 3), "ssim": round(score.ssim, 4)}
            for protocol, score in results[own_name].items()
        }
        write_report(folder, section, {data_name: scores})
        shown = {"non-local means": PHOTO_BASELINES["non-local means"], "denoised": as_method(saved)}
        save_figures(folder / "figures", {"comparison": draw_examples(shown)})
    return section

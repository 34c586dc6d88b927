"""What fuzzing starts from: small pictures and forms of every kind, made in code, and what was found before."""

from pathlib import Path

from tests.app import bombs
from tests.app.pictures import bmp_announcing, gif, jpeg_announcing, sample_files, webp_announcing

FOUND = Path(__file__).parent / "found"  # inputs of earlier runs that failed, or reached what no seed reaches
TYPE = b"multipart/form-data; boundary="


def picture_seeds() -> dict[str, bytes]:
    """Return pictures by name: in every format, announcing more than they have, and asking for too much."""
    return sample_files() | {
        "bmp-announcing": bmp_announcing(60_000, 60_000),
        "gif-announcing": gif((5, 5), (60_000, 60_000), disposal=2),
        "jpeg-announcing": jpeg_announcing(60_000, 60_000),
        "webp-announcing": webp_announcing(16_000, 16_000),
        "tiff-tile": bombs.tiled_tiff(bombs.deflated_zeros(1), side=1, tile=1024, compression=bombs.DEFLATE),
        "tiff-zstd-tile": bombs.tiled_tiff(bombs.zstd_zeros(8), side=64, tile=1024, compression=bombs.ZSTD),
        "tiff-tiny-tiles": bombs.tiff_of_tiny_tiles(4000),
    }


def form_seeds() -> dict[str, bytes]:
    """Return forms by name, each behind the line of its Content-Type."""
    head = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return {
        "one-file": TYPE + b"XX\n--XX\r\n" + head + b"picture\r\n--XX--\r\n",
        "two-files": TYPE + b'"X Y"\n--X Y\r\n' + head + b"one\r\n--X Y\r\n" + head + b"two\r\n--X Y--",
        "text": TYPE + b"X\npreamble\r\n--X \t\r\ncontent-disposition:form-data;name=text\r\n\r\n\r\n--X--epilogue",
        "percent": TYPE + b"X\n--X\r\nContent-Disposition: form-data; name=n; filename*=UTF-8''%c3%a4\r\n\r\n\r\n--X--",
        "latin": TYPE + b'X\n--X\r\nContent-Disposition: form-data; name="\xe4"; filename="\\""\r\n\r\n\r\n--X--',
        "empty": TYPE + b"X\n--X--",
        "cut": TYPE + b"X\n--X\r\n" + head + b"pic",
        "mixed": b"multipart/mixed; boundary=X\n--X--",
    }


SEEDS = {"pictures": picture_seeds, "forms": form_seeds}


def write_seeds(kind: str, folder: Path) -> None:
    """Write the seeds of ``pictures`` or ``forms``, and what was found before, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in SEEDS[kind]().items():
        (folder / name).write_bytes(data)
    for path in (FOUND / kind).glob("*"):
        (folder / path.name).write_bytes(path.read_bytes())

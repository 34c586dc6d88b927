"""Write a ZIP piece by piece, with entry names that are safe to unpack anywhere."""

import re
import time
import unicodedata
import zipfile
from io import BytesIO
from pathlib import PurePosixPath

MANIFEST = "manifest.json"
UNNAMED = "image"
MAX_COMPONENT = 100  # characters, so that name and suffix stay below the 255 bytes that most file systems allow
MAX_FOLDERS = 8
RESERVED_CHARACTERS = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')  # on Windows
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # likewise


class ZipStream:
    """Makes the bytes of a ZIP, those of each entry as soon as it is added; only the directory is kept until the end.

    Entries are stored: compressing encoded images gains nothing. Sizes precede the content, as streaming readers need.
    """

    def __init__(self) -> None:
        self._pending = _Pending()
        self._zip = zipfile.ZipFile(self._pending, "w", zipfile.ZIP_STORED)
        self._date_time = time.localtime()[:6]

    def add(self, name: str, content: bytes) -> bytes:
        """Add an entry and return the next bytes of the archive."""
        entry = zipfile.ZipInfo(name, self._date_time)
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, content)
        return self._pending.take()

    def close(self) -> bytes:
        """Return the last bytes of the archive, its directory."""
        self._zip.close()
        return self._pending.take()


class _Pending(BytesIO):
    """The end of a file whose beginning was taken: zipfile seeks back no further than the current entry."""

    def __init__(self) -> None:
        super().__init__()
        self._taken = 0

    def take(self) -> bytes:
        piece = self.getvalue()
        self._taken += len(piece)
        super().seek(0)
        self.truncate()
        return piece

    def tell(self) -> int:
        return self._taken + super().tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return super().seek(offset - self._taken if whence == 0 else offset, whence) + self._taken


class OutputNames:
    """Gives each result of a batch a unique name: relative, portable, and the same for the same batch."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def add(self, filename: str, ending: str = ".png") -> str:
        """Name the result of ``filename``: its folders and stem, ``-2`` and so on if that is taken, and ``ending``."""
        *folders, last = [part for part in filename.replace("\\", "/").split("/") if part.strip(". ")] or [UNNAMED]
        folder = PurePosixPath(*(_folder(part, ending) for part in folders[-MAX_FOLDERS:]))
        stem = _portable(PurePosixPath(last).stem)
        name, number = f"{stem}{ending}", 1
        while (key := str(folder / name).casefold()) in self._given:  # some file systems ignore case
            number += 1
            name = f"{stem}-{number}{ending}"
        self._given.add(key)
        return str(folder / name)


def _folder(part: str, ending: str) -> str:
    """Return a portable folder name that differs from all results and the manifest, which could collide with it."""
    name = _portable(part)
    return f"{name}_" if name.casefold().endswith((ending, ".json")) else name


def _portable(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)  # on macOS, other encodings of a letter are the same name
    visible = "".join("_" if unicodedata.category(character) == "Cf" else character for character in composed)
    name = RESERVED_CHARACTERS.sub("_", visible).strip()[:MAX_COMPONENT].rstrip(". ") or UNNAMED
    return f"_{name}" if RESERVED_NAMES.match(name) else name

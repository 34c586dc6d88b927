"""Follow the file of keys while the service runs, so that keys change without a restart."""

import asyncio
import logging
from pathlib import Path

from app.access.key_file import Key, read_keys
from app.access.keyring import Keyring
from app.errors import KeyFileError

POLL_S = 1.0

_Fingerprint = tuple[int, int, int]

logger = logging.getLogger(__name__)


class KeyWatch:
    """Reads the file again when it has changed; while it is broken or missing, the keys that were read last hold.

    Args:
        path: the file; behind a link, what that names at the time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Fingerprint | None = None

    async def open(self, *, waits: bool = False) -> Keyring:
        """Read the file for the first time.

        Args:
            waits: wait for a valid file, as a process does that replaces another, instead of raising.

        Raises:
            KeyFileError: the file is missing or broken.
        """
        is_logged = False
        while True:
            try:
                return Keyring(await self._read())
            except KeyFileError as error:
                if not waits:
                    raise
                if not is_logged:
                    logger.error("%s; this process waits for keys", error)
                is_logged = True
            await asyncio.sleep(POLL_S)

    async def run(self, keyring: Keyring) -> None:
        """Look every POLL_S seconds until this is cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.look(keyring)
            except Exception:  # the keys that hold stay
                logger.exception("the file of keys could not be followed")

    async def look(self, keyring: Keyring) -> None:
        """Read the file if it has changed since the last look, and replace the keys."""
        if await asyncio.to_thread(_fingerprint, self._path) == self._seen:
            return
        try:
            keys = await self._read()
        except KeyFileError as error:
            logger.error("%s; the keys that were read before it stay", error)
            return
        keyring.replace(keys)
        logger.info("keys read", extra={"fields": {"keys": len(keys)}})

    async def _read(self) -> tuple[Key, ...]:
        self._seen = await asyncio.to_thread(
            _fingerprint, self._path
        )  # before reading: what changes meanwhile is read at the next look
        return await asyncio.to_thread(read_keys, self._path)


def _fingerprint(path: Path) -> _Fingerprint | None:
    """Return what changes with the content of a file; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

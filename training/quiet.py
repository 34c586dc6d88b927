"""Keep TensorFlow's greetings off the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Level 3 hides TensorFlow's C++ log; what goes wrong there reaches Python as an exception, too.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@contextmanager
def without_greetings() -> Iterator[None]:
    """Hold back what an import writes to stderr, and show it only if the import fails.

    The C++ code logs before it reads its log level, and past Python's ``sys.stderr``.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)

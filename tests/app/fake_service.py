"""``python -m tests.app.fake_service serve``: the service over fake networks, which starts without TensorFlow."""

import sys

from app.__main__ import main
from tests.app.fakes import load_fake

if __name__ == "__main__":
    sys.exit(main(load=load_fake))

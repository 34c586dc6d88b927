"""Command line of the training: train, export, evaluate, classifier, describe."""

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow prints a greeting when Keras imports it

from training.arguments import build_parser
from training.config import Interface, NoiseLevelRange
from training.errors import TrainingError
from training.presets import PRESETS
from training.store.versions import check_name, find_version


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit status: 0, 1 after an error, 130 after Ctrl-C."""
    options = build_parser().parse_args(argv, argparse.Namespace(argv=argv))
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # short runs make it warn of frequent tracing
    try:
        COMMANDS[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


# Keras and TensorFlow take seconds to import: each command imports what it needs, --help nothing.


def _train(options: argparse.Namespace) -> None:
    from training.fit.train import train
    from training.tasks import TASKS

    config = replace(PRESETS[options.preset], seed=options.seed, minutes=options.minutes)
    if options.epochs is not None:
        config = config.with_epochs(options.epochs)
    options.run_dir = options.run_dir or Path("runs") / options.preset
    check_name(options.name or options.preset)
    origin = find_version(options.store, options.start_from) if options.start_from else None
    if origin:
        config = config.starting_from(f"{origin.parent.name}-{origin.name}")
    task = TASKS[config.task]
    images = task.load(options.data, config)
    if images.are_pairs:
        config = config.with_pairs()
    try:
        train(task, config, images, options.run_dir, resume=options.resume, origin=origin)
    except KeyboardInterrupt:
        _explain_interruption(options.run_dir, options.argv)
        raise
    print(f"trained; the weights are in {options.run_dir}")
    if not options.no_export:
        _export(options, images)


def _export(options: argparse.Namespace, images: Any = None) -> None:  # noqa: ANN401  # of any task
    from training.publish import publish, read_run
    from training.tasks import TASKS

    run = read_run(options.run_dir)
    task = TASKS[run.config.task]
    images = images or task.load(options.data, run.config)
    version = publish(task, run, images, store=options.store, name=options.name or run.config.preset)
    print(f"exported {version}")


def _evaluate(options: argparse.Namespace) -> None:
    from training.images.pairs import holds_pairs
    from training.tasks import find_task

    folder = find_version(options.store, options.model)
    if holds_pairs(Path(options.data)):
        raise TrainingError(f"{options.data}: holds pairs; `evaluate` adds noise itself, to a folder of clean images")
    try:
        print(find_task(folder).assess(folder, options.data, options.runs, limit=options.limit))
    except ModuleNotFoundError as error:
        raise TrainingError(f"the classical filters need {error.name}: `make install` installs it") from error


def _make_classifier(options: argparse.Namespace) -> None:
    from training.digits.classifier import WEIGHTS, save_classifier, train_classifier
    from training.digits.data import load_clean_images

    save_classifier(train_classifier(load_clean_images(options.data)))
    print(f"wrote {WEIGHTS}")


def _describe(options: argparse.Namespace) -> None:
    from training.store.describe import describe

    interface = Interface(
        polarity=None if options.polarity == "any" else options.polarity,
        noise_level=NoiseLevelRange(*options.noise_level) if options.noise_level else None,
        size_multiple=options.size_multiple,
        halo_px=options.halo_px,
    )
    describe(options.folder, description=options.description, interface=interface, overwrite=options.overwrite)
    print(f"wrote {options.folder / 'metadata.json'}")


def _explain_interruption(run_dir: Path, argv: Sequence[str]) -> None:
    best = sorted(run_dir.glob("*/best.npz"), key=lambda path: path.stat().st_mtime)
    kept = f"the best weights so far are in {best[-1]}" if best else "no epoch was finished"
    resume = shlex.join(argv if "--resume" in argv else [*argv, "--resume"])
    print(f"\ninterrupted; {kept}\nto continue: python -m training {resume}", file=sys.stderr)


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
    "classifier": _make_classifier,
    "describe": _describe,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

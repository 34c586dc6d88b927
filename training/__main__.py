"""Command line of the training: train, export, evaluate, classifier, describe."""

import argparse
import logging
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training.arguments import build_parser
from training.config import Config, Interface, NoiseLevelRange
from training.errors import RunError, TrainingError
from training.interruption import Terminated, interruptible
from training.presets import PRESETS
from training.quiet import without_greetings
from training.store.versions import FULL, check_name, find_version


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit status: 0, 1 after an error, 130 after Ctrl-C, 143 after SIGTERM."""
    options = build_parser().parse_args(argv, argparse.Namespace(argv=argv))
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # short runs make it warn of frequent tracing
    try:
        with interruptible():
            with without_greetings():
                import keras  # noqa: F401  # imports its backend
            COMMANDS[options.command](options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Terminated:
        return 128 + signal.SIGTERM
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


# Keras and TensorFlow take seconds to import: each command imports what it needs, --help nothing.


def _train(options: argparse.Namespace) -> None:
    from training.tasks import TASKS

    config, origin = _choose_config(options)
    images = TASKS[config.task].load(options.data, config)
    if images.are_pairs:
        config = config.with_pairs()
        if images.are_gray:  # clean ones alone get noise that has colour
            config = config.without_colour()
    if images.name != config.data:
        config = config.without_lessons()
    _fit(options, config, images, origin)
    print(f"trained; the weights are in {options.run_dir}")
    if not options.no_export:
        _export(options, images)


def _choose_config(options: argparse.Namespace) -> tuple[Config, Path | None]:
    """Return the preset with the options, and the version in the store whose weights it starts from.

    Raises:
        TrainingError: the options do not go together, or name what cannot be.
    """
    config = replace(PRESETS[options.preset], seed=options.seed, minutes=options.minutes)
    if options.noisy_only:
        if config.crops is None or options.name is None:
            raise TrainingError("--noisy-only goes with the preset photo, and needs --name for the new network")
        config = config.with_noisy_only()
        options.start_from = options.start_from or options.preset
    if options.epochs is not None:
        config = config.with_epochs(options.epochs)
    name = options.name or options.preset
    check_name(name)
    options.run_dir = options.run_dir or Path("runs") / name
    if not options.start_from:
        return config, None
    origin = find_version(options.store, options.start_from)
    return config.starting_from(f"{origin.parent.name}-{origin.name}"), origin


def _fit(options: argparse.Namespace, config: Config, images: Any, origin: Path | None) -> None:  # noqa: ANN401
    """Train; if that is interrupted, say what was kept and how to go on."""
    from training.fit.train import train
    from training.tasks import TASKS

    try:
        train(TASKS[config.task], config, images, options.run_dir, resume=options.resume, origin=origin)
    except KeyboardInterrupt:
        print(f"\ninterrupted; {_say_how_to_continue(options.run_dir, options.argv)}", file=sys.stderr)
        raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        hint = _say_how_to_continue(options.run_dir, options.argv)
        raise RunError(f"{options.run_dir}: no room for the files ({error.strerror}); {hint}") from error


def _export(options: argparse.Namespace, images: Any = None) -> None:  # noqa: ANN401  # of any task
    from training.publish import describe_gain, publish, read_run
    from training.tasks import TASKS

    run = read_run(options.run_dir)
    task = TASKS[run.config.task]
    images = images or task.load(options.data, run.config)
    version = publish(task, run, images, store=options.store, name=options.name or run.config.preset)
    print(f"exported {version}: {describe_gain(version)}")


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


def _say_how_to_continue(run_dir: Path, argv: Sequence[str]) -> str:
    best = sorted(run_dir.glob("*/best.npz"), key=lambda path: path.stat().st_mtime)
    kept = f"the best weights so far are in {best[-1]}" if best else "no epoch was finished"
    started = (run_dir / "run.json").exists()
    again = shlex.join([*argv, "--resume"] if started and "--resume" not in argv else argv)
    return f"{kept}\nto continue: python -m training {again}"


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "train": _train,
    "export": _export,
    "evaluate": _evaluate,
    "classifier": _make_classifier,
    "describe": _describe,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

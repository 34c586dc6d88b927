"""The command line's words and their help."""

import argparse
from pathlib import Path

from training.presets import PRESETS

NAME_HELP = "name of the model in the store (default: the preset's)"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; its result's ``command`` is train, export, evaluate, classifier or describe."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train denoising networks and put them into the model store that the service reads.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="presets:\n" + "\n".join(f"  {name:10}{config.description}" for name, config in PRESETS.items()),
    )
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    _add_train_arguments(
        commands.add_parser(
            "train",
            help="train a preset and export it as the next version",
            description="Train a preset and export it as the next version. Ctrl-C and SIGTERM keep the best weights.",
        )
    )
    _add_export_arguments(
        commands.add_parser(
            "export",
            help="export a run's best weights as the next version",
            description="Export the best weights of a run, also of an interrupted one, as the next version.",
        )
    )
    _add_evaluate_arguments(
        commands.add_parser(
            "evaluate",
            help="compare a version of the store with other methods",
            description="Measure a version of the store on noisy test images, beside the noisy input, classical filters"
            " and the store's other networks, and write the tables into its model card and metadata.json. Networks of"
            " any size need --data with a folder of clean test images.",
        )
    )
    _add_data_argument(
        commands.add_parser(
            "classifier",
            help="retrain the classifier that reads denoised digits in `evaluate`",
            description="Train the classifier that reads denoised digits in `evaluate`,"
            " into training/digits/classifier.npz.",
        )
    )
    _add_describe_arguments(
        commands.add_parser(
            "describe",
            help="write metadata.json for a SavedModel made elsewhere",
            description="Check that a SavedModel meets the contract of model_store/README.md, write its metadata.json.",
        )
    )
    return parser


def _add_train_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", choices=PRESETS, metavar="PRESET", help=f"one of: {', '.join(PRESETS)}")
    _add_data_argument(parser, several=True)
    parser.add_argument("--epochs", type=_positive, metavar="N", help="epochs of every stage (default: the preset's)")
    parser.add_argument(
        "--minutes", type=_positive_float, metavar="M", help="end the run after M minutes, if its epochs take longer"
    )
    parser.add_argument("--seed", type=_natural, default=0, metavar="N", help="of weights, order, noise (default: 0)")
    parser.add_argument(
        "--start-from",
        metavar="MODEL",
        help="train the last stage alone (of photo: the last of each part), from the weights of NAME, its highest"
        " version, or NAME/VERSION in the store",
    )
    parser.add_argument(
        "--noisy-only",
        action="store_true",
        help="of photo: adapt the network of --start-from (default: photo) to noisy pictures without clean ones;"
        " needs --name",
    )
    parser.add_argument("--resume", action="store_true", help="continue the run in --run-dir after its last epoch")
    parser.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="checkpoints and TensorBoard logs (default: runs/NAME)"
    )
    _add_store_argument(parser)
    parser.add_argument("--name", metavar="NAME", help=NAME_HELP)
    parser.add_argument("--no-export", action="store_true", help="leave the store alone; `export` fills it later")


def _add_export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_dir", type=Path, metavar="RUN", help="the --run-dir of `train`, such as runs/article")
    _add_data_argument(parser, several=True)
    _add_store_argument(parser)
    parser.add_argument("--name", metavar="NAME", help=NAME_HELP)


def _add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="NAME, for its highest version, or NAME/VERSION")
    _add_data_argument(parser)
    _add_store_argument(parser)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="where the run of `dense` is (default: runs)"
    )
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help="a quick look at N test images; nothing is written"
    )


def _add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="model_store/NAME/VERSION with saved_model.pb")
    parser.add_argument("--description", default="", metavar="TEXT", help="one line for people")
    parser.add_argument(
        "--polarity",
        choices=("light-on-dark", "dark-on-light", "any"),
        default="any",
        help="what the network was trained on; the service inverts other images for it (default: any)",
    )
    parser.add_argument(
        "--noise-level",
        nargs=2,
        type=float,
        metavar=("MIN", "MAX"),
        help="of a network with that input, in units of the [0, 1] range (default: 0 to 0.294)",
    )
    parser.add_argument(
        "--size-multiple", type=_positive, default=1, metavar="N", help="sides of tiles are multiples (default: 1)"
    )
    parser.add_argument("--halo-px", type=_natural, default=0, metavar="N", help="overlap of tiles (default: 0)")
    parser.add_argument("--overwrite", action="store_true", help="replace metadata.json")


def _add_data_argument(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    parser.add_argument(
        "--data",
        nargs="+" if several else None,
        default=["mnist"] if several else "mnist",
        metavar="SOURCE",
        help="clean images: mnist (downloaded once), an .npz of its layout, or a folder of your own; `train` also takes"
        " a folder with noisy/ and clean/, whose files of one name are pairs (default: mnist)",
    )


def _add_store_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store", type=Path, default=Path("model_store"), metavar="DIR", help="the model store (default: model_store)"
    )


def _natural(text: str) -> int:
    if (value := int(text)) < 0:
        raise ValueError
    return value


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError
    return value


def _positive_float(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise ValueError
    return value

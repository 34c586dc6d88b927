"""Fuzz decoders, forms and the running service: ``make fuzz MINUTES=10``, or with ``ARGS=api`` one part of it."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial

from tests.app.processes import REPOSITORY
from tests.fuzz import service
from tests.fuzz.seeds import picture_seeds, write_seeds

FUZZERS = REPOSITORY / ".venv-fuzz" / "bin"
RESULTS = REPOSITORY / "runs" / "fuzz"  # corpora grow here from run to run, and inputs that fail are kept here
INPUT_TIMEOUT_S = 20
LAST_LINES = 40  # of a fuzzer that failed

Part = Callable[[argparse.Namespace, int], bool]  # takes seconds, returns whether nothing failed


def main() -> int:
    """Run the chosen parts, and return 1 if any failed."""
    parts: dict[str, tuple[float, Part]] = {  # with their share of the time
        "pictures": (0.35, partial(_run_atheris, "pictures")),
        "forms": (0.1, partial(_run_atheris, "forms")),
        "service": (0.25, _send_pictures),
        "api": (0.3, _run_schemathesis),
    }
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; by default, all")
    parser.add_argument("--minutes", type=float, default=1.0, help="for all parts together")
    parser.add_argument("--pictures", type=int, default=10**9, help="to send to the service, at most")
    parser.add_argument("--cases", type=int, default=100, help="requests for each operation of the API, at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the pictures to send")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - parts.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    chosen = [parts[name] for name in parts if not arguments.parts or name in arguments.parts]
    seconds = arguments.minutes * 60 / sum(share for share, _ in chosen)
    outcomes = [run(arguments, max(1, round(share * seconds))) for share, run in chosen]
    return 0 if all(outcomes) else 1


def _run_atheris(kind: str, _arguments: argparse.Namespace, seconds: int) -> bool:
    corpus = RESULTS / kind
    write_seeds(kind, corpus)
    command = [str(FUZZERS / "python"), "-m", f"tests.fuzz.{kind}", str(corpus), f"-max_total_time={seconds}"]
    command += [f"-timeout={INPUT_TIMEOUT_S}", f"-artifact_prefix={RESULTS}/{kind}-", "-print_final_stats=1"]
    with tempfile.TemporaryFile("w+") as output:
        code = subprocess.run(command, cwd=REPOSITORY, stdout=output, stderr=output, check=False).returncode
        output.seek(0)
        lines = output.read().splitlines()
    inputs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "?")
    _print(f"Atheris, {kind}: {inputs} inputs, {len(list(corpus.iterdir()))} in the corpus, exit code {code}")
    if code != 0:
        _print(*lines[-LAST_LINES:])
    return code == 0


def _send_pictures(arguments: argparse.Namespace, seconds: int) -> bool:
    seeds = list(picture_seeds().values())
    with service.limited_service() as running:
        attack = service.send_pictures(running, seeds, seconds=seconds, count=arguments.pictures, seed=arguments.seed)
        has_ended = running.process.poll() is not None
    _print(f"{attack.report()}; seed {arguments.seed}", *attack.failures[:LAST_LINES])
    return not (has_ended or attack.failures)


def _run_schemathesis(arguments: argparse.Namespace, seconds: int) -> bool:
    with service.limited_service() as running:
        cases, failure = service.run_schemathesis(running, FUZZERS / "st", seconds=seconds, count=arguments.cases)
        has_ended = running.process.poll() is not None
    _print(f"Schemathesis: {cases} requests", failure)
    return not (has_ended or failure)


def _print(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

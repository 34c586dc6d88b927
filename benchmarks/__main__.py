"""Measure all parts and write them to docs/benchmarks.md: ``python -m benchmarks``, or ``... load`` for one."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict

from benchmarks.harness.processes import REPOSITORY
from benchmarks.harness.tables import IMAGES, write_section
from benchmarks.scenarios import chaos, endurance, load, load_report, overload, startup, swaps

RAW_RESULTS = REPOSITORY / "runs/benchmarks"  # raw results of the part load, not committed


def main() -> None:
    """Measure the chosen parts, and write each as soon as it is done."""
    parts: dict[str, Callable[[argparse.Namespace], str]] = {
        "load": _load,
        "overload": _overload,
        "endurance": _endurance,
        "startup": _startup,
        "chaos": _chaos,
        "swaps": lambda _arguments: swaps.measure_swaps(),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; by default, all")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the raw load at 1 and 32 connections")
    parser.add_argument("--seconds", type=int, default=4, help="length of each load")
    parser.add_argument("--requests", type=int, default=100_000, help="requests of the endurance run")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - parts.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    for name, part in parts.items():
        if not arguments.parts or name in arguments.parts:
            content = part(arguments)
            print(content, flush=True)
            write_section(name, content)


def _load(arguments: argparse.Namespace) -> str:
    results = load.measure_load(rounds=arguments.rounds, seconds=arguments.seconds)
    RAW_RESULTS.mkdir(parents=True, exist_ok=True)
    (RAW_RESULTS / "load.json").write_text(json.dumps(asdict(results), indent=1))
    load_report.draw_throughput(results, IMAGES / "throughput.png")
    return load_report.load_tables(results) + "\n![Requests per second over connections](images/throughput.png)\n"


def _overload(arguments: argparse.Namespace) -> str:
    return overload.overload_table(overload.measure_overload(float(arguments.seconds)))


def _endurance(arguments: argparse.Namespace) -> str:
    measured = endurance.measure_endurance(arguments.requests)
    endurance.draw_memory(measured, IMAGES / "memory.png")
    further = endurance.measure_random_sizes(), endurance.measure_hang_ups(), endurance.measure_stop()
    text = endurance.endurance_table(measured, *further)
    return text + "\n\n![Resident memory over the requests](images/memory.png)\n"


def _startup(arguments: argparse.Namespace) -> str:
    return startup.startup_table(max(3, arguments.rounds), requests=1000)


def _chaos(_arguments: argparse.Namespace) -> str:
    return chaos.chaos_table(chaos.measure_chaos())


if __name__ == "__main__":
    main()

"""Clean a folder of any number of pictures on all nodes of a Ray cluster: ``python denoise_folder.py IN OUT``."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray

from app.commands.configuration import CommandError
from app.commands.denoising.local import LocalBackend
from app.commands.denoising.plan import Job, make_plan
from app.commands.denoising.results import write_result
from app.inference.metadata import AUTO
from app.settings import Settings
from app.web.schemas import DenoiseQuery

BATCH_PICTURES = 64
Batch = dict[str, Any]


class Denoiser:
    """Reads, cleans and writes pictures, with networks that are loaded once."""

    def __init__(self) -> None:
        self._backend = LocalBackend(Settings(inference_threads=1, decoders=2), DenoiseQuery(model=AUTO))

    def __call__(self, batch: Batch) -> Batch:
        """Return the names of the pictures in ``batch`` that got no result, and why."""
        jobs = [
            Job(Path(source), Path(target)) for source, target in zip(batch["source"], batch["target"], strict=True)
        ]
        reasons = {result.job.name: write_result(result) for result in self._backend.denoise(jobs)}
        failed = {name: reason for name, reason in reasons.items() if reason is not None}
        return {"source": np.array(list(failed), object), "reason": np.array(list(failed.values()), object)}


def main() -> int:
    """Clean all pictures without a result; return 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", metavar="IN", help="folder that all nodes can read")
    parser.add_argument(
        "output", metavar="OUT", help="folder that all nodes can write; what is there already is skipped"
    )
    parser.add_argument("--actors", type=int, metavar="N", help="processes; by default, as many as processors")
    given = parser.parse_args()
    # Relative paths would start elsewhere on other nodes.
    folder, output = (str(Path(name).resolve()) for name in (given.input, given.output))
    try:
        plan = make_plan([folder], output, overwrite=False)
    except CommandError as error:
        parser.error(error.format_message())
    failed = [(failure.name, failure.reason) for failure in plan.failures]
    if plan.jobs:
        ray.init()
        failed += denoise(plan.jobs, given.actors or int(ray.cluster_resources()["CPU"]))
    for name, reason in failed:
        print(f"{name}: {reason}")
    cleaned = len(plan.jobs) + len(plan.failures) - len(failed)
    print(f"{cleaned} cleaned, {plan.skipped} skipped, {len(failed)} failed")
    return int(len(failed) > 0)


def denoise(jobs: Sequence[Job], actors: int) -> list[tuple[str, str]]:
    """Return the names of the pictures that got no result, and why."""
    pictures = ray.data.from_items(
        [{"source": str(job.source), "target": str(job.target)} for job in jobs],
        override_num_blocks=-(-len(jobs) // BATCH_PICTURES),
    )
    pool = ray.data.ActorPoolStrategy(size=actors)
    failed = pictures.map_batches(Denoiser, batch_size=BATCH_PICTURES, compute=pool)
    return [(row["source"], row["reason"]) for row in failed.iter_rows()]


if __name__ == "__main__":
    raise SystemExit(main())

"""Write the tables and the plot of benchmarks.scenarios.load."""

import statistics
from pathlib import Path

from benchmarks.harness import pictures, targets
from benchmarks.harness.tables import table
from benchmarks.scenarios.load import REFERENCE_POINT, Measurement, Point, Results, median_of, median_ratio, select

ONE, MANY = (pictures.RAW, 1), (pictures.RAW, 128)
NO_PEERS = (targets.OURS, targets.OURS_OPENVINO, targets.ECHO)
POINTS = tuple((kind, count) for kind in (pictures.RAW, pictures.MULTIPART) for count in (1, 8, 32, 128))


def load_tables(results: Results) -> str:
    """Return all tables, as Markdown."""
    others = [found.other_cores for found in results.measurements]
    sections = [
        f"Machine: {results.machine}. Model: {results.model}. Loads of {results.seconds} s; medians over "
        f"{len(results.steps)} rounds at 1 and 32 connections, raw, one round elsewhere; ratios are taken within each "
        f"round. Other processes kept {statistics.median(others):.2f} cores busy (at most {max(others):.2f}).",
        acceptance_table(results),
        main_table(results),
        limit_table(results),
        "Requests per second at every point, and p50 / p99 in milliseconds:",
        points_table(results),
        "Forms that were tried, in requests per second at 32 connections, raw; the best one counts:",
        trials_table(results),
    ]
    if results.problems:
        sections.append("Problems:\n\n" + "\n".join(f"- {problem}" for problem in results.problems))
    return "\n\n".join(sections) + "\n"


def acceptance_table(results: Results) -> str:
    """Return the ratios and their targets."""
    others = [name for name in _names(results) if name not in NO_PEERS]
    rows = []
    for ours, suffix, asks, p50_ask in (
        (targets.OURS, "", {targets.LITSERVE: "≥ 1.8, aim 2.5", targets.PREDICT: "≥ 50"}, "≤ 1"),
        (targets.OURS_OPENVINO, " (OpenVINO)", {targets.LITSERVE: "≥ 2.4"}, "≤ 0.75"),
    ):
        rows += [
            (
                f"throughput at 32 connections / {name}{suffix}",
                f"{median_ratio(results, (ours, name), REFERENCE_POINT, _per_s):.2f}",
                asks.get(name, ""),
            )
            for name in others
        ]
        if others:
            worst = max(median_ratio(results, (ours, name), ONE, _p50) for name in others)
            rows.append((f"p50 at 1 connection / the fastest peer's{suffix}", f"{worst:.2f}", p50_ask))
    tail = statistics.median(
        found.load.p99_ms / found.load.p50_ms for found in select(results, targets.OURS, REFERENCE_POINT)
    )
    rows.append(("p99 / p50 at 32 connections", f"{tail:.2f}", "≤ 4"))
    rows.append(("share of the limit at 32 connections", f"{share_of_limit(results):.0%}", "≥ 60 %"))
    share = share_of_limit(results, MANY)
    rows.append(("share of the limit at 128 connections", f"{share:.0%}", "≥ 60 %"))
    return table(("ratio", "measured", "target"), rows)


def main_table(results: Results) -> str:
    """Return the absolute figures at 1 and 32 connections, raw."""
    head = [
        *("server", "requests/s (32)", "p50 ms (32)", "p99 ms (32)", "CPU ms/request (32)"),
        *("requests/s (1)", "p50 ms (1)", "p99 ms (1)", "peak MB", "ready s"),
    ]
    rows = []
    for name in _names(results):
        runs = [run for run in results.runs if run.name == name]
        rows.append((
            f"{name} ({results.forms[name]})" if name in results.forms else name,
            f"{median_of(results, name, REFERENCE_POINT, _per_s):,.0f}",
            f"{median_of(results, name, REFERENCE_POINT, _p50):.1f}",
            f"{median_of(results, name, REFERENCE_POINT, _p99):.1f}",
            f"{median_of(results, name, REFERENCE_POINT, _cpu):.3f}",
            f"{median_of(results, name, ONE, _per_s):,.0f}",
            f"{median_of(results, name, ONE, _p50):.2f}",
            f"{median_of(results, name, ONE, _p99):.2f}",
            f"{statistics.median(run.peak_mb for run in runs):,.0f}",
            f"{statistics.median(run.ready_s for run in runs):.1f}",
        ))  # fmt: skip
    return table(head, rows)


def limit_table(results: Results) -> str:
    """Return the CPU milliseconds per request: the limit, and what the service takes."""
    cost = {name: statistics.median(steps[name] for steps in results.steps) / 1000 for name in results.steps[0]}
    echo = median_of(results, targets.ECHO, REFERENCE_POINT, _cpu)
    batch = best_batch(results)
    rows = [
        ("FastAPI echo of the same bytes, raw, 32 connections", echo),
        ("decode, by the service's rules", cost["decode"]),
        (f"infer, in micro-batches of {batch}", cost[f"infer_{batch}"]),
        ("encode, the service's own", cost["encode"]),
        ("**limit**: their sum", echo + cost["decode"] + cost[f"infer_{batch}"] + cost["encode"]),
        ("the service at 32 connections, raw", median_of(results, targets.OURS, REFERENCE_POINT, _cpu)),
        ("for comparison: infer, one picture a call", cost["infer_1"]),
        (f"for comparison: infer, in micro-batches of {96 - batch}", cost[f"infer_{96 - batch}"]),
        ("for comparison: decode with Pillow, no rules", cost["decode_plain"]),
        ("for comparison: encode with Pillow", cost["encode_plain"]),
    ]
    return table(("CPU of the server, ms per request", "median"), [(name, f"{value:.3f}") for name, value in rows])


def best_batch(results: Results) -> int:
    """Return 32 or 64, whichever takes less CPU time for each picture."""
    return min((32, 64), key=lambda size: statistics.median(steps[f"infer_{size}"] for steps in results.steps))


def share_of_limit(results: Results, point: Point = REFERENCE_POINT) -> float:
    """Return the median over the rounds of limit / service, in CPU seconds of the server per request."""
    ours = {found.round: found.cpu_ms for found in select(results, targets.OURS, point)}
    echo = {found.round: found.cpu_ms for found in select(results, targets.ECHO, point)}
    batch = best_batch(results)
    work = [(steps["decode"] + steps[f"infer_{batch}"] + steps["encode"]) / 1000 for steps in results.steps]
    return statistics.median((echo[number] + work[number]) / ours[number] for number in ours)


def points_table(results: Results) -> str:
    head = ["server", *(f"{kind} {connections}" for kind, connections in POINTS)]
    rows = []
    for name in _names(results):
        row = [name]
        for point in POINTS:
            if not select(results, name, point):
                row.append("")
                continue
            p50, p99 = median_of(results, name, point, _p50), median_of(results, name, point, _p99)
            row.append(f"{median_of(results, name, point, _per_s):,.0f} ({p50:.1f} / {p99:.1f})")
        rows.append(row)
    return table(head, rows)


def trials_table(results: Results) -> str:
    rows = [
        (name, form, f"{per_s:,.0f}")
        for name, forms in results.trials.items()
        for form, per_s in sorted(forms.items(), key=lambda item: -item[1])
    ]
    return table(("peer", "form", "requests/s"), rows)


def draw_throughput(results: Results, path: Path) -> None:
    """Plot requests per second over connections, raw, on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for name in _names(results):
        points = [point for point in POINTS if point[0] == pictures.RAW and select(results, name, point)]
        speeds = [median_of(results, name, point, _per_s) for point in points]
        style = {"linewidth": 3.0} if name in NO_PEERS[:2] else {"linewidth": 1.5, "linestyle": "--"}
        axes.plot([count for _, count in points], speeds, marker="o", label=name, **style)
    axes.set(xscale="log", yscale="log", xlabel="connections", ylabel="requests / s", title="28×28 PNG, raw body")
    axes.set_xticks([1, 8, 32, 128], labels=["1", "8", "32", "128"])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _names(results: Results) -> list[str]:
    return list(dict.fromkeys(found.name for found in results.measurements if found.round == 0))


def _per_s(found: Measurement) -> float:
    return found.load.per_s


def _p50(found: Measurement) -> float:
    return found.load.p50_ms


def _p99(found: Measurement) -> float:
    return found.load.p99_ms


def _cpu(found: Measurement) -> float:
    return found.cpu_ms

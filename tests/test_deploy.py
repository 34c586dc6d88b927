"""What ``deploy/`` says of the service holds."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
PROMETHEUS, DASHBOARD = DEPLOY / "prometheus", DEPLOY / "grafana" / "dashboard.json"


@pytest.mark.parametrize(
    "path", [DASHBOARD, PROMETHEUS / "alerts.yml", PROMETHEUS / "alerts_test.yml"], ids=lambda path: path.name
)
def test_every_metric_that_is_asked_for_exists(path: Path) -> None:
    families = text_string_to_metric_families(Metrics().render().decode())
    known = {
        f"{family.name}{ending}"
        for family in families
        for ending in {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}[family.type]
    }
    asked = set(re.findall(r"\bdenoiser_\w+", path.read_text()))
    assert asked
    assert asked <= known


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = [
        (column, row)
        for panel in panels
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24  # the width of Grafana's grid


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize(
    "arguments", ["check rules alerts.yml", "check config prometheus.yml", "test rules alerts_test.yml"]
)
def test_promtool_agrees(arguments: str) -> None:
    promtool = shutil.which("promtool") or ""
    ended = subprocess.run([promtool, *arguments.split()], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr

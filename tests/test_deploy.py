"""What ``deploy/`` says of the service holds."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.settings import Settings
from app.telemetry.metrics import Metrics

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
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


def kubernetes_settings() -> dict[str, str]:
    """Return the settings in the ConfigMap, and in the patch that turns keys on."""
    text = (KUBERNETES / "config-map.yaml").read_text() + (
        KUBERNETES / "components/keys/kustomization.yaml"
    ).read_text()
    return dict(re.findall(r'^ *(DENOISER_\w+): "?([^\s"]+)"?', text, re.MULTILINE))


def validate(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kubernetes-validate")), "--strict", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_resources_are_those_that_kubernetes_knows(tmp_path: Path) -> None:
    resources = [path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml"]
    assert len(resources) == 5
    ended = validate(*resources)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    broken = tmp_path / "broken.yaml"
    broken.write_text((KUBERNETES / "service.yaml").read_text().replace("targetPort", "targetport"))
    assert validate(broken).returncode != 0


def test_every_resource_is_part_of_the_base() -> None:
    listed = re.findall(r"^  - (\S+\.yaml)$", (KUBERNETES / "kustomization.yaml").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted({path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"})


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_an_overlay_with_all_components_is_rendered(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "base")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(
        "resources: [../base]\n"
        "components: [../base/components/keys, ../base/components/store, ../base/components/openvino]\n"
    )
    rendered = tmp_path / "rendered.yaml"
    kubectl = shutil.which("kubectl") or ""
    rendered.write_text(
        subprocess.run([kubectl, "kustomize", str(overlay)], capture_output=True, text=True, check=True).stdout
    )
    assert validate(rendered).returncode == 0
    for expected in (
        "DENOISER_KEYS_FILE: /run/denoiser/keys.json",
        "secretName: denoiser-keys",
        "/srv/denoiser/model_store",
        "-openvino",
    ):
        assert expected in rendered.read_text()


def test_the_settings_in_kubernetes_are_valid() -> None:
    settings = {name.removeprefix("DENOISER_").lower(): value for name, value in kubernetes_settings().items()}
    Settings(**settings)  # type: ignore[arg-type]  # as from the environment
    deployment = (KUBERNETES / "deployment.yaml").read_text()
    assert f"containerPort: {settings['metrics_port']}" in deployment
    assert f'prometheus.io/port: "{settings["metrics_port"]}"' in deployment


def test_a_pod_has_the_time_that_the_service_takes_to_stop() -> None:
    settings = kubernetes_settings()
    deployment = (KUBERNETES / "deployment.yaml").read_text()
    (granted_s,) = re.findall(r"terminationGracePeriodSeconds: (\d+)", deployment)
    (sleep_s,) = re.findall(r'\[sleep, "(\d+)"\]', deployment)
    needed_s = float(settings["DENOISER_DRAIN_GRACE_S"]) + float(settings["DENOISER_REQUEST_TIMEOUT_S"]) + 5
    assert float(granted_s) >= float(sleep_s) + needed_s


def test_kubernetes_sets_no_variable_that_looks_like_a_setting() -> None:
    assert "enableServiceLinks: false" in (KUBERNETES / "deployment.yaml").read_text()

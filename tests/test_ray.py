"""The service on a Ray cluster of three nodes, all on this machine: ``make test-ray``."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

ray = pytest.importorskip("ray", reason="Ray is installed by `make test-ray` only")
from denoiser_on_ray import Arguments, build  # noqa: E402
from pydantic import ValidationError  # noqa: E402
from ray import serve  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402
from ray.util.state import list_actors  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
DIGIT = (REPOSITORY / "docs/samples/digit.png").read_bytes()
CONNECTIONS = 8
REQUESTS = 10_000
WAIT_S = 120
NODES = 3


class Load:
    """Clients that denoise a digit over and over, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CONNECTIONS)]
        self._lock = threading.Lock()
        self.sent = 0
        self.failures: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def wait_for(self, count: int) -> None:
        """Wait until so many requests were sent."""
        wait_until(lambda: self.sent >= count)

    def _work(self) -> None:
        while not self._stop.is_set():
            connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
            with closing(connection):
                while not self._stop.is_set():
                    problem = post_digit(connection)
                    with self._lock:
                        self.sent += 1
                        self.failures += [problem] if problem else []
                    if problem:
                        break


def post_digit(connection: HTTPConnection) -> str:
    """Denoise a digit; return what went wrong, if anything."""
    try:
        connection.request("POST", "/v1/denoise", DIGIT, {"Content-Type": "image/png"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        return repr(error)
    return "" if response.status == 200 else f"{response.status} {body[:100]!r}"


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.2)


class Service:
    """The service as ``deploy/ray/serve.yaml`` has it, but for the numbers that fit into three small nodes."""

    def __init__(self, port: int, dashboard: str) -> None:
        self.port = port
        self._dashboard = f"http://{dashboard}"

    def deploy(self, *, replicas: int, release: str = "1") -> None:
        """Deploy the service, and wait until it runs as asked."""
        config = yaml.safe_load((REPOSITORY / "deploy/ray/serve.yaml").read_text())
        config["proxy_location"] = "HeadOnly"
        config["http_options"]["port"] = self.port
        application = config["applications"][0]
        application["args"] |= {"cpus": 1, "release": release}
        application["deployments"][0]["num_replicas"] = replicas
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(config, file)
            command = [str(Path(sys.executable).with_name("serve")), "deploy", file.name, "--address", self._dashboard]
            subprocess.run(command, check=True, capture_output=True)
        wait_until(lambda: find_states() == {"RUNNING": replicas})


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    options = {"num_cpus": 0, "include_dashboard": True, "dashboard_port": free_port()}
    nodes = Cluster(initialize_head=True, connect=True, head_node_args=options)
    try:
        for _ in range(NODES):
            nodes.add_node(num_cpus=1)
        yield nodes
    finally:
        serve.shutdown()
        ray.shutdown()
        nodes.shutdown()


@pytest.fixture(scope="module")
def service(cluster: Cluster) -> Service:
    """Return the service on three nodes, with HAProxy on the fourth: the nodes share the ports of this machine."""
    service = Service(free_port(), cluster.head_node.webui_url)
    service.deploy(replicas=NODES)
    return service


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def find_states() -> dict[str, int]:
    """Return how many replicas there are in each state, none while the deployment changes."""
    application = serve.status().applications.get("denoiser")
    if application is None or application.status != "RUNNING":
        return {}
    return dict(application.deployments["denoiser"].replica_states)


def find_processes() -> dict[str, int]:
    """Return the process of each replica that runs."""
    actors = list_actors(filters=[("state", "=", "ALIVE")], detail=True)
    return {actor.name: actor.pid for actor in actors if "denoiser" in (actor.name or "")}


def test_a_replica_gets_its_processors_and_its_settings() -> None:
    arguments = Arguments(replicas=2, max_replicas=4, cpus=3, release=7, settings='{"queue_size": 8}')
    settings = arguments.read_settings()
    assert (settings.inference_threads, settings.decoders, settings.queue_size) == (3, 3, 8)
    build(arguments)


@pytest.mark.parametrize("settings", [{"port": 80}, {"metrics_port": 9000}, {"queue": 8}, {"queue_size": 0}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        build(Arguments(settings=settings))


def test_each_replica_answers_and_its_metrics_can_be_read(service: Service) -> None:
    load = Load(service.port)
    with load.running():
        load.wait_for(300)
    assert load.failures == []
    with urlopen(f"http://127.0.0.1:{service.port}/metrics") as response:
        text = response.read().decode()
    digits = {
        sample.labels["replica"]: sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if sample.name == "denoiser_requests_total" and sample.labels["route"] == "/v1/denoise"
    }
    assert len(digits) == NODES
    assert sum(digits.values()) == load.sent


def test_a_rolling_update_fails_no_request(service: Service) -> None:
    before = find_processes()
    load = Load(service.port)
    with load.running():
        load.wait_for(100)
        service.deploy(replicas=NODES, release="2")
        load.wait_for(load.sent + 1000)
    assert load.failures == []
    assert not set(before.values()) & set(find_processes().values())


def test_scaling_fails_no_request_and_keeps_what_runs(service: Service) -> None:
    before = find_processes()
    load = Load(service.port)
    with load.running():
        for replicas in (1, NODES):
            service.deploy(replicas=replicas, release="2")
            load.wait_for(load.sent + 1000)
    assert load.failures == []
    assert len(set(before.values()) & set(find_processes().values())) == 1


def test_a_folder_is_cleaned_on_the_cluster(cluster: Cluster, service: Service, tmp_path: Path) -> None:
    service.deploy(replicas=NODES - 1, release="2")  # makes room for one process more
    (tmp_path / "in").mkdir()
    for number in range(5):
        (tmp_path / f"in/{number}.png").write_bytes(DIGIT)
    (tmp_path / "in/broken.png").write_bytes(b"no picture")
    command = [sys.executable, "deploy/ray/denoise_folder.py", str(tmp_path / "in"), str(tmp_path / "out")]
    ended = subprocess.run(
        [*command, "--actors", "1"], env=os.environ | {"RAY_ADDRESS": cluster.address}, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{number}.png" for number in range(5)]
    assert "in/broken.png: The bytes are not an image" in ended.stdout
    assert ended.stdout.endswith("5 cleaned, 0 skipped, 1 failed\n")


def test_a_killed_replica_fails_few_requests(service: Service) -> None:
    service.deploy(replicas=NODES, release="2")
    killed = next(iter(find_processes().values()))
    load = Load(service.port)
    with load.running():
        load.wait_for(100)
        os.kill(killed, signal.SIGKILL)
        load.wait_for(REQUESTS)
        wait_until(lambda: find_states() == {"RUNNING": NODES})
    assert killed not in find_processes().values()
    assert len(load.failures) <= 10, load.failures


def test_a_killed_node_fails_few_requests(cluster: Cluster, service: Service) -> None:
    load = Load(service.port)
    with load.running():
        load.wait_for(100)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        load.wait_for(REQUESTS)
    assert len(load.failures) <= 10, load.failures

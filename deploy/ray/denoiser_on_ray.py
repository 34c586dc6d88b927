"""Run the service as replicas of Ray Serve: ``serve run denoiser_on_ray:build replicas=3``."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from pydantic import BaseModel, ConfigDict, Field, Json, field_validator
from ray import serve
from ray.serve import Application
from ray.serve.exceptions import RayServeException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from app.telemetry.logs import configure_logging
from app.telemetry.request_log import REQUEST_ID_HEADER
from app.web.access import METRICS_PATH

NAME = "denoiser"
# Requests of a replica that Ray lets through at once, for each place of the service: some wait for a place, and the
# service refuses the others itself, with 429 and Retry-After.
REQUESTS_PER_PLACE = 4
BUSY = {"status_code": 429, "retry_after_s": 1}  # beyond these, and as many that wait at Ray
BUSY_SHARE = 0.25  # of the places in use, at which Ray adds replicas
DRAIN_S = 30.0  # in which Ray sends no new requests to a replica that is to stop, and does not stop it
STOP_MARGIN_S = 5.0
METRICS_TIMEOUT_S = 5.0
OF_THE_SERVER = ("host", "port", "metrics_port", "workers", "drain_grace_s", "keep_alive_s", "max_connections")

logger = logging.getLogger(__name__)


class Arguments(BaseModel):
    """What ``serve run denoiser_on_ray:build NAME=VALUE ...`` takes, and ``args`` in a configuration file."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    replicas: int = Field(1, ge=1, description="Replicas: of a fixed number, or the fewest.")
    max_replicas: int | None = Field(None, ge=1, description="Under load, Ray adds replicas up to this number.")
    cpus: int = Field(1, ge=1, description="Processors that a replica reserves, and threads of its networks.")
    release: str = Field("", description="Any text; when it changes, new replicas take the place of all others.")
    settings: dict[str, Any] | Json[dict[str, Any]] = Field(
        {}, description="Settings of the service, also as JSON; they win over the environment of the node."
    )

    @field_validator("settings")
    @classmethod
    def _refuse_settings_of_the_server(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if useless := settings.keys() & set(OF_THE_SERVER):
            raise ValueError(f"of no use on Ray: {', '.join(sorted(useless))}")
        return settings

    def read_settings(self) -> Settings:
        """Return the settings of a replica on this node.

        Raises:
            pydantic.ValidationError: one is unknown, or has a value that it cannot have.
        """
        by_cpus = {"inference_threads": self.cpus, "decoders": max(2, self.cpus)}
        return Settings(**{**by_cpus, **self.settings, "metrics_port": None})


class Replica:
    """A replica of the service, and what it tells the others."""

    def __init__(self, arguments: Arguments) -> None:
        settings = arguments.read_settings()
        configure_logging(settings.log_format, settings.log_level)
        self._app = ReplicaApp(create_app(settings))

    def __serve_build_asgi_app__(self) -> ASGIApp:  # Ray's name
        return self._app

    async def render_metrics(self) -> tuple[str, str]:
        """Return the name of this replica, and its metrics in Prometheus' text format."""
        return serve.get_replica_context().replica_tag, self._app.state["service"].metrics.render().decode()


class ReplicaApp:
    """ASGI app: the service, with the metrics of all replicas, and with what Ray leaves out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; requests get what the lifespan has set up, which Ray keeps from them (ray#45395)."""
        scope["state"] = self.state if scope["type"] == "lifespan" else self.state.copy()
        if scope["type"] == "http" and scope["path"] == METRICS_PATH:
            await self._answer_with_metrics(scope, receive, send)
        else:
            await self._app(scope, receive, partial(_send_without_id, send))

    async def _answer_with_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the metrics of all replicas where the service would answer with those of one."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        start = messages[0]
        if start["status"] == HTTPStatus.OK and (body := await _gather_metrics()):
            MutableHeaders(scope=start)["content-length"] = str(len(body))
            messages = [start, {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}]
        for message in messages:
            await _send_without_id(send, message)


async def _send_without_id(send: Send, message: Message) -> None:
    """Leave out the header with the request's id, which Ray adds."""
    if message["type"] == "http.response.start":
        del MutableHeaders(scope=message)[REQUEST_ID_HEADER]
    await send(message)


async def _gather_metrics() -> bytes:
    """Return the metrics of all replicas; nothing if one of them does not answer."""
    here = serve.get_replica_context()
    try:
        answers = serve.get_deployment_handle(here.deployment, here.app_name).broadcast("render_metrics")
        replicas = await answers.results_async(timeout_s=METRICS_TIMEOUT_S, return_exceptions=True)
    except (TimeoutError, RayServeException) as error:
        logger.warning("a replica does not tell its metrics: %r", error)
        return b""
    registry = CollectorRegistry()
    registry.register(MergedMetrics([each for each in replicas if isinstance(each, tuple)]))
    return generate_latest(registry)


class MergedMetrics(Collector):
    """The metrics of several replicas, with the name of each as the label ``replica``."""

    def __init__(self, replicas: Iterable[tuple[str, str]]) -> None:
        self._replicas = replicas

    def collect(self) -> Iterator[Metric]:
        """Return each metric once, with the samples of all replicas."""
        merged: dict[str, Metric] = {}
        for replica, text in self._replicas:
            for metric in text_string_to_metric_families(text):
                into = merged.setdefault(metric.name, Metric(metric.name, metric.documentation, metric.type))
                into.samples += [
                    sample._replace(labels={"replica": replica, **sample.labels}) for sample in metric.samples
                ]
        yield from merged.values()


def build(arguments: Arguments) -> Application:
    """Return the application for ``serve run``.

    Raises:
        pydantic.ValidationError: a setting of the service is unknown, or has a value that it cannot have.
    """
    settings = arguments.read_settings()
    requests = REQUESTS_PER_PLACE * settings.queue_size
    longest_s = settings.request_timeout_s + settings.request_timeout_s_per_megapixel * settings.max_pixels / 1e6
    scale: Mapping[str, Any] = {"num_replicas": arguments.replicas}
    if arguments.max_replicas is not None:
        limits = {"min_replicas": arguments.replicas, "max_replicas": arguments.max_replicas}
        scale = {"autoscaling_config": {**limits, "target_ongoing_requests": BUSY_SHARE * settings.queue_size}}
    deployment = serve.deployment(serve.ingress()(Replica)).options(
        name=NAME,
        max_ongoing_requests=requests,
        max_queued_requests=requests,
        backpressure_config=BUSY,
        graceful_shutdown_timeout_s=DRAIN_S + longest_s + STOP_MARGIN_S,
        ray_actor_options={"num_cpus": arguments.cpus},
        **scale,
    )
    return deployment.bind(arguments)

"""The service's settings, read once from the environment (prefix ``DENOISER_``)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # how a local client reaches a service on all addresses
Precision = Literal["auto", "float32"]
Runtime = Literal["tensorflow", "openvino"]
MODEL_STORE = Path(__file__).resolve().parent.parent / "model_store"


class Settings(BaseSettings):
    """All settings and their defaults; frozen, so that they stay as they were read at the start."""

    model_config = SettingsConfigDict(env_prefix="DENOISER_", env_ignore_empty=True, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; loopback, because anyone may call without keys.")
    port: int = Field(8000, ge=0, le=65535, description="TCP port; 0 lets the system choose.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="TCP port of the metrics, which are on no other then."
    )
    workers: int = Field(1, ge=1, description="Server processes; each loads every model.")
    model_store: Path = Field(MODEL_STORE, description="Folder with the models.")
    store_poll_s: float = Field(
        1.0, ge=0, description="Seconds between two looks for changes in the store; 0 turns them off."
    )
    default_model: str | None = Field(
        None,
        description="Model used when a request names none: by default `digits`, or the store's only model; `auto` "
        "chooses by the size of the picture.",
    )
    max_upload_bytes: int = Field(64 * 2**20, ge=1, description="Largest request body, in bytes.")
    max_pixels: int = Field(40_000_000, ge=1, description="Largest picture, in pixels, judged from its header.")
    max_batch_files: int = Field(1000, ge=1, description="Files in one request to /v1/denoise/batch.")
    queue_size: int = Field(64, ge=1, description="Requests in work at once, from reading the body to the response.")
    request_timeout_s: float = Field(30.0, gt=0, description="Deadline of a request, in seconds.")
    request_timeout_s_per_megapixel: float = Field(
        2.0, ge=0, description="Seconds that are added to the deadline for each million pixels of the picture."
    )
    drain_grace_s: float = Field(
        5.0, ge=0, description="Seconds from SIGTERM to the end of listening, for load balancers to react."
    )
    keep_alive_s: int = Field(75, ge=1, description="Seconds that an idle connection is kept open for a next request.")
    max_connections: int | None = Field(
        None,
        ge=32,
        description="Connections open at once, of which 16 are kept for probes; by default three quarters of the files "
        "that the process may open.",
    )
    keys_file: Path | None = Field(
        None, description="JSON file of the keys that may call the service; without one, anyone may."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins, separated by commas, whose pages may call the service; `*` for any."
    )
    inference_threads: int | None = Field(
        None, ge=1, description="For networks of any size: tiles in work at once; by default, the CPU quota."
    )
    decoders: int | None = Field(
        None, ge=2, description="Processes that decode pictures; by default, the CPU quota, and at least 2."
    )
    runtime: Runtime = Field("tensorflow", description="What runs the networks: `tensorflow` or `openvino`.")
    precision: Precision = Field(
        "auto",
        description="`float32`, or `auto`: networks of any size compute in bfloat16 if the processor is fast at it and "
        "the 8-bit noise level is 5 or more, in half the time; pixels move by a quarter of an 8-bit level (RMS), in "
        "colour by up to four tenths. With OpenVINO, so do networks of a fixed size if the processor has AMX.",
    )
    log_format: Literal["text", "json"] = Field("text", description="Format of the log.")
    log_level: Literal["debug", "info", "warning"] = Field(
        "info", description="Least severe record in the log; `info` has one for each request."
    )

    def local_url(self, port: int) -> str:
        """Return the URL at which a client on the same machine reaches a service with these settings on ``port``."""
        host = LOOPBACK.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @field_validator("metrics_port")
    @classmethod
    def _is_another_port(cls, value: int | None, others: ValidationInfo) -> int | None:
        if value is not None and value == others.data.get("port"):
            raise ValueError("must differ from DENOISER_PORT")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(origin.strip() for origin in value.split(",") if origin.strip())
        return value

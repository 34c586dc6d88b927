"""A client of the denoiser service: noisy pictures in, clean ones out."""

from denoiser_client.asynchronous import AsyncClient
from denoiser_client.errors import (
    AccessError,
    BusyError,
    ConnectionFailedError,
    DenoiserError,
    NoDenoiserError,
    ProblemError,
    RequestError,
    ServerError,
)
from denoiser_client.options import Options
from denoiser_client.pictures import Picture
from denoiser_client.results import Denoised, Model, Outcome
from denoiser_client.synchronous import Client

__all__ = [
    "AccessError",
    "AsyncClient",
    "BusyError",
    "Client",
    "ConnectionFailedError",
    "Denoised",
    "DenoiserError",
    "Model",
    "NoDenoiserError",
    "Options",
    "Outcome",
    "Picture",
    "ProblemError",
    "RequestError",
    "ServerError",
]

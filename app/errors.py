"""Everything that can go wrong, by meaning; app.web.responses.problems knows which HTTP status each meaning gets.

::

    DenoiserError
    ├── RequestError                  the client can do something about it
    │   ├── NoImageError
    │   ├── ModelNotFoundError
    │   ├── ProblemNotFoundError
    │   ├── NotAcceptableError
    │   ├── UploadTooLargeError
    │   ├── TooManyFilesError
    │   ├── UnsupportedFormatError
    │   ├── InvalidImageError
    │   ├── ImageTooLargeError
    │   ├── InvalidParameterError
    │   ├── QueueFullError
    │   ├── NotReadyError
    │   ├── DeadlineExceededError
    │   └── ClientGoneError
    ├── InferenceError                the network failed
    └── ModelStoreError               the service cannot start
"""

from collections.abc import Sequence
from typing import Self

MAX_ECHO = 100  # characters of what a client sent, in the text of an error


class DenoiserError(Exception):
    """Base of every error that the service raises on purpose; its text is safe to show to a client."""


class RequestError(DenoiserError):
    """A request that cannot be answered with an image.

    Attributes:
        limit: the limit that was passed, in the unit that the text names.
        names: the names that would have worked.
        parameter: the query parameter that is at fault.
        retry_after_s: whole seconds after which another try makes sense.
    """

    retry_after_s: int | None = None

    def __init__(
        self,
        detail: str,
        *,
        limit: int | None = None,
        names: Sequence[str] | None = None,
        parameter: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.limit = limit
        self.names = names
        self.parameter = parameter
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class NoImageError(RequestError):
    """The request carries no image."""


class ModelNotFoundError(RequestError):
    """No model, or no version of it, has the name that was asked for."""


class ProblemNotFoundError(RequestError):
    """No problem type has the name that was asked for."""


class NotAcceptableError(RequestError):
    """The client accepts none of the media types that an answer can have."""


class UploadTooLargeError(RequestError):
    """The body has more bytes than the limit."""


class TooManyFilesError(RequestError):
    """The batch has more files than the limit."""


class UnsupportedFormatError(RequestError):
    """The bytes are not of an accepted image format."""


class InvalidImageError(RequestError):
    """The image is truncated, corrupt, empty, or has samples that cannot be used."""


class ImageTooLargeError(RequestError):
    """The image has more pixels than the limit."""


class InvalidParameterError(RequestError):
    """A parameter has a value that is not allowed, or that the chosen network cannot use."""


class QueueFullError(RequestError):
    """Every slot is taken, or the images in flight hold too many pixels."""

    retry_after_s = 1


class NotReadyError(RequestError):
    """The service is starting or draining."""


class DeadlineExceededError(RequestError):
    """The request waited longer than the deadline."""

    retry_after_s = 1  # what made one request late is usually over a second later

    @classmethod
    def after(cls, timeout_s: float) -> Self:
        """Return the error of a picture that took longer than ``timeout_s``."""
        return cls(f"The picture could not be denoised within {timeout_s:g} seconds.")


class ClientGoneError(RequestError):
    """The client closed the connection before its answer was ready."""


class InferenceError(DenoiserError):
    """The network raised an error; the cause is chained."""


class ModelStoreError(DenoiserError):
    """The model store cannot be served as it is."""

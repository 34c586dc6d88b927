"""Everything that can go wrong, by meaning; app.web.responses.problems maps each meaning to an HTTP status.

::

    DenoiserError
    ├── RequestError                  the client can do something about it
    │   ├── KeyMissingError
    │   ├── KeyUnknownError
    │   ├── ScopeMissingError
    │   ├── RateExceededError
    │   ├── ShareExceededError
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
    │   ├── InvalidTensorError
    │   ├── QueueFullError
    │   ├── NotReadyError
    │   ├── DeadlineExceededError
    │   └── ClientGoneError
    ├── InferenceError                the network failed
    ├── KeyFileError                  the service cannot start
    └── ModelStoreError               likewise
"""

from collections.abc import Sequence
from typing import Self

MAX_ECHO = 100  # characters of a client's input that an error text repeats


class DenoiserError(Exception):
    """Base of all errors that the service raises on purpose; their texts are safe to show to clients."""


class RequestError(DenoiserError):
    """The request cannot be answered with a denoised picture.

    Attributes:
        limit: the limit that was exceeded, in the unit that the text names.
        names: the names that would have worked.
        parameter: the query parameter that is wrong.
        retry_after_s: whole seconds after which the client may try again.
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


class KeyMissingError(RequestError):
    """The request has no key, and needs one."""


class KeyUnknownError(RequestError):
    """The request has a key that the service does not know."""


class ScopeMissingError(RequestError):
    """The key is not for what the request asks for."""


class RateExceededError(RequestError):
    """The key allows fewer requests a second."""


class ShareExceededError(RequestError):
    """The requests of the key hold as many slots as it may have."""

    retry_after_s = 1


class NoImageError(RequestError):
    """The request carries no image."""


class ModelNotFoundError(RequestError):
    """The store has no such model, or no such version of it."""


class ProblemNotFoundError(RequestError):
    """There is no such problem type."""


class NotAcceptableError(RequestError):
    """The client accepts none of the media types that the response can have."""


class UploadTooLargeError(RequestError):
    """The body has more bytes than the limit."""


class TooManyFilesError(RequestError):
    """The batch has more files than the limit."""


class UnsupportedFormatError(RequestError):
    """The bytes are not an image in one of the accepted formats."""


class InvalidImageError(RequestError):
    """The image is truncated, corrupt or empty, or has samples that cannot be used."""


class ImageTooLargeError(RequestError):
    """The image has more pixels than the limit."""


class InvalidParameterError(RequestError):
    """A parameter has a value that is not allowed, or is of no use to the chosen network."""


class InvalidTensorError(RequestError):
    """A tensor is malformed, or not as the network takes it."""


class QueueFullError(RequestError):
    """Every slot is taken, or the requests in work hold too many pixels or bytes."""

    retry_after_s = 1


class NotReadyError(RequestError):
    """The service is starting or draining."""


class DeadlineExceededError(RequestError):
    """The deadline passed before the work was done."""

    retry_after_s = 1  # what delayed one request is usually over after a second

    @classmethod
    def after(cls, timeout_s: float) -> Self:
        """Return the error for a picture that took longer than ``timeout_s``."""
        return cls(f"The picture could not be denoised within {round(timeout_s, 2):g} seconds.")


class ClientGoneError(RequestError):
    """The client closed the connection before the response was ready."""


class InferenceError(DenoiserError):
    """The network raised an error, which is chained as the cause."""


class KeyFileError(DenoiserError):
    """The file of keys is missing, or cannot be read or written."""


class ModelStoreError(DenoiserError):
    """The model store cannot be served in its present state."""

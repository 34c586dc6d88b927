# `docker build -t denoiser .` builds the service; `--build-arg RUNTIME=openvino` builds it without TensorFlow, in a third of
# the size; `--target training` builds the image that trains networks.
# Each final stage copies a virtual environment from a builder: pip and its caches stay behind.

# Named by its tag: its digest could not be resolved where this file was written, and the tag also gets Debian's and
# Python's security fixes. To pin it: `--build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:...`.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# What runs the networks: tensorflow or openvino.
ARG RUNTIME=tensorflow
FROM $PYTHON_IMAGE AS base
ENV PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH
WORKDIR /srv/denoiser


# Dependencies come before code, so a change to the code does not install them again.
FROM base AS venv
RUN python3 -m venv /opt/venv


FROM venv AS training-venv
COPY requirements/training.txt /tmp/
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/training.txt \
    && python3 -m pip uninstall --quiet --yes pip


FROM venv AS tensorflow-venv
COPY requirements/app.txt /tmp/
# TensorFlow's C++ headers are a fifth of its size, and nothing is compiled against them.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/app.txt \
    && rm -r /opt/venv/lib/python3*/site-packages/tensorflow/include


FROM venv AS openvino-venv
COPY requirements/openvino.txt /tmp/
# What it has for other devices and other formats is half of OpenVINO's size, and loaded only where it is asked for.
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/openvino.txt \
    && python3 -m pip uninstall --quiet --yes openvino-telemetry setuptools \
    && cd /opt/venv/lib/python3*/site-packages/openvino \
    && rm -r include libs/cache.json libs/libopenvino_intel_[gn]pu_plugin.so \
        libs/libopenvino_auto*.so libs/libopenvino_hetero_plugin.so \
        libs/libopenvino_gguf_* libs/libopenvino_jax_* libs/libopenvino_onnx_* libs/libopenvino_paddle_* \
        libs/libopenvino_pytorch_* libs/libopenvino_tensorflow_lite_*


FROM ${RUNTIME}-venv AS app-venv
COPY client /tmp/client
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation /tmp/client \
    && python3 -m pip uninstall --quiet --yes pip flit-core


FROM base AS training
LABEL org.opencontainers.image.title="denoiser-training" \
      org.opencontainers.image.description="Trains the networks that denoiser serves" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=training-venv /opt/venv /opt/venv
COPY training training
# The container runs as the caller's user, which this image does not know: what libraries keep under a home directory
# goes to /tmp, and every user may write to runs/ (checkpoints, TensorBoard logs).
RUN python3 -m compileall -q training && mkdir --mode=1777 runs model_store
ENV HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /srv/denoiser/runs
ENTRYPOINT ["python3", "-m", "training"]
CMD ["train", "article"]


# A plain `docker build .` builds the last stage.
FROM base AS service
LABEL org.opencontainers.image.title="denoiser" \
      org.opencontainers.image.description="Send a noisy image over HTTP, get a clean one back" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin denoiser
COPY --from=app-venv /opt/venv /opt/venv
COPY app app
# The file system may be read-only, so the bytecode is compiled here and not at every start.
RUN python3 -m compileall -q app
COPY model_store model_store
ARG RUNTIME
ENV DENOISER_HOST=0.0.0.0 \
    DENOISER_PORT=8000 \
    DENOISER_RUNTIME=$RUNTIME \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python3", "-m", "app", "health"]
ENTRYPOINT ["python3", "-m", "app"]
CMD ["serve"]

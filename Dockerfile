# Everything that Snakemake and its jobs need, in the versions of constraints.txt (docs/cluster.md). Two targets:
#   docker build --target gpu -t w2s:gpu .
#   docker build --target cpu -t w2s:cpu --build-arg TORCH_INDEX=<PyTorch's index of builds without CUDA> .
# The driver comes from the host, CUDA from torch's build. A checkout mounted at /w2s replaces the copy;
# files there belong to whom `docker run --user "$(id -u):$(id -g)"` names, without it to user 1000.
FROM python:3.11-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 w2s
ENV PYTHONUNBUFFERED=1
WORKDIR /w2s
RUN chown w2s /w2s
COPY --chown=w2s . .

FROM base AS cpu
ARG TORCH_INDEX=
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -e ".[kubernetes]"
USER w2s

FROM base AS gpu
RUN pip install --no-cache-dir -c constraints.txt -e ".[kubernetes]"
USER w2s

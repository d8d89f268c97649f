# Everything that Snakemake and its jobs need, in the versions of constraints.txt (docs/cluster.md). Two targets:
#   docker build --target gpu -t w2s:gpu .
#   docker build --target cpu -t w2s:cpu --build-arg TORCH_INDEX=<PyTorch's index of builds without CUDA> .
# The driver comes from the host, CUDA from torch's build. A checkout mounted at /w2s replaces the copy.
FROM python:3.11-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends git gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
ENV PYTHONUNBUFFERED=1
WORKDIR /w2s
COPY . .

FROM base AS cpu
ARG TORCH_INDEX=
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -e ".[kubernetes]"

FROM base AS gpu
RUN pip install --no-cache-dir -c constraints.txt -e ".[kubernetes]"

# syntax=docker/dockerfile:1
# Two images from one file:
#   docker build --target serve -t whichtweet-serve .   the pages and the API, without TensorFlow
#   docker build --target work  -t whichtweet-work  .   the worker: restocks, and trains
# Both run as nobody in particular, with a root that may be read-only: what they write lies in /data, and in /tmp.
# BASE must bring a Python of the locks' range (3.11 to 3.13).
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS build
WORKDIR /opt/whichtweet
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock ./
RUN python -m venv .venv && .venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE alembic.ini ./
COPY app app
COPY model model
COPY migrations migrations
COPY templates templates
COPY static static
COPY demo demo
RUN .venv/bin/pip install --no-deps --no-build-isolation -e . && .venv/bin/python -m compileall -q app model

FROM build AS build-train
COPY requirements-train.lock ./
RUN .venv/bin/pip install --require-hashes -r requirements-train.lock

FROM ${BASE} AS base
RUN groupadd --system --gid 10001 whichtweet \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --shell /usr/sbin/nologin whichtweet \
    && install -d -o whichtweet -g whichtweet /data
ENV PATH=/opt/whichtweet/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WHICHTWEET_DATA_DIR=/data \
    WHICHTWEET_HOST=0.0.0.0
WORKDIR /data
VOLUME /data
USER 10001:10001

FROM base AS work
COPY --from=build-train /opt/whichtweet /opt/whichtweet
CMD ["whichtweet", "work"]

FROM base AS serve
COPY --from=build /opt/whichtweet /opt/whichtweet
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["whichtweet", "serve"]

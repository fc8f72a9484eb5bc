# syntax=docker/dockerfile:1
# One image for every process; docker-compose.yml says which runs what.

# --- Page assets ---------------------------------------------------------------------------------
FROM node:24-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --silent
COPY scripts/build_assets.mjs scripts/
COPY static/src static/src
RUN npm run --silent build

# --- Python packages -----------------------------------------------------------------------------
FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/portal
COPY requirements.txt .
RUN /opt/portal/bin/pip install --no-cache-dir --quiet --require-hashes -r requirements.txt

# --- The image that runs -------------------------------------------------------------------------
FROM python:3.11-slim
# slirp4netns and iproute2 give a local sandbox its own network when `network` is switched on.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends slirp4netns iproute2 \
    && rm -rf /var/lib/apt/lists/*
# The data folder belongs to the user, and so do the volumes that are first mounted below it.
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin portal \
    && install -d -o portal -g portal -m 0700 /data /data/local
ENV PATH=/opt/portal/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GCPORTAL_DATA_DIR=/data \
    HOST=0.0.0.0 \
    PORT=8000 \
    LOG_FORMAT=json
WORKDIR /app
COPY --from=packages /opt/portal /opt/portal
COPY manage.py ./
COPY gcportal gcportal
COPY accounts accounts
COPY providers providers
COPY sandboxes sandboxes
COPY templates templates
COPY --from=assets /build/static/dist static/dist
USER portal
# Keys for this one step, kept nowhere: settings can't be read without.
RUN SECRET_KEY=build FIELD_ENCRYPTION_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    REDIS_URL=redis://unused python manage.py prepare assets
EXPOSE 8000
# The web process; compose gives the others a check of their own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-m", "gcportal.launcher.healthcheck", "web"]
CMD ["python", "-m", "daphne", "--verbosity", "0", "--no-server-name", "--bind", "0.0.0.0", "--port", "8000", "gcportal.asgi:application"]

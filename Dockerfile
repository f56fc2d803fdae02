FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY constraints.txt ./
RUN python3 -m venv /opt/laptop-agents
COPY pyproject.toml README.md LICENSE ./
COPY laptop_agents laptop_agents
COPY tui tui
COPY engine engine
COPY brokers brokers
COPY profiles profiles
RUN /opt/laptop-agents/bin/python -m pip wheel --no-deps --wheel-dir /wheels . \
    && /opt/laptop-agents/bin/python -m pip install --constraint constraints.txt /wheels/*.whl

FROM python:3.11-slim
# The numbers are written out so that a volume's owner can be set to match.
RUN groupadd --system --gid 10001 trader \
    && useradd --system --uid 10001 --gid trader --home-dir /home/trader --create-home trader \
    && install -d -o trader -g trader -m 0700 /data
COPY --from=build /opt/laptop-agents /opt/laptop-agents
ENV PATH=/opt/laptop-agents/bin:$PATH \
    LAPTOP_AGENTS_HOME=/data \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /home/trader
VOLUME /data
HEALTHCHECK --interval=60s --timeout=10s CMD ["laptop-agents", "doctor"]
# SIGTERM is a graceful stop: orders are canceled, the report is written, exit 4.
STOPSIGNAL SIGTERM
ENTRYPOINT ["laptop-agents"]
CMD ["--headless"]

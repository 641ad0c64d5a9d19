# The service with the model of models/topics: `docker build -t babelproof .`, then `docker run -p 3000:3000 babelproof`.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY probes probes
COPY runtime runtime
# the base dependencies alone: nothing that serving does not need; EXTRAS="[postgres]" for jobs in PostgreSQL
ARG EXTRAS=""
RUN /opt/venv/bin/pip install --constraint constraints.txt .${EXTRAS} && /opt/venv/bin/pip uninstall --yes pip

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 BENTOML_DO_NOT_TRACK=True
ENV BABELPROOF_STATE=/state
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin babelproof \
    && mkdir /state && chown 10001:10001 /state
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY service service
COPY models/topics models/topics
COPY examples/demo.jsonl examples/demo.jsonl
USER 10001
EXPOSE 3000
STOPSIGNAL SIGTERM
# over TLS too; whose certificate it is says nothing of health
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request as r; s = 's' * bool(os.environ.get('BABELPROOF_TLS_CERT')); \
         r.urlopen(f'http{s}://127.0.0.1:3000/readyz', timeout=2, context=ssl._create_unverified_context())"]
CMD ["python", "-m", "service", "--host", "0.0.0.0", "--port", "3000"]

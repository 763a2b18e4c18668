FROM python:3.11-slim AS build
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir build && python -m build --wheel --outdir /dist .

FROM python:3.11-slim
# procps: Ray asks `ps` for the processes it started
RUN apt-get update && apt-get install --yes --no-install-recommends procps && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home riskbox
COPY --from=build /dist/*.whl /src/constraints.txt /tmp/
# HTML reports, and the adapters for other people's agents; the versions are those that the tests use
RUN pip install --no-cache-dir --constraint /tmp/constraints.txt \
    "$(echo /tmp/riskbox-*.whl)[html,mcp,a2a,openai-agents,langgraph,pydantic-ai]" \
    && rm /tmp/*.whl /tmp/constraints.txt
ENV LITELLM_LOCAL_MODEL_COST_MAP=True RAY_USAGE_STATS_ENABLED=0
USER riskbox
WORKDIR /home/riskbox
CMD ["riskbox", "--help"]

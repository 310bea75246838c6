# A server for one model folder. No torch: serving needs none.
#
#   docker build -t matinee-serve .
#   docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/models/quickstart:/model:ro" matinee-serve
#
# A key for requests: -e MATINEE_API_KEY=...   More processes: append "--workers 4".
FROM python:3.12-slim AS build

WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src ./src

# Everything but torch, which only training uses and which is most of an image's size.
RUN python -m venv /opt/matinee \
    && sed '/^torch==/d' constraints.txt > /tmp/constraints.txt \
    && /opt/matinee/bin/python -m pip install --no-cache-dir -c /tmp/constraints.txt \
        numpy scipy numba duckdb safetensors pydantic typer rich jinja2 lazy-loader rapidfuzz threadpoolctl \
        fastapi uvicorn httptools brotli uvloop \
    && /opt/matinee/bin/python -m pip install --no-cache-dir --no-deps .

FROM python:3.12-slim

RUN useradd --system --uid 10001 --no-create-home matinee
COPY --from=build /opt/matinee /opt/matinee

ENV PATH=/opt/matinee/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/tmp/numba

USER 10001
EXPOSE 8000
VOLUME ["/model"]

# SIGTERM, which docker stop sends, lets requests under way be answered first.
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]

ENTRYPOINT ["matinee", "serve", "/model", "--host", "0.0.0.0", "--port", "8000"]

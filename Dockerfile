FROM python:3.12-slim
WORKDIR /opt/crw
COPY requirements requirements
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/uv.txt \
    && uv pip install --system --require-hashes --compile-bytecode --no-cache -r requirements/lock.txt
COPY . .
RUN uv pip install --system --no-deps --no-build-isolation --editable . \
    && useradd --uid 1000 --create-home --home-dir /var/lib/crw crw
USER crw
ENTRYPOINT ["python", "-m", "crw.local.entry"]

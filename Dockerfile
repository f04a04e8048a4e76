# Built from the lock of what runs. uv, pip's cache, the libraries' own tests (100 MB), what only debuggers read of their binaries (80 MB),
# the words of a thousand languages that no page is in (30 MB) and a second copy of the pages' font (16 MB) stay in the first stage.
FROM python:3.12-slim AS build
WORKDIR /opt/crw
ENV VIRTUAL_ENV=/opt/venv UV_LINK_MODE=copy
COPY requirements requirements
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements/uv.txt \
    && uv venv /opt/venv \
    && uv pip install --no-cache --require-hashes --compile-bytecode -r requirements/runtime.txt \
    && cd /opt/venv/lib/python3.12/site-packages \
    && find networkx numpy pandas scipy -type d -name tests -prune -exec rm -r {} + \
    && find . -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} + \
    && find babel/locale-data -name '*.dat' -not -name 'en*' -not -name 'zh*' -not -name 'root*' -delete \
    && rm /opt/venv/NotoSansCJKtc-Regular.otf
COPY . .
RUN uv pip install --no-deps --no-build-isolation --compile-bytecode --editable . \
    && python -m compileall -q include dags

FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends tini && rm -r /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 1000 --create-home --home-dir /var/lib/crw crw \
    && install -d -o crw -m 700 /var/lib/crw/logs /var/lib/crw/pages \
    && printf '#!/bin/sh\nexec python -m crw.local.entry "$@"\n' > /entrypoint && chmod 755 /entrypoint
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/crw /opt/crw
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /opt/crw
USER crw
# By the name that it has in Airflow's own image: the Helm chart's probes call it. Kubernetes gives no process that collects those
# that ended and ends those that know no signal, so the image has one; -s: below an engine's own too.
ENTRYPOINT ["tini", "-s", "--", "/entrypoint"]

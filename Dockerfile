# The builder image: the factory and an environment for each locked toolchain. 'make image' builds it without network.
#
# The base is manylinux_2_28 for x86_64 as pinned by cibuildwheel 4.3.5; a test compares the two. Any other Linux with
# bash, coreutils and CPython 3.11 or newer works: make image BASE_IMAGE=... IMAGE_PYTHON=...
ARG BASE_IMAGE=quay.io/pypa/manylinux_2_28_x86_64@sha256:e0adf18521ad35192df733a6c62d35df7801957d24e0470238aacecfab2188a3

FROM ${BASE_IMAGE} AS workshop
ARG PYTHON=/opt/python/cp311-cp311/bin/python
COPY .image/wheels /wheels
COPY .image/toolchains /opt/factory/wheels
COPY factory/build/locks /locks
COPY requirements.txt /requirements.txt
# The directory of an environment has the digest of its lock, so that different locks of a backend do not collide.
RUN set -eu; \
    install() { \
        "$PYTHON" -I -m venv --without-pip "$1"; \
        "$PYTHON" -I -m pip --python "$1/bin/python" install --quiet --disable-pip-version-check --no-input \
            --no-index --find-links "$2" --only-binary :all: --no-deps --require-hashes -r "$3"; \
    }; \
    for lock in /locks/hatchling-*.txt; do \
        digest=$(sha256sum "$lock" | cut -c -16); \
        install "/opt/factory/toolchains/$(basename "$lock" .txt)-$digest" /opt/factory/wheels "$lock"; \
    done; \
    install /opt/factory/program /wheels /requirements.txt
COPY .image/factory /factory
RUN "$PYTHON" -I -m pip --python /opt/factory/program/bin/python install --quiet --disable-pip-version-check \
        --no-index --no-deps /factory/*.whl
# The faster encoder: compiled here once if the base has a compiler, so that no container has to.
RUN /opt/factory/program/bin/python -m factory.build.exact_deflate "$PATH"

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="codex-wheel-factory" \
      org.opencontainers.image.description="Builds, verifies and audits the wheels that carry the Codex CLI's executables" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=workshop /opt/factory /opt/factory
# A named volume gets the owner of the directory that it is mounted on, so the user below can write to it.
RUN mkdir /cache /out && chown 65532:65532 /cache /out
# pip installs the toolchain of a run from the locked wheels in the image, so a run needs no index.
ENV PATH=/opt/factory/program/bin:$PATH \
    HOME=/tmp \
    FACTORY_CACHE_DIR=/cache \
    PIP_NO_INDEX=1 \
    PIP_FIND_LINKS=/opt/factory/wheels
WORKDIR /out
USER 65532:65532
ENTRYPOINT ["factory"]

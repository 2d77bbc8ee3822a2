# docker build -t mlpd . && docker run -p 127.0.0.1:8080:8080 -v mlpd-data:/data mlpd
#
# Two stages: the first has the compilers and is thrown away, the second has the binaries and the
# shared libraries they need. Flags go behind the image's name: docker run ... mlpd --workers 2

FROM debian:trixie-slim AS build
WORKDIR /src
RUN apt-get update -qq && apt-get install -qq -y --no-install-recommends make
# The packages change seldom, the sources often: this layer stays.
COPY Makefile ./
COPY tests/deps.sh tests/
RUN make deps
COPY . .
RUN make -j"$(nproc)" && make install DESTDIR=/out PREFIX=/usr

FROM debian:trixie-slim
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends \
        libmicrohttpd12t64 libcjson1 libopenblas0-pthread libsqlite3-0 libnettle8t64 libcurl4t64 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 /data
COPY --from=build /out/ /

# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["mlpd-cli", "health"]

# Inside the container every address but loopback is one that others can reach, and a published port
# arrives on such a one; mlpd asks for --insecure-listen because nothing asks callers for a password.
# Who may reach it is therefore decided by -p: 127.0.0.1:8080:8080 is this machine only.
ENTRYPOINT ["mlpd", "--listen", "0.0.0.0:8080", "--data", "/data", "--insecure-listen"]

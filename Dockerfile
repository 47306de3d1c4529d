# Drover's images, one per target: `drover` (hub and services), `host` (what makes machines), `postgres` (read model).
# docker-compose.yml builds all three.

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY libs libs
COPY apps apps
COPY test test
# This image's Node stands where scripts/build.sh looks for its own.
RUN mkdir -p .drover/tools/bin && ln -s "$(command -v node)" .drover/tools/bin/ && sh scripts/build.sh \
  && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM nats:2 AS nats

FROM node:24-bookworm-slim AS drover
RUN apt-get update \
  && apt-get install -y --no-install-recommends busybox-static iproute2 tini \
  && rm -rf /var/lib/apt/lists/*
COPY --from=nats /nats-server /usr/local/bin/
COPY --from=build /src/package.json /opt/drover/
COPY --from=build /src/node_modules /opt/drover/node_modules
COPY --from=build /src/dist /opt/drover/dist
COPY deploy/drover.sh /usr/local/bin/drover
RUN mkdir -p /opt/drover/.drover/tools/bin \
  && ln -s /usr/local/bin/nats-server /bin/busybox /opt/drover/.drover/tools/bin/ \
  && drover compose image /opt/drover/hello
WORKDIR /opt/drover
# Ends what it is told to, and buries the orphans of machines' monitors.
ENTRYPOINT ["tini", "--"]

FROM drover AS host
RUN apt-get update \
  && apt-get install -y --no-install-recommends btrfs-progs ca-certificates conmon mount nftables runc skopeo umoci util-linux \
  && rm -rf /var/lib/apt/lists/*
COPY deploy/host.sh /usr/local/bin/

FROM debian:bookworm-slim AS postgres
RUN apt-get update \
  && apt-get install -y --no-install-recommends postgresql tini \
  && rm -rf /var/lib/apt/lists/*
COPY deploy/postgres.sh /usr/local/bin/
ENTRYPOINT ["tini", "--", "postgres.sh"]

import type { Service, ServicePort } from "#contracts";

/**
 * The service that takes HTTP requests which arrive at a port of the edge (80 for HTTP, 443 for HTTPS, whatever the
 * router really listens on): the one that names this port, else one that speaks HTTP on another, else one that names no
 * ports at all. Undefined when the machine serves nothing over HTTP.
 */
export function serviceAt(services: readonly Service[], edgePort: number): Service | undefined {
  let best: Service | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const service of services) {
    const rank = rankOf(service, edgePort);
    if (rank >= bestRank) continue;
    best = service;
    bestRank = rank;
  }
  return best;
}

function rankOf({ protocol, ports }: Service, edgePort: number): number {
  if (protocol !== "tcp") return Number.POSITIVE_INFINITY;
  if (ports.length === 0) return 2;
  if (ports.some((port) => port.from <= edgePort && edgePort <= port.to && takesHttp(port))) return 0;
  return ports.some(speaksHttp) ? 1 : Number.POSITIVE_INFINITY;
}

/** Without handlers bytes pass as they are: those of a request, too. */
function takesHttp(port: ServicePort): boolean {
  return port.handlers.length === 0 || speaksHttp(port);
}

function speaksHttp({ handlers }: ServicePort): boolean {
  return handlers.includes("http") || handlers.includes("edge_http");
}

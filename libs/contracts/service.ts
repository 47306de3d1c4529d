import { z } from "zod";
import { durationMs, durationSchema, type MachineConfig } from "./machine-config.ts";

const port = z.number().int().min(1).max(65_535);
const handler = z.enum(["http", "tls", "pg_tls", "proxy_proto", "edge_http"]);

const portSchema = z.looseObject({
  port: port.optional(),
  start_port: port.optional(),
  end_port: port.optional(),
  handlers: z.array(handler).optional(),
  force_https: z.boolean().optional(),
});

const concurrencySchema = z
  .looseObject({
    type: z.enum(["requests", "connections"]).optional(),
    soft_limit: z.number().int().min(1).optional(),
    hard_limit: z.number().int().min(1).optional(),
  })
  .refine(
    ({ soft_limit: soft, hard_limit: hard }) => soft === undefined || hard === undefined || soft <= hard,
    "soft_limit is at most hard_limit",
  );

/**
 * One service of a machine's config as a caller may give it: fields as in `fly.MachineService`. `autostop_after` is
 * Drover's own: how long nobody may want the machine before it is stopped.
 */
export const serviceSchema = z.looseObject({
  protocol: z.enum(["tcp", "udp"]).optional(),
  internal_port: port,
  ports: z.array(portSchema).max(64).optional(),
  concurrency: concurrencySchema.optional(),
  /** Clients of older versions send a boolean. */
  autostop: z.union([z.boolean(), z.enum(["off", "stop", "suspend"])]).optional(),
  autostart: z.boolean().optional(),
  min_machines_running: z.number().int().min(0).max(10_000).optional(),
  autostop_after: durationSchema.optional(),
});

/** A service with every default filled in: what routers and hosts act on. */
export interface Service {
  readonly protocol: "tcp" | "udp";
  /** Where the machine's program listens. */
  readonly internalPort: number;
  /** Ports at the edge that lead to it, with their handlers; ranges have both ends included. */
  readonly ports: readonly ServicePort[];
  readonly countsRequests: boolean;
  /** In flight; above it another machine is preferred. */
  readonly softLimit: number;
  /** In flight; a machine is never given more. */
  readonly hardLimit: number;
  readonly autostop: "off" | "stop" | "suspend";
  readonly autostart: boolean;
  readonly minMachinesRunning: number;
  readonly autostopAfterMs: number;
}

export interface ServicePort {
  readonly from: number;
  readonly to: number;
  readonly handlers: readonly string[];
  readonly forceHttps: boolean;
}

const DEFAULT_SOFT_LIMIT = 20;
const DEFAULT_AUTOSTOP_AFTER_MS = 60_000;

/** The services of a config. What no caller could have given today is left out: an old config must not stop a router. */
export function servicesOf(config: Pick<MachineConfig, "services">): Service[] {
  return (config.services ?? []).flatMap((given) => {
    const parsed = serviceSchema.safeParse(given);
    return parsed.success ? [withDefaults(parsed.data)] : [];
  });
}

function withDefaults(service: z.infer<typeof serviceSchema>): Service {
  const { soft_limit: soft, hard_limit: hard, type } = service.concurrency ?? {};
  const after = service.autostop_after;
  return {
    protocol: service.protocol ?? "tcp",
    internalPort: service.internal_port,
    ports: (service.ports ?? []).flatMap(portsOf),
    countsRequests: type !== "connections",
    softLimit: soft ?? Math.min(DEFAULT_SOFT_LIMIT, hard ?? DEFAULT_SOFT_LIMIT),
    hardLimit: hard ?? Number.POSITIVE_INFINITY,
    autostop: autostopOf(service.autostop),
    autostart: service.autostart ?? true,
    minMachinesRunning: service.min_machines_running ?? 0,
    autostopAfterMs: after === undefined ? DEFAULT_AUTOSTOP_AFTER_MS : durationMs(after),
  };
}

function portsOf({
  port,
  start_port,
  end_port,
  handlers,
  force_https,
}: z.infer<typeof portSchema>): ServicePort[] {
  const from = port ?? start_port;
  if (from === undefined) return [];
  return [{ from, to: port ?? end_port ?? from, handlers: handlers ?? [], forceHttps: force_https ?? false }];
}

function autostopOf(given: boolean | "off" | "stop" | "suspend" | undefined): Service["autostop"] {
  if (given === undefined || given === false) return "off";
  return given === true ? "stop" : given;
}

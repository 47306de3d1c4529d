import { existsSync } from "node:fs";
import { RefusedError, refusal } from "#kernel";
import type { CommonFlags } from "../context.ts";
import { absolute, wholeNumber } from "../settings.ts";

/** What `run` was told. */
export interface RunFlags extends CommonFlags {
  readonly app: string;
  readonly name?: string;
  readonly region?: string;
  readonly policy?: string;
  readonly feature: string[];
  readonly antiAffinity?: string;
  readonly env: string[];
  readonly publish: string[];
  readonly volume?: string;
  readonly port?: string;
  readonly autostop?: string;
  readonly autostopAfter?: string;
  readonly minRunning?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly cpuKind?: string;
  readonly entrypoint?: string;
  readonly workdir?: string;
  readonly user?: string;
  readonly restart?: string;
  readonly rm?: boolean;
  readonly start: boolean;
  readonly wait: boolean;
}

/** The config of the machine that `run` was asked for. Throws a refusal that names the flag which makes no sense. */
export function configOf(image: string, command: string[], flags: RunFlags): object {
  const guest = {
    ...(flags.memory === undefined
      ? {}
      : { memory_mb: wholeNumber(flags.memory, "--memory", 16, 4_194_304) }),
    ...(flags.cpus === undefined ? {} : { cpus: wholeNumber(flags.cpus, "--cpus", 1, 256) }),
    ...(flags.cpuKind === undefined ? {} : { cpu_kind: flags.cpuKind }),
  };
  const init = {
    ...(flags.entrypoint === undefined ? {} : { entrypoint: [flags.entrypoint] }),
    ...(command.length === 0 ? {} : { cmd: command }),
  };
  const placement = {
    ...(flags.policy === undefined ? {} : { policy: flags.policy }),
    ...(flags.feature.length === 0 ? {} : { features: flags.feature }),
    ...(flags.antiAffinity === undefined ? {} : { anti_affinity: flags.antiAffinity }),
  };
  return {
    image: localImage(image),
    ...(flags.env.length === 0 ? {} : { env: environmentOf(flags.env) }),
    ...(Object.keys(guest).length === 0 ? {} : { guest }),
    ...(Object.keys(init).length === 0 ? {} : { init }),
    ...(Object.keys(placement).length === 0 ? {} : { placement }),
    ...(flags.restart === undefined ? {} : { restart: { policy: flags.restart } }),
    ...servicesOf(flags),
    ...(flags.rm === true ? { auto_destroy: true } : {}),
    ...(flags.publish.length === 0 ? {} : { publish: flags.publish.map(publishedPort) }),
    ...(flags.workdir === undefined ? {} : { workdir: flags.workdir }),
    ...(flags.user === undefined ? {} : { user: flags.user }),
  };
}

/** What the router leads to: one service, for HTTP. */
function servicesOf({ port, autostop, autostopAfter, minRunning }: RunFlags): object {
  const wishes = {
    ...(autostop === undefined ? {} : { autostop }),
    ...(autostopAfter === undefined ? {} : { autostop_after: autostopAfter }),
    ...(minRunning === undefined
      ? {}
      : { min_machines_running: wholeNumber(minRunning, "--min-running", 0, 10_000) }),
  };
  if (port !== undefined) {
    const internalPort = wholeNumber(port, "--port", 1, 65_535);
    const ports = [{ port: 80, handlers: ["http"] }];
    return { services: [{ protocol: "tcp", internal_port: internalPort, ports, ...wishes }] };
  }
  if (Object.keys(wishes).length === 0) return {};
  const message =
    "--autostop, --autostop-after and --min-running are for what a router leads to: give --port, too";
  throw new RefusedError(refusal("invalid", message));
}

/** Agents do not know where the user stands: an `oci:` path becomes absolute here. */
function localImage(image: string): string {
  if (!image.startsWith("oci:")) return image;
  const [path = "", ...tag] = image.slice("oci:".length).split(":");
  const whole = absolute(path, "oci:");
  if (!existsSync(`${whole}/index.json`)) {
    throw new RefusedError(refusal("image_not_found", `${whole} is no OCI layout: it has no index.json`));
  }
  return ["oci", whole, ...tag].join(":");
}

function environmentOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) throw new RefusedError(refusal("invalid", `--env: "${pair}" is not NAME=VALUE`));
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

function publishedPort(text: string): { host_port: number; machine_port: number; protocol: string } {
  const match = /^(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/.exec(text);
  if (!match)
    throw new RefusedError(refusal("invalid", `--publish: "${text}" is not HOST_PORT:MACHINE_PORT`));
  return {
    host_port: wholeNumber(match[1]!, "--publish", 1, 65_535),
    machine_port: wholeNumber(match[2]!, "--publish", 1, 65_535),
    protocol: match[3] ?? "tcp",
  };
}

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { type MachineRecord, machinePath } from "../machine-record.ts";
import { absolute, wholeNumber } from "../settings.ts";
import { awaitMachine } from "./await-machine.ts";

interface RunFlags extends CommonFlags {
  readonly app: string;
  readonly name?: string;
  readonly region?: string;
  readonly policy?: string;
  readonly feature: string[];
  readonly antiAffinity?: string;
  readonly env: string[];
  readonly publish: string[];
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

export function registerRun(program: Command, context: CliContext): void {
  const collect = (value: string, before: string[]) => [...before, value];
  program
    .command("run")
    .summary("make a machine from an image and start it")
    .description(
      "Makes a machine from an image (`nginx:1.27`, `registry/name@sha256:…`, or `oci:PATH` for an OCI layout on disk) " +
        "and waits until it has started. The app is made when there is none of that name.",
    )
    .argument("<image>")
    .argument("[command...]", "program and arguments in place of the image's own command; put -- before them")
    .option("--app <name>", "the app it belongs to", "default")
    .option("--name <name>", "its name (default: one is made up)")
    .option(
      "--region <names>",
      "where: one region, or several as in ams,fra,any (default: the cluster's own)",
    )
    .option("--policy <policy>", "spread over hosts, or pack onto few (default: spread)")
    .option("--feature <name>", "what its host must have, see `status --json`; repeatable", collect, [])
    .option("--anti-affinity <kind>", "apart from machines of its app: none, soft or hard (default: soft)")
    .option("-e, --env <NAME=VALUE>", "environment variable; repeatable", collect, [])
    .option(
      "-p, --publish <HOST:MACHINE>",
      "host port on loopback that leads to the machine; repeatable",
      collect,
      [],
    )
    .option("--memory <MiB>", "memory (default: 256)")
    .option("--cpus <n>", "number of CPUs (default: 1)")
    .option("--cpu-kind <kind>", "shared or performance")
    .option("--entrypoint <program>", "in place of the image's own")
    .option("--workdir <dir>", "in place of the image's own")
    .option("--user <user>", "in place of the image's own")
    .option("--restart <policy>", "no, on-failure or always")
    .option("--rm", "destroy it when its process ends")
    .option("--no-start", "only make it")
    .option("--no-wait", "return as soon as a host has taken it")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      "\nExample:\n  $ drover run -p 8081:80 localhost:5000/web:1\n  $ drover run --name talk oci:./image -- sh -c 'echo hello'\n  $ drover run --policy pack --feature container oci:./image\n",
    )
    .action(async (image: string, command: string[], flags: RunFlags) => run(context, image, command, flags));
}

async function run(context: CliContext, image: string, command: string[], flags: RunFlags): Promise<void> {
  const config = configOf(image, command, flags);
  const api = await context.api(flags);
  const output = context.output(flags);
  await ensureApp(api, flags.app);
  const body = {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    skip_launch: !flags.start,
    config,
  };
  const path = `/v1/apps/${encodeURIComponent(flags.app)}/machines`;
  const created = await api.create<MachineRecord>(path, "drover", body, {
    "idempotency-key": context.ids.ulid(),
  });
  output.progress(`${created.name} (${created.id}) is on ${created.drover.host}`);
  if (flags.wait && flags.start) await awaitMachine(api, created, "started", output);
  const machine = await api.get<MachineRecord>(machinePath(created), "drover");
  output.result(machine, created.id);
}

async function ensureApp(api: ApiClient, name: string): Promise<void> {
  try {
    await api.create<{ id: string }>("/v1/apps", "id", { name, org_slug: "personal" });
  } catch (thrown) {
    if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") throw thrown;
  }
}

function configOf(image: string, command: string[], flags: RunFlags): unknown {
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
    ...(flags.rm === true ? { auto_destroy: true } : {}),
    ...(flags.publish.length === 0 ? {} : { publish: flags.publish.map(publishedPort) }),
    ...(flags.workdir === undefined ? {} : { workdir: flags.workdir }),
    ...(flags.user === undefined ? {} : { user: flags.user }),
  };
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

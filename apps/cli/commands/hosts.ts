import { userInfo } from "node:os";
import type { Command } from "commander";
import type { ApiClient } from "../api-client.ts";
import type { CliContext, CommonFlags } from "../context.ts";
import { age, harmless, table } from "../output.ts";

interface Room {
  readonly promised: number;
  readonly capacity: number;
  readonly free: number;
}

/** A host as the API shows it. */
interface HostRecord {
  readonly id: string;
  readonly region: string;
  readonly status: string;
  readonly last_heard: string | null;
  readonly agent_version: string | null;
  readonly agent_epoch: number;
  readonly log_id: string;
  readonly features: readonly string[];
  readonly machines: number;
  readonly running: number;
  readonly max_machines: number;
  readonly cpu_millis: Room;
  readonly memory_mib: Room;
  readonly volume_mib: Room;
  readonly cordon?: { readonly owner: string; readonly reason: string; readonly expires_at: string };
}

interface CordonFlags extends CommonFlags {
  readonly reason: string;
  readonly owner?: string;
  readonly for: string;
}

const HOSTS = "/v1/platform/hosts";

export function registerHosts(program: Command, context: CliContext): void {
  program
    .command("hosts")
    .argument("[host]", "its whole id: show this one")
    .summary("list hosts, or show one: room, machines, cordon, last heard")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover hosts\n")
    .action(async (hostId: string | undefined, flags: CommonFlags) => {
      const api = await context.api(flags);
      const nowMs = context.clock.nowMs();
      if (hostId === undefined) {
        const hosts = await api.list<HostRecord>(HOSTS);
        return context.output(flags).result(hosts, hostsTable(hosts, nowMs));
      }
      const host = await api.get<HostRecord>(pathOf(hostId), "id");
      return context.output(flags).result(host, describe(host, nowMs));
    });
  registerCordon(program, context);
}

function registerCordon(program: Command, context: CliContext): void {
  program
    .command("cordon")
    .argument("<host>", "its whole id")
    .summary("let a host take no new machines for a while; those that it has go on")
    .requiredOption("--reason <text>", "why, for whoever wonders")
    .option("--owner <name>", "who wants it so: you, unless named")
    .option("--for <duration>", "when it ends by itself, at most 720h", "2h")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", '\nExample:\n  $ drover cordon host-1 --reason "new disk" --for 30m\n')
    .action(async (hostId: string, flags: CordonFlags) => {
      const wanted = { reason: flags.reason, owner: ownerOf(flags), for: flags.for };
      const host = await ask(await context.api(flags), hostId, "cordon", wanted);
      context.output(flags).result(host, `${host.id} is cordoned ${cordonText(host)}`);
    });
  program
    .command("uncordon")
    .argument("<host>", "its whole id")
    .summary("let a host take new machines again")
    .option("--owner <name>", "who wants it so: you, unless named")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover uncordon host-1\n")
    .action(async (hostId: string, flags: Omit<CordonFlags, "reason" | "for">) => {
      const host = await ask(await context.api(flags), hostId, "uncordon", { owner: ownerOf(flags) });
      context.output(flags).result(host, `${host.id} takes machines`);
    });
}

function ask(api: ApiClient, hostId: string, verb: string, body: object): Promise<HostRecord> {
  return api.create<HostRecord>(`${pathOf(hostId)}/${verb}`, "id", body);
}

function pathOf(hostId: string): string {
  return `${HOSTS}/${encodeURIComponent(hostId)}`;
}

function ownerOf({ owner }: { readonly owner?: string }): string {
  return owner ?? userInfo().username;
}

function hostsTable(hosts: readonly HostRecord[], nowMs: number): string {
  const rows = hosts.map((host) => [
    host.id,
    host.region,
    host.cordon === undefined ? host.status : `${host.status}, cordoned`,
    `${host.running}/${host.machines}`,
    `${host.cpu_millis.free}/${host.cpu_millis.capacity}`,
    `${host.memory_mib.free}/${host.memory_mib.capacity}`,
    `${host.volume_mib.free}/${host.volume_mib.capacity}`,
    host.agent_version ?? "-",
    heardText(host, nowMs),
    host.cordon === undefined ? "" : cordonText(host),
  ]);
  const header = [
    "HOST",
    "REGION",
    "STATE",
    "RUNNING",
    "FREE CPU MILLIS",
    "FREE MEMORY MIB",
    "FREE VOLUME MIB",
  ];
  return table([...header, "AGENT", "HEARD", ""], rows);
}

function describe(host: HostRecord, nowMs: number): string {
  const room = ({ free, promised, capacity }: Room) => `${free} free, ${promised} of ${capacity} promised`;
  const lines: [string, string][] = [
    ["id", host.id],
    ["region", host.region],
    ["state", host.status],
    ["heard", heardText(host, nowMs)],
    ["cordon", host.cordon === undefined ? "none" : cordonText(host)],
    ["machines", `${host.running} running of ${host.machines}, at most ${host.max_machines}`],
    ["cpu", `${room(host.cpu_millis)} (millis)`],
    ["memory", `${room(host.memory_mib)} (MiB)`],
    ["volumes", `${room(host.volume_mib)} (MiB)`],
    ["features", host.features.join(", ")],
    ["agent", `${host.agent_version ?? "not heard"}, epoch ${host.agent_epoch}`],
    ["log", host.log_id],
  ];
  return lines.map(([name, value]) => `${name.padEnd(10)}${harmless(value)}`).join("\n");
}

function heardText({ last_heard: heard }: HostRecord, nowMs: number): string {
  return heard === null ? "never" : `${age(Date.parse(heard), nowMs)} ago`;
}

function cordonText({ cordon }: HostRecord): string {
  return cordon === undefined ? "" : `by ${cordon.owner} until ${cordon.expires_at}: ${cordon.reason}`;
}

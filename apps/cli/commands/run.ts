import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { ApiClient } from "../api-client.ts";
import type { CliContext } from "../context.ts";
import { ensureApp } from "../ensure-app.ts";
import { type MachineRecord, machinePath } from "../machine-record.ts";
import { findVolume } from "../volume-record.ts";
import { awaitMachine } from "./await-machine.ts";
import { configOf, type RunFlags } from "./run-config.ts";

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
    .option(
      "--volume <VOLUME:PATH>",
      "the volume that it writes to, by id or name, and where it has it; it is placed on that one's host",
    )
    .option("--port <n>", "where its program listens: the router leads http://APP.localhost to it")
    .option(
      "--autostop <how>",
      "off or stop: sleep when nobody wants it, and wake for a request (default: off)",
    )
    .option(
      "--autostop-after <duration>",
      "how long nobody wants it before it sleeps, e.g. 30s (default: 60s)",
    )
    .option("--min-running <n>", "machines of the app that stay up all the same (default: 0)")
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
      "\nExample:\n  $ drover run --app web --port 80 --autostop stop nginx:1.27\n  $ drover run -p 8081:80 localhost:5000/web:1\n  $ drover run --name talk oci:./image -- sh -c 'echo hello'\n  $ drover run --app web --volume data:/var/lib/data oci:./image\n  $ drover run --policy pack --feature container oci:./image\n",
    )
    .action(async (image: string, command: string[], flags: RunFlags) => run(context, image, command, flags));
}

async function run(context: CliContext, image: string, command: string[], flags: RunFlags): Promise<void> {
  const config = configOf(image, command, flags);
  const api = await context.api(flags);
  const output = context.output(flags);
  const mounts = flags.volume === undefined ? {} : { mounts: [await mountOf(api, flags.volume, flags.app)] };
  await ensureApp(api, flags.app);
  const body = {
    ...(flags.name === undefined ? {} : { name: flags.name }),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    skip_launch: !flags.start,
    config: { ...config, ...mounts },
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

/** `VOLUME:PATH`, the volume by its id or name. */
async function mountOf(api: ApiClient, text: string, app: string): Promise<object> {
  const colon = text.indexOf(":/");
  if (colon < 1)
    throw new RefusedError(
      refusal("invalid", `--volume: "${text}" is not VOLUME:/PATH, as in data:/var/lib/data`),
    );
  const volume = await findVolume(api, text.slice(0, colon), app);
  return { volume: volume.id, path: text.slice(colon + 1) };
}

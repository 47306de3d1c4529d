import type { Command } from "commander";
import type { CliContext, CommonFlags } from "../context.ts";
import { table } from "../output.ts";
import { registerHostnames } from "./hostnames.ts";

interface AppRecord {
  readonly id: string;
  readonly name: string;
  readonly machine_count: number;
  readonly network: string;
}

export function registerApps(program: Command, context: CliContext): void {
  const apps = program
    .command("apps")
    .summary("list, create and delete apps")
    .addHelpText("after", "\nExample:\n  $ drover apps create hello && drover apps\n");
  apps
    .command("list", { isDefault: true })
    .summary("list apps")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps list\n")
    .action(async (flags: CommonFlags) => {
      const api = await context.api(flags);
      const { apps: found } = await api.get<{ apps: AppRecord[] }>("/v1/apps?org_slug=personal", "apps");
      const rows = found.map((app) => [app.name, String(app.machine_count), app.network, app.id]);
      context.output(flags).result(found, table(["NAME", "MACHINES", "NETWORK", "ID"], rows));
    });
  apps
    .command("create")
    .argument("<name>")
    .summary("create an app")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps create hello\n")
    .action(async (name: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      const created = await api.create<{ id: string }>("/v1/apps", "id", { name, org_slug: "personal" });
      context.output(flags).result(created, name);
    });
  apps
    .command("delete")
    .argument("<name>", "the whole name")
    .summary("delete an app that has no machines")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps delete hello\n")
    .action(async (name: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      await api.delete(`/v1/apps/${encodeURIComponent(name)}`);
      context.output(flags).result({ deleted: name }, `deleted ${name}`);
    });
  registerHostnames(apps, context);
}

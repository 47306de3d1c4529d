import type { Command } from "commander";
import type { CliContext, CommonFlags } from "../context.ts";
import { table } from "../output.ts";

interface HostnameRecord {
  readonly hostname: string;
  readonly status: string;
  readonly created_at: string;
}

/** `apps hostname …`: the Machines API has hostnames where it has certificates. */
export function registerHostnames(apps: Command, context: CliContext): void {
  const hostname = apps
    .command("hostname")
    .summary("the hostnames that an app answers for beside its own name")
    .addHelpText("after", "\nExample:\n  $ drover apps hostname add hello www.example.com\n");
  hostname
    .command("add")
    .argument("<app>")
    .argument("<hostname>", "in full, as in www.example.com; point it at the router")
    .summary("have an app answer for a hostname")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps hostname add hello www.example.com\n")
    .action(async (app: string, name: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      const claimed = await api.create<HostnameRecord>(pathOf(app), "hostname", { hostname: name });
      context.output(flags).result(claimed, `${claimed.hostname} is answered by ${app}`);
    });
  hostname
    .command("list", { isDefault: true })
    .argument("<app>")
    .summary("list an app's hostnames")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps hostname list hello\n")
    .action(async (app: string, flags: CommonFlags) => {
      const found = await allOf(context, app, flags);
      const rows = found.map((each) => [each.hostname, each.status, each.created_at]);
      context.output(flags).result(found, table(["HOSTNAME", "CERTIFICATE", "SINCE"], rows));
    });
  hostname
    .command("remove")
    .argument("<app>")
    .argument("<hostname>", "the whole name")
    .summary("have an app answer for a hostname no longer")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover apps hostname remove hello www.example.com\n")
    .action(async (app: string, name: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      await api.delete(`${pathOf(app)}/${encodeURIComponent(name)}`);
      context.output(flags).result({ removed: name }, `removed ${name}`);
    });
}

/** Page by page. */
async function allOf(context: CliContext, app: string, flags: CommonFlags): Promise<HostnameRecord[]> {
  const api = await context.api(flags);
  const found: HostnameRecord[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const path = `${pathOf(app)}?cursor=${encodeURIComponent(cursor)}`;
    type Page = { certificates: HostnameRecord[]; next_cursor?: string };
    const page: Page = await api.get<Page>(path, "certificates");
    found.push(...page.certificates);
    cursor = page.next_cursor;
  }
  return found;
}

function pathOf(app: string): string {
  return `/v1/apps/${encodeURIComponent(app)}/certificates`;
}

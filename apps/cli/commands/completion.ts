import { Argument, type Command } from "commander";
import type { ApiClient } from "../api-client.ts";
import { candidatesFor, type Named } from "../completion/candidates.ts";
import { SCRIPTS, type Shell } from "../completion/scripts.ts";
import type { CliContext, CommonFlags } from "../context.ts";

/** Somebody has pressed a key and waits. */
const PATIENCE_MS = 500;

const LISTS: Readonly<Record<Named, string>> = {
  machine: "/drover/v1/machines",
  app: "/v1/apps?org_slug=personal",
  host: "/v1/platform/hosts",
  volume: "/drover/v1/volumes",
  snapshot: "/drover/v1/snapshots",
};

/** Named by either. */
const HAS_BOTH: ReadonlySet<Named> = new Set(["machine", "volume"]);

export function registerCompletion(program: Command, context: CliContext): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>").choices(Object.keys(SCRIPTS)))
    .summary("print what makes a shell complete commands, options and names")
    .option("--json", "print JSON only")
    .addHelpText(
      "after",
      '\nExample:\n  $ drover completion bash >~/.local/share/bash-completion/completions/drover\n  $ eval "$(drover completion zsh)"\n  $ drover completion fish >~/.config/fish/completions/drover.fish\n',
    )
    .action((shell: Shell, flags: CommonFlags) => {
      context.output(flags).result({ shell, script: SCRIPTS[shell] }, SCRIPTS[shell]);
    });
  program
    .command("complete", { hidden: true })
    .argument("[words...]", "the words behind the program's name, up to the cursor; put -- before them")
    .summary("what the last word may become, one per line: for `completion`")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover complete -- stop we\n")
    .action(async (words: string[], flags: CommonFlags) => {
      const { words: known, named } = candidatesFor(program, words);
      const names = named === undefined ? [] : await namesOf(context, named, words);
      const found = [...known, ...names.filter((name) => name.startsWith(words.at(-1) ?? ""))];
      context.output(flags).result(found, found.join("\n"));
      // An answer that is still on its way is too late.
      if (named !== undefined) process.stdout.write("", () => process.exit());
    });
}

/** As the API has them; none when it does not answer at once: nobody asked for an error. */
async function namesOf(context: CliContext, named: Named, words: readonly string[]): Promise<string[]> {
  const at = words.indexOf("--data");
  const data = at < 0 ? undefined : words[at + 1];
  const api = await context.api(data === undefined ? {} : { data }).catch(() => undefined);
  if (api === undefined) return [];
  const late = context.clock.sleep(PATIENCE_MS).then(() => []);
  return Promise.race([ask(api, named).catch(() => []), late]);
}

interface NamedRecord {
  readonly id: string;
  readonly name?: string;
}

async function ask(api: ApiClient, named: Named): Promise<string[]> {
  const records =
    named === "app"
      ? (await api.get<{ apps: NamedRecord[] }>(LISTS.app, "apps")).apps
      : await api.list<NamedRecord>(LISTS[named]);
  const names = records.flatMap(({ id, name }) => (HAS_BOTH.has(named) ? [name ?? id, id] : [name ?? id]));
  return [...new Set(names)].sort();
}

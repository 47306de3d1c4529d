import type { Command } from "commander";
import type { CliContext, CommonFlags } from "../context.ts";
import { table } from "../output.ts";

interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly expires_at?: string;
  readonly revoked: boolean;
}

interface CreateFlags extends CommonFlags {
  readonly name: string;
  readonly expires?: string;
}

export function registerTokens(program: Command, context: CliContext): void {
  const tokens = program
    .command("token")
    .summary("create, list and revoke API tokens")
    .addHelpText("after", "\nExample:\n  $ drover token create --name deploy && drover token list\n");
  tokens
    .command("create")
    .summary("create a token; it is shown once")
    .requiredOption("--name <name>", "what it is for")
    .option("--expires <duration>", "e.g. 720h (default: never)")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover token create --name deploy --expires 720h\n")
    .action(async (flags: CreateFlags) => {
      const api = await context.api(flags);
      const body = {
        name: flags.name,
        ...(flags.expires === undefined ? {} : { expires_in: flags.expires }),
      };
      const created = await api.create<TokenRecord & { token: string }>("/drover/v1/tokens", "token", body);
      context.output(flags).result(created, created.token);
    });
  tokens
    .command("list", { isDefault: true })
    .summary("list tokens, without their secrets")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover token list\n")
    .action(async (flags: CommonFlags) => {
      const api = await context.api(flags);
      const found = await api.list<TokenRecord>("/drover/v1/tokens");
      const rows = found.map((token) => [
        token.id,
        token.name,
        token.created_at,
        token.expires_at ?? "never",
        token.revoked ? "revoked" : "valid",
      ]);
      context.output(flags).result(found, table(["ID", "NAME", "CREATED", "EXPIRES", "STATE"], rows));
    });
  tokens
    .command("revoke")
    .argument("<id>", "the whole id")
    .summary("revoke a token, at once and for good")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover token revoke 01JD…\n")
    .action(async (id: string, flags: CommonFlags) => {
      const api = await context.api(flags);
      await api.delete(`/drover/v1/tokens/${encodeURIComponent(id)}`);
      context.output(flags).result({ revoked: id }, `revoked ${id}`);
    });
}

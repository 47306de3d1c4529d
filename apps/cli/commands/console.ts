import { spawn } from "node:child_process";
import type { Command } from "commander";
import { RefusedError, refusal } from "#kernel";
import type { CliContext, CommonFlags } from "../context.ts";

interface ConsoleFlags extends CommonFlags {
  readonly open?: boolean;
}

export function registerConsole(program: Command, context: CliContext): void {
  program
    .command("console")
    .summary("where the console is: all of the cluster's history in a browser")
    .description(
      "Prints the address of the console, with the token that opens it. The token stands behind a #: browsers keep that to " +
        "themselves, but whoever reads the line has it.",
    )
    .option("--open", "open it in this machine's browser")
    .option("--data <dir>", "data directory")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover console --open\n")
    .action(async (flags: ConsoleFlags) => {
      // Loaded when it is needed: `--help` shall be quick.
      const { findApi } = await import("../find-api.ts");
      const { base, token } = await findApi(context.layout(flags), context.settings);
      await (await context.api(flags)).get("/drover/v1/status", "hosts");
      const console = consoleUrl(base, token);
      if (flags.open === true) await openBrowser(console);
      context.output(flags).result({ console }, console);
    });
}

/** The console's address for who has the token: what stands behind a # is sent to no server. */
export function consoleUrl(base: string, token: string): string {
  return `${base}/#token=${encodeURIComponent(token)}`;
}

/** Resolves once the browser was told. */
function openBrowser(url: string): Promise<void> {
  return new Promise((done, fail) => {
    const browser = spawn("xdg-open", [url], { detached: true, stdio: "ignore" });
    browser.once("error", () => {
      const message = "there is no xdg-open here: open the address that `drover console` prints";
      fail(new RefusedError(refusal("unsupported", message)));
    });
    browser.once("spawn", () => {
      browser.unref();
      done();
    });
  });
}

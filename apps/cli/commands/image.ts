import type { Command } from "commander";
import type { CliContext, CommonFlags } from "../context.ts";
import { absolute } from "../settings.ts";

export function registerImage(program: Command, context: CliContext): void {
  program
    .command("image")
    .argument("<folder>", "where the OCI layout is written")
    .summary("write a small demo image: an HTTP server on port 8080")
    .option("--text <text>", "what it answers", "hello from a machine")
    .option("--json", "print JSON only")
    .addHelpText("after", "\nExample:\n  $ drover image ./hello && drover run oci:./hello -p 18080:8080\n")
    .action(async (folder: string, flags: CommonFlags & { readonly text: string }) => {
      const { httpServer, writeOciLayout } = await import("#small-image");
      const layout = absolute(folder, "folder");
      const { reference, digest } = await writeOciLayout(layout, httpServer(flags.text), context.busybox);
      context.output(flags).result({ reference, digest }, reference);
    });
}

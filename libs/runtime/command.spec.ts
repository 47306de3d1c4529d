import { readFile } from "node:fs/promises";
import { describe, expect, it } from "@jest/globals";
import { type CommandError, runCommand } from "./command.ts";

async function failure(run: Promise<unknown>): Promise<CommandError> {
  return run.then(
    () => {
      throw new Error("it succeeded");
    },
    (error: CommandError) => error,
  );
}

describe("runCommand", () => {
  it("gives back what the program wrote", async () => {
    const output = await runCommand(["sh", "-c", "cat; echo err >&2"], { input: "in" });
    expect(output).toEqual({ stdout: "in", stderr: "err\n" });
  });

  it("passes arguments as they are, never through a shell", async () => {
    expect((await runCommand(["echo", "$HOME; `id`"])).stdout).toBe("$HOME; `id`\n");
  });

  it("says in one line what failed, how, and the last thing it said", async () => {
    const error = await failure(runCommand(["sh", "-c", "echo first >&2; echo last >&2; exit 3"]));
    expect(error).toMatchObject({ reason: "failed", exitCode: 3, message: "sh -c: exit code 3: last" });
  });

  it("says that a program is missing", async () => {
    expect(await failure(runCommand(["/nonexistent/tool"]))).toMatchObject({ reason: "missing" });
  });

  it("survives a program that does not read its input", async () => {
    await runCommand(["true"], { input: "x".repeat(1_000_000) });
  });

  it("kills the program and its children after the timeout", async () => {
    const error = await failure(runCommand(["sh", "-c", "sleep 98765 & echo $!; wait"], { timeoutMs: 300 }));
    expect(error.reason).toBe("timed_out");
  });

  it("kills them when aborted, and does not run them when aborted before", async () => {
    const abort = new AbortController();
    const running = failure(runCommand(["sleep", "98766"], { signal: abort.signal }));
    abort.abort();
    expect((await running).reason).toBe("aborted");
    expect((await failure(runCommand(["sleep", "98766"], { signal: abort.signal }))).reason).toBe("aborted");
  });

  it("stops a program that says too much", async () => {
    const error = await failure(runCommand(["yes"], { maxOutputBytes: 10_000 }));
    expect(error.reason).toBe("too_much_output");
  });

  it("gives the program a process group of its own, out of reach of signals to ours", async () => {
    const groupOf = (stat: string) => stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2];
    const { stdout } = await runCommand(["cat", "/proc/self/stat"]);
    expect(groupOf(stdout)).not.toBe(groupOf(await readFile("/proc/self/stat", "utf8")));
  });
});

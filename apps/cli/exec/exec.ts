import { constants } from "node:os";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { RefusedError, refusal } from "#kernel";
import type { CliContext, CommonFlags } from "../context.ts";
import { findMachine, type MachineRecord, machinePath } from "../machine-record.ts";
import { type ExecEnd, RemoteExec } from "./follow-exec.ts";
import { passingInterrupts, Terminal } from "./terminal.ts";

export interface ExecFlags extends CommonFlags {
  readonly tty?: boolean;
  readonly stdin?: boolean;
}

/** `drover exec`. Its exit code is the command's own. */
export async function exec(
  context: CliContext,
  key: string,
  words: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const terminal = new Terminal(context.settings.term);
  const wish = wishOf(words, flags, terminal);
  const api = await context.api(flags);
  const machine = await findMachine(api, key);
  const remote = new RemoteExec(await api.socket(pathOf(machine, wish, terminal)));
  const stdin = wish.hasStdin ? process.stdin : undefined;
  const run = async (): Promise<ExecEnd> => {
    if (flags.json !== true) process.stdout.prependOnceListener("error", endLikeAProgram);
    if (flags.json !== true) return remote.follow({ stdin, stdout: process.stdout, stderr: process.stderr });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const told = Promise.all([text(stdout), text(stderr)]);
    const end = await remote.follow({ stdin, stdout, stderr });
    stdout.end();
    stderr.end();
    const [out, err] = await told;
    const { exitCode: exit_code, exitSignal: exit_signal } = end;
    context.output(flags).result({ exit_code, exit_signal, stdout: out, stderr: err }, "");
    return end;
  };
  const { exitCode } =
    wish.isTty && terminal.isThere ? await terminal.lend(remote, run) : await passingInterrupts(remote, run);
  process.exitCode = exitCode;
  // Nobody waits for another key.
  stdin?.destroy();
}

/** A program whose reader has gone ends by SIGPIPE: nobody knows how this one would have ended. */
function endLikeAProgram({ code }: NodeJS.ErrnoException): void {
  if (code === "EPIPE") process.exit(128 + constants.signals.SIGPIPE);
}

interface Wish {
  readonly args: readonly string[];
  readonly isTty: boolean;
  readonly hasStdin: boolean;
}

/** Who names no command and sits at a terminal wants a shell. */
function wishOf(words: readonly string[], flags: ExecFlags, terminal: Terminal): Wish {
  const isShell = words.length === 0 && terminal.isThere && flags.json !== true;
  if (words.length === 0 && !isShell) {
    throw new RefusedError(refusal("invalid", "name a command, as in drover exec my-machine -- ls /"));
  }
  const isTty = flags.tty === true || isShell;
  if (isTty && flags.json === true) {
    throw new RefusedError(refusal("invalid", "--tty and --json do not go together: leave one out"));
  }
  return { args: isShell ? ["/bin/sh"] : words, isTty, hasStdin: flags.stdin === true || isTty };
}

function pathOf(machine: MachineRecord, { args, isTty, hasStdin }: Wish, terminal: Terminal): string {
  const query = new URLSearchParams();
  for (const word of args) query.append("command", word);
  query.set("stdin", String(hasStdin));
  if (isTty) {
    const { columns, rows } = terminal.size;
    query.set("tty", "true");
    query.set("columns", String(columns));
    query.set("rows", String(rows));
    query.set("term", terminal.name);
  }
  return `${machinePath(machine)}/exec/stream?${query}`;
}

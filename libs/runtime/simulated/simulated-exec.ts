import { constants } from "node:os";
import { PassThrough } from "node:stream";
import type { ExecExit, ExecProcess, ExecSpec } from "../containers/exec-process.ts";
import { programOf } from "./simulated-program.ts";

/** A program in memory. `echo` writes what it reads, `say` its argument; else its arguments mean what they mean to `programOf`. */
export class SimulatedExec implements ExecProcess {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly exit: Promise<ExecExit>;
  readonly #args: readonly string[];
  readonly #ended = Promise.withResolvers<ExecExit>();

  constructor({ args, hasStdin }: ExecSpec) {
    this.#args = args;
    this.exit = this.#ended.promise;
    const { endsWith } = programOf(args);
    if (args[0] === "echo") {
      this.stdin.pipe(this.stdout);
      this.stdin.once("end", () => this.#end(0));
      if (!hasStdin) this.stdin.end();
    } else if (args[0] === "say") {
      this.stdout.write(args[1]);
      this.#end(0);
    } else if (endsWith !== undefined) {
      this.#end(endsWith);
    }
  }

  resize(): void {}

  signal(signalName: NodeJS.Signals): void {
    const status = programOf(this.#args).statusAfter(constants.signals[signalName]);
    if (status !== undefined) this.#end(status);
  }

  kill(): void {
    this.#end(128 + constants.signals.SIGKILL);
  }

  #end(exitCode: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#ended.resolve({ exitCode, exitSignal: exitCode > 128 ? exitCode - 128 : 0 });
  }
}

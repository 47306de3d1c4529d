import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { PassThrough, type Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";
import { runCommand } from "../command.ts";
import type { TerminalSize } from "./exec-process.ts";

/**
 * TIOCSPTLCK with 0 (Linux, asm-generic): until then nobody can open the other side. The one thing about a pseudo-terminal that
 * Node cannot do itself; perl-base is part of every Debian.
 */
const UNLOCK = 'my $off = pack("i", 0); ioctl(STDIN, 0x40045431, $off) or die "$!"';
/** What a terminal's user types to say that nothing more comes. */
const END_OF_INPUT = "\x04";

/** A pseudo-terminal of this host, raw: what is written on one side arrives on the other as it is. */
export class Pty {
  /** The other side's path. */
  readonly path: string;
  readonly output: Readable;
  readonly input: Writable;
  /** Resolves when nobody has the other side any more, and all that came from there is in `output`. */
  readonly closed: Promise<void>;
  readonly #master: ReadStream;
  #resizing: Promise<void> = Promise.resolve();

  static async open(size: TerminalSize): Promise<Pty> {
    const fd = openSync("/dev/ptmx", constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      const index = /^tty-index:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
      const path = `/dev/pts/${index}`;
      await runCommand(["perl", "-e", UNLOCK], { stdin: fd });
      await setTerminal(path, ["raw", "-echo", ...sizeWords(size)]);
      return new Pty(fd, path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  private constructor(fd: number, path: string) {
    this.path = path;
    const master = new ReadStream(fd);
    const output = new PassThrough();
    this.#master = master;
    this.output = output;
    // When nobody has the other side any more, reading fails: that is its end.
    this.closed = new Promise((done) => master.on("error", () => {}).once("close", done));
    void this.closed.then(() => output.end());
    output.once("close", () => master.destroy());
    master.pipe(output, { end: false });
    this.input = new Writable({
      write: (chunk, _encoding, done) => void master.write(chunk, () => done()),
      final: (done) => void master.write(END_OF_INPUT, () => done()),
    });
  }

  /** For a process to be started with; to be closed once it has it. */
  openOtherSide(): number {
    return openSync(this.path, constants.O_RDWR | constants.O_NOCTTY);
  }

  /** Resolves once it has that size, or one that was asked for since. Never rejects: a size is nothing to fail for. */
  resize(size: TerminalSize): Promise<void> {
    this.#resizing = this.#resizing
      .then(() => (this.#master.destroyed ? undefined : setTerminal(this.path, sizeWords(size))))
      .catch(() => {});
    return this.#resizing;
  }

  close(): void {
    this.#master.destroy();
  }
}

function setTerminal(path: string, words: readonly string[]): Promise<void> {
  return runCommand(["stty", "-F", path, ...words]).then(() => {});
}

function sizeWords({ columns, rows }: TerminalSize): string[] {
  return ["cols", String(columns), "rows", String(rows)];
}

import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { RefusedError, refusal, wallMsOf } from "#kernel";
import { baseOf, type WhatIf, type WhatIfOptions } from "#replay";
import type { Timeline } from "#timeline";
import type { PlainChange } from "./whatif-change.ts";
import type { WhatifAnswer, WhatifQuestion } from "./whatif-messages.ts";

export interface WhatifModules {
  /** Files that export deciders, absolute. */
  readonly modules: readonly string[];
  /** `dist` of this project. */
  readonly dist: string;
  /** Wherever the deciders' own words go. */
  readonly onWords: (text: string) => void;
}

/** A decider that thinks for so long about a thousand events does not come to an end. */
const PATIENCE_MS = 120_000;
const BATCH = 500;

/** As `whatif`, with deciders from modules: in a process of their own that can do nothing but decide. */
export async function whatifWithModules(
  timeline: Timeline,
  change: PlainChange,
  { modules, dist, onWords }: WhatifModules,
  options: WhatIfOptions,
): Promise<WhatIf> {
  const { since, until, most = 1, signal } = options;
  const before = since === undefined ? await timeline.beginning() : await timeline.at(since);
  const after = { ...before.position };
  const child = new WhatifChild(join(dist, "apps/cli/replay/whatif-child.js"), onWords);
  try {
    const { policy, drop, edit, insert } = change;
    await child.ask({
      ...{ kind: "begin", modules, libs: join(dist, "libs"), base: baseOf(before), most },
      ...(policy === undefined ? {} : { policy }),
      ...(drop === undefined ? {} : { drop }),
      ...{ edit: [...(edit ?? [])], insert: [...(insert ?? [])] },
    });
    let events = 0;
    const stretch = { after, ...(until === undefined ? {} : { until }) };
    reading: for await (const batch of timeline.history.ordered(stretch)) {
      for (let at = 0; at < batch.length; at += BATCH) {
        const taken = await child.ask({ kind: "events", events: batch.slice(at, at + BATCH) });
        events += Math.min(BATCH, batch.length - at);
        options.onProgress?.(events, { nowMs: wallMsOf(batch.at(-1)!.header.clock) });
        if (taken.kind === "taken" && taken.isEnough) break reading;
      }
      if (signal?.aborted) break;
    }
    const answer = await child.ask({ kind: "end" });
    if (answer.kind === "result") return answer.result;
    throw new Error(`the deciders' process answered ${answer.kind}`);
  } finally {
    child.end();
  }
}

/** The process, asked one thing at a time. */
class WhatifChild {
  readonly #process: ChildProcess;
  #settle: ((answer: WhatifAnswer | Error) => void) | undefined;

  constructor(program: string, onWords: (text: string) => void) {
    // Nothing of the environment, no files to write, no processes, no workers, no addons.
    this.#process = fork(program, [], {
      execArgv: ["--permission", "--allow-fs-read=*", "--disable-warning=ExperimentalWarning"],
      env: {},
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => onWords(text.trimEnd()));
    }
    this.#process.on("message", (answer: WhatifAnswer) => this.#settle?.(answer));
    this.#process.on("error", (error) => this.#settle?.(error));
    this.#process.on("exit", (code, signal) =>
      this.#settle?.(new Error(`the deciders' process ended (${signal ?? code})`)),
    );
  }

  async ask(question: WhatifQuestion): Promise<WhatifAnswer> {
    let patience: NodeJS.Timeout | undefined;
    const answer = await new Promise<WhatifAnswer | Error>((settle) => {
      this.#settle = settle;
      patience = setTimeout(() => settle(new Error(`no answer in ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
      this.#process.send(question, (error) => error && settle(error));
    });
    clearTimeout(patience);
    this.#settle = undefined;
    if (!(answer instanceof Error) && answer.kind !== "failed") return answer;
    throw new RefusedError(refusal("invalid", `the deciders cannot be asked: ${answer.message}`));
  }

  end(): void {
    this.#process.removeAllListeners("exit");
    this.#process.kill("SIGKILL");
  }
}

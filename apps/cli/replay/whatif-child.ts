import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { type Deciders, Supposition, worldFrom } from "#replay";
import type { WhatifAnswer, WhatifBegin, WhatifQuestion } from "./whatif-messages.ts";

/*
 * A program of its own: somebody else's deciders are loaded here, and nowhere else. Node's permission model keeps them from
 * files, processes and workers; what follows keeps them from the network. They are given commands and states, and answer with
 * decisions.
 */

const NAMES = ["decideHost", "decideControl", "rank"] as const;
/** What a decider has no use for, and could act on the world with. */
const CLOSED =
  /^(node:)?(net|tls|http|https|http2|dgram|dns|child_process|cluster|worker_threads|inspector|fs|module|vm|repl|sqlite|wasi)(\/|$)/;

let supposition: Supposition | undefined;

/** Of what this process has loaded already, what a decider may have. */
const OTHER_PACKAGE = /\/node_modules\/(?!zod\/)/;
const IMPURE_LIB = /\/libs\/(?!kernel\/|contracts\/|machines\/|volumes\/|hosts\/|control\/)[a-z-]+\//;

/** From here on no module gets at the network, at files or at processes. */
function close(libs: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const found = resolved(
        specifier,
        () => next(specifier, context),
        (url) => next(url, context),
        libs,
      );
      const isClosed = CLOSED.test(specifier) || OTHER_PACKAGE.test(found.url) || IMPURE_LIB.test(found.url);
      if (isClosed) throw new Error(`a decider is pure: it may not import ${specifier}`);
      return found;
    },
  });
  for (const name of ["fetch", "WebSocket", "EventSource"]) Reflect.deleteProperty(globalThis, name);
  for (const name of ["getBuiltinModule", "binding", "dlopen", "kill"]) Reflect.deleteProperty(process, name);
}

/** `#name` leads to a library of this project, wherever the module is. */
function resolved<T>(specifier: string, asItIs: () => T, at: (url: string) => T, libs: string): T {
  try {
    return asItIs();
  } catch (thrown) {
    if (!/^#[a-z-]+$/.test(specifier)) throw thrown;
    return at(pathToFileURL(`${libs}/${specifier.slice(1)}/index.js`).href);
  }
}

async function loaded(modules: readonly string[]): Promise<Partial<Deciders>> {
  const found: Partial<Record<string, unknown>> = {};
  for (const path of modules) {
    const exported = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    // This project calls by that name what ranks by numbers that were drawn already.
    const named: Record<string, unknown> = { ...exported, rank: exported.rankDrawn ?? exported.rank };
    for (const name of NAMES) if (typeof named[name] === "function") found[name] = named[name];
  }
  if (Object.keys(found).length > 0) return found as Partial<Deciders>;
  throw new Error(`${modules.join(", ")} exports none of ${NAMES.join(", ")}`);
}

async function begin(question: WhatifBegin): Promise<WhatifAnswer> {
  const { libs, modules, base, most, policy, drop, edit, insert } = question;
  const before = worldFrom(base);
  close(libs);
  const deciders = await loaded(modules);
  const change = {
    deciders,
    ...(policy === undefined ? {} : { policy }),
    ...(drop === undefined ? {} : { drop }),
    ...(edit.length === 0 ? {} : { edit: new Map(edit) }),
    ...(insert.length === 0 ? {} : { insert: new Map(insert) }),
  };
  supposition = new Supposition(before, change, most);
  return { kind: "ready", deciders: Object.keys(deciders) };
}

async function answer(question: WhatifQuestion): Promise<WhatifAnswer> {
  if (question.kind === "begin") return begin(question);
  if (supposition === undefined) throw new Error("nothing was begun");
  if (question.kind === "end") return { kind: "result", result: supposition.result() };
  for (const event of question.events) {
    supposition.take(event);
    if (supposition.isEnough) break;
  }
  return { kind: "taken", isEnough: supposition.isEnough };
}

const tell = process.send!.bind(process);
process.on("message", (question: WhatifQuestion) => {
  answer(question).then(
    (answered) => tell(answered),
    (thrown: unknown) =>
      tell({ kind: "failed", message: String(thrown instanceof Error ? thrown.message : thrown) }),
  );
});
// Whose parent is gone has nobody to answer.
process.on("disconnect", () => process.exit(1));

import type { RecordedEvent } from "#contracts";
import type { StateBefore } from "./archive/base-parts.ts";
import {
  credentialsIn,
  isArguments,
  isFreeText,
  isWord,
  type Treatment,
  treatmentOf,
} from "./redact-rules.ts";

/** Events, and the state before them where there is one. */
export interface Redactable {
  readonly events: readonly RecordedEvent[];
  readonly base?: StateBefore;
}

export interface Redacted extends Redactable {
  /** How many different values were replaced. */
  readonly replaced: number;
}

/** Shorter ones are replaced where they are secrets, and not wherever the same few letters stand by chance. */
const LEAST_ANYWHERE = 6;
const LEAST_IN_TEXT = 3;

/**
 * Replaces what may be secret: values of `env` and `metadata`, contents of files, command lines beyond the program's name,
 * credentials in images, HTTP headers, tokens' and keys' hashes, and whatever is named like a secret, in events, in decision
 * records and in states alike. The same value has the same replacement everywhere, so that what was equal is equal still.
 * Names of apps, machines, hosts and hostnames stay. Nothing is changed in place.
 */
export function redact({ events, base }: Redactable): Redacted {
  const redaction = new Redaction();
  if (base !== undefined) redaction.noteBase(base);
  for (const event of events) redaction.note(event);
  return {
    events: events.map((event) => redaction.event(event)),
    ...(base === undefined ? {} : { base: redaction.base(base) }),
    replaced: redaction.replaced,
  };
}

/** `redact` for what is too long to be held: everything is noted first, and rewritten when it comes by once more. */
export class Redaction {
  readonly #secrets = new Secrets();
  #rewriter: Rewriter | undefined;

  /** How many different values are replaced. */
  get replaced(): number {
    return this.#secrets.count;
  }

  note({ data, decision }: RecordedEvent): void {
    collect(this.#secrets, "", [data, decision?.inputs]);
  }

  noteBase({ fleet }: StateBefore): void {
    collect(this.#secrets, "", fleet);
  }

  /** To be asked when all was noted. */
  event(event: RecordedEvent): RecordedEvent {
    return this.#rewriting().event(event);
  }

  base(base: StateBefore): StateBefore {
    return { ...base, fleet: this.#rewriting().value("", base.fleet) };
  }

  #rewriting(): Rewriter {
    this.#rewriter ??= new Rewriter(this.#secrets);
    return this.#rewriter;
  }
}

/** Every secret that was found, and what stands in its place. */
class Secrets {
  readonly #replacements = new Map<string, string>();
  readonly #hashes = new Set<string>();

  get count(): number {
    return this.#replacements.size;
  }

  add(secret: string, isHash: boolean): void {
    if (secret === "" || this.#replacements.has(secret)) return;
    const number = this.#replacements.size + 1;
    // A hash is asked to look like one.
    if (isHash) this.#hashes.add(secret);
    this.#replacements.set(secret, isHash ? String(number).padStart(64, "0") : `redacted-${number}`);
  }

  hashReplacementOf(text: string): string {
    return this.#hashes.has(text) ? this.replacementOf(text) : text;
  }

  replacementOf(secret: string): string {
    return this.#replacements.get(secret) ?? secret;
  }

  /**
   * Finds those of at least so many letters, the longest first. Undefined: there are none. Hashes are quoted nowhere but in
   * their own event's subject, and there may be very many of them.
   */
  pattern(least: number): RegExp | undefined {
    const texts = [...this.#replacements.keys()].filter(
      (one) => one.length >= least && !isWord(one) && !this.#hashes.has(one),
    );
    if (texts.length === 0) return undefined;
    const alternatives = texts.sort((a, b) => b.length - a.length).map(escaped);
    return new RegExp(alternatives.join("|"), "g");
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** Finds secrets at the places where they are known to be. `key`: the name of the member that `value` is. */
function collect(secrets: Secrets, key: string, value: unknown, inherited: Treatment = "open"): void {
  const treatment = inherited === "open" ? treatmentOf(key) : inherited;
  if (typeof value === "string") {
    if (treatment !== "open") secrets.add(value, treatment === "hash");
    else if (key === "image") secrets.add(credentialsIn(value) ?? "", false);
    return;
  }
  if (value === null || typeof value !== "object") return;
  const isList = Array.isArray(value);
  for (const [name, member] of Object.entries(value)) {
    const isArgument = isList && isArguments(key) && name !== "0";
    collect(secrets, isList ? key : name, member, isArgument ? "secret" : isList ? inherited : treatment);
  }
}

class Rewriter {
  readonly #secrets: Secrets;
  readonly #anywhere: RegExp | undefined;
  readonly #inText: RegExp | undefined;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
    this.#anywhere = secrets.pattern(LEAST_ANYWHERE);
    this.#inText = secrets.pattern(LEAST_IN_TEXT);
  }

  /** Its place, its id and its clock are what they were. */
  event(event: RecordedEvent): RecordedEvent {
    const { data, decision, header, subject } = event;
    const { actor, causationId, correlationId } = header;
    return {
      ...event,
      subject: this.#subject(subject),
      header: { ...header, ...this.value("", { actor, causationId, correlationId }) },
      data: this.value("", data),
      ...(decision === undefined
        ? {}
        : { decision: { ...decision, inputs: this.value("", decision.inputs) } }),
    } as RecordedEvent;
  }

  /** Looks at every text of a value as `collect` does. */
  value<T>(key: string, value: T, inherited: Treatment = "open", inText = false): T {
    const treatment = inherited === "open" ? treatmentOf(key) : inherited;
    const isText = inText || isFreeText(key);
    if (typeof value === "string") {
      if (treatment !== "open") return this.#secrets.replacementOf(value) as T;
      return this.#replaced(value, isText ? this.#inText : this.#anywhere) as T;
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) {
      return value.map((member, index) => {
        const isArgument = isArguments(key) && index > 0;
        return this.value(key, member, isArgument ? "secret" : inherited, isText);
      }) as T;
    }
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        // Of a user's own record, names are the user's as well.
        treatment === "secret" ? this.#replaced(name, this.#anywhere) : name,
        this.value(name, member, treatment, isText),
      ]),
    ) as T;
  }

  /** The last part names the aggregate, and that may be a hash. */
  #subject(subject: string): string {
    const at = subject.lastIndexOf(".") + 1;
    const name = this.#secrets.hashReplacementOf(subject.slice(at));
    return this.#replaced(`${subject.slice(0, at)}${name}`, this.#anywhere);
  }

  #replaced(text: string, pattern: RegExp | undefined): string {
    if (pattern === undefined) return text;
    // A text that means something to the fold stays whole.
    if (isWord(text)) return text;
    return text.replace(pattern, (secret) => this.#secrets.replacementOf(secret));
  }
}

import { SystemClock } from "#kernel";

/** Where an agent may die: the places are counted as they are passed, and at one of them nothing goes on. */
export class DeathPoint {
  /** What was passed while armed, in order. */
  readonly passed: string[] = [];
  /** Resolves when the agent has died. */
  readonly died: Promise<void>;
  readonly #die: () => void;
  readonly #at: number;
  readonly #onPass: (place: string) => void;
  #isArmed = false;
  #isDead = false;

  /** `at`: index of the place; none unless given. `onPass` hears of each place that is passed while armed. */
  constructor(at = Number.POSITIVE_INFINITY, onPass: (place: string) => void = () => {}) {
    this.#onPass = onPass;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#die = resolve;
    this.#at = at;
  }

  arm(): void {
    this.#isArmed = true;
  }

  /** Passes a place; never returns when the agent dies there, or is dead. */
  async pass(place: string): Promise<void> {
    if (!this.survives(place)) await NEVER;
  }

  /** What the agent is held up by here; undefined when it goes on at once. */
  heldUp(_place: string): Promise<void> | undefined {
    return undefined;
  }

  /** Whether the agent lives on after this place. */
  survives(place: string): boolean {
    if (this.#isArmed && !this.#isDead) {
      this.passed.push(place);
      this.#onPass(place);
      this.#isDead = this.passed.length > this.#at;
      if (this.#isDead) this.#die();
    }
    return !this.#isDead;
  }
}

const NEVER = new Promise<never>(() => {});

/** The same object, but each call of these methods is a place to die before and after. */
export function mortal<T extends object>(
  name: string,
  subject: T,
  methods: readonly (keyof T & string)[],
  point: DeathPoint,
): T {
  return new Proxy(subject, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      const call = member.bind(target) as (...args: unknown[]) => unknown;
      if (!methods.includes(key as keyof T & string)) return call;
      return (...args: unknown[]) => {
        const place = `${name}.${String(key)}${eventOf(args[0])}`;
        // At once, as the real one does: an append that waited a moment would be overtaken by the next decision.
        if (!point.survives(`before ${place}`)) return NEVER;
        const begin = () => afterwards(call(...args), () => point.pass(`after ${place}`));
        return point.heldUp(`before ${place}`)?.then(begin) ?? begin();
      };
    },
  });
}

async function afterwards(result: unknown, pass: () => Promise<void>): Promise<unknown> {
  const value = await result;
  await pass();
  return value;
}

/** Names what is appended. */
function eventOf(argument: unknown): string {
  if (typeof argument !== "object" || argument === null || !("type" in argument)) return "";
  const { type, data } = argument as { readonly type: string; readonly data: { readonly step?: string } };
  return ` ${type}${data.step === undefined ? "" : ` ${data.step}`}`;
}

/** The clock of an agent: when it is dead, it is never woken again. */
export class MortalClock extends SystemClock {
  readonly #buried = new AbortController();
  readonly #aheadMs: number;

  /** `aheadMs`: how far its wall time is from the real one. */
  constructor(aheadMs = 0) {
    super();
    this.#aheadMs = aheadMs;
  }

  override nowMs(): number {
    return super.nowMs() + this.#aheadMs;
  }

  bury(): void {
    this.#buried.abort();
  }

  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const ends = signal === undefined ? [] : [signal];
    try {
      await super.sleep(durationMs, AbortSignal.any([...ends, this.#buried.signal]));
    } finally {
      if (this.#buried.signal.aborted) await new Promise<never>(() => {});
    }
  }
}

/** Lets tasks of one key run one after the other, in the order they came; tasks of different keys run at once. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` once all tasks of `key` that came before have settled; resolves or rejects as it does. */
  take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(task, task);
    this.#last.set(key, turn);
    const forget = () => {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    };
    turn.then(forget, forget);
    return turn;
  }
}

/** Waits for all of them, then throws the first failure: whoever tries again must find none of them still at work. */
export async function allSettled(tasks: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

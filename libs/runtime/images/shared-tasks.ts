/**
 * Work that callers with the same key share: it runs once at a time per key, all get its result, and it is aborted
 * only when the last one who waits for it has gone.
 */
export class SharedTasks<T> {
  readonly #running = new Map<string, Shared<T>>();

  /** Joins the work of that key, or begins it. Rejects with the signal's reason as soon as that fires. */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const task = this.#running.get(key) ?? this.#begin(key, work);
    task.waiting += 1;
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([task.result, gone.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      task.waiting -= 1;
      if (task.waiting === 0) this.#abandon(key, task, signal.reason);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const controller = new AbortController();
    const result = work(controller.signal);
    result.catch(() => {}); // those who wait hear of it; when nobody does, nobody cares
    const task: Shared<T> = { result, controller, waiting: 0 };
    this.#running.set(key, task);
    return task;
  }

  #abandon(key: string, task: Shared<T>, reason: unknown): void {
    if (this.#running.get(key) === task) this.#running.delete(key);
    task.controller.abort(reason);
  }
}

interface Shared<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

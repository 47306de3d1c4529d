/** What ends a wait: something happened, the time is up, or the router stops. */
export type Waited = "stirred" | "late" | "over";

/**
 * Where requests wait for a machine: bounded per app and in all. A request that waits costs its place here, its head and
 * what its socket buffers; its body stays with the client.
 */
export class Hold {
  readonly #mostPerApp: number;
  readonly #most: number;
  readonly #apps = new Map<string, Set<Place>>();
  #count = 0;
  #isOver = false;

  constructor({ heldPerApp, held }: { readonly heldPerApp: number; readonly held: number }) {
    this.#mostPerApp = heldPerApp;
    this.#most = held;
  }

  get count(): number {
    return this.#count;
  }

  /** A place for a request, behind those of its app that came before. Undefined when there is no room. */
  enter(appName: string): Place | undefined {
    const places = this.#apps.get(appName) ?? new Set();
    if (this.#isOver || this.#count >= this.#most || places.size >= this.#mostPerApp) return undefined;
    const place = new Place((left) => {
      if (!places.delete(left)) return;
      this.#count -= 1;
      if (places.size === 0) this.#apps.delete(appName);
    });
    this.#apps.set(appName, places.add(place));
    this.#count += 1;
    return place;
  }

  /** Something changed for an app: all that wait look again. */
  stir(appName: string): void {
    for (const place of this.#apps.get(appName) ?? []) place.end("stirred");
  }

  /** A machine of the app has room for one more: the first that waits for room looks again. */
  stirOne(appName: string): void {
    for (const place of this.#apps.get(appName) ?? []) if (place.wantsRoom && place.end("stirred")) return;
  }

  /** Ends all waits, and lets nobody in any more. */
  end(): void {
    this.#isOver = true;
    for (const places of this.#apps.values()) for (const place of places) place.end("over");
  }
}

/** One request's place in the hold. */
export class Place {
  readonly #left: (place: Place) => void;
  #ends: ((how: Waited) => void) | undefined;
  #wantsRoom = false;

  constructor(left: (place: Place) => void) {
    this.#left = left;
  }

  get wantsRoom(): boolean {
    return this.#wantsRoom;
  }

  /** Waits until something happens, `ms` at the most. `wantsRoom`: for a machine that has too many now. */
  wait(ms: number, wantsRoom = false): Promise<Waited> {
    this.#wantsRoom = wantsRoom;
    return new Promise((done) => {
      const timer = setTimeout(() => this.end("late"), ms);
      this.#ends = (how) => {
        clearTimeout(timer);
        done(how);
      };
    });
  }

  /** Ends the wait, if there is one. */
  end(how: Waited): boolean {
    const ends = this.#ends;
    this.#ends = undefined;
    ends?.(how);
    return ends !== undefined;
  }

  leave(): void {
    this.#left(this);
  }
}

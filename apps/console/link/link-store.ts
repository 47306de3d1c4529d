import { type DeepLink, readLink, writeLink } from "./deep-link.ts";

/** The page's address as state: written here, and by the browser's back and forward. */
export class LinkStore {
  #link: DeepLink = readLink(location.hash);
  readonly #listeners = new Set<() => void>();
  readonly #onTravel = new Set<(link: DeepLink) => void>();

  constructor() {
    // One event for back, forward, and for an address that somebody edits.
    addEventListener("popstate", () => {
      this.#link = readLink(location.hash);
      for (const listener of this.#listeners) listener();
      for (const listener of this.#onTravel) listener(this.#link);
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): DeepLink => this.#link;

  /** Told of addresses that the page did not write itself. */
  onTravel(listener: (link: DeepLink) => void): void {
    this.#onTravel.add(listener);
  }

  /** A new place: "back" leads here again. */
  push(more: Partial<DeepLink>): void {
    this.#write(more, (address) => history.pushState(null, "", address));
  }

  /** The same place, told better. */
  replace(more: Partial<DeepLink>): void {
    this.#write(more, (address) => history.replaceState(null, "", address));
  }

  #write(more: Partial<DeepLink>, put: (address: string) => void): void {
    const before = writeLink(this.#link);
    this.#link = { ...this.#link, ...more };
    const hash = writeLink(this.#link);
    if (hash !== before) put(`${location.pathname}${location.search}${hash}`);
    for (const listener of this.#listeners) listener();
  }
}

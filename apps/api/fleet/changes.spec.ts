import { describe, expect, it } from "@jest/globals";
import { Changes } from "./changes.ts";

function feed() {
  const listeners = new Set<() => void>();
  return {
    notify: () => {
      for (const listener of listeners) listener();
    },
    listeners,
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const never = new AbortController().signal;

describe("Changes", () => {
  it("wakes at a change", async () => {
    const source = feed();
    const changes = new Changes(source.subscribe);
    const woken = changes.next(60_000, never);
    source.notify();
    await woken;
  });

  it("does not lose a change between two waits", async () => {
    const source = feed();
    const changes = new Changes(source.subscribe);
    source.notify();
    await changes.next(60_000, never);
  });

  it("wakes when the waiter gives up", async () => {
    const source = feed();
    const gone = new AbortController();
    const woken = new Changes(source.subscribe).next(60_000, gone.signal);
    gone.abort();
    await woken;
  });

  it("wakes when time is up", async () => {
    await new Changes(feed().subscribe).next(1, never);
  });

  it("leaves no listener behind", () => {
    const source = feed();
    new Changes(source.subscribe).close();
    expect(source.listeners.size).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { ImageConfig, ImageStore } from "./image-store.ts";

/** The world around an image store: a registry whose images, and whose health, the test decides on. */
export interface ImageWorld {
  readonly store: ImageStore;
  /** Makes `repository:tag` name an image with this config; returns the reference. Content differs per `content`. */
  publish(repository: string, tag: string, content: string, config: ImageConfig): Promise<string>;
  /** The registry answers nobody from now on. */
  takeRegistryDown(): Promise<void>;
  /** The registry answers no request, nor refuses any, from now on. */
  silenceRegistry(): Promise<void>;
  /** Lets a minute pass. */
  passMinute(): Promise<void>;
  /** The same store after its process was restarted. */
  reopened(): Promise<ImageStore>;
  close(): Promise<void>;
}

const config: ImageConfig = {
  env: { PATH: "/bin", GREETING: "hello=world" },
  entrypoint: ["/bin/serve"],
  cmd: ["--port", "80"],
  workingDir: "/srv",
  user: "1000:1000",
  stopSignal: "SIGQUIT",
};
const never = new AbortController().signal;

/** What every image store must do. */
export function imageStoreContract(name: string, open: () => Promise<ImageWorld>): void {
  describe(`image store contract: ${name}`, () => {
    let world: ImageWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(() => world.close());

    it("says what a pulled image is, at once and later", async () => {
      const pulled = await world.store.pull(await world.publish("app", "v1", "one", config), never);
      expect(pulled.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(pulled.config).toEqual(config);
      expect(pulled.sizeBytes).toBeGreaterThan(0);
      expect(await world.store.load(pulled.digest)).toEqual(pulled);
      expect(world.store.rootfsOf(pulled.digest)).toMatch(/^\//);
    });

    it("does not have what was never pulled", async () => {
      expect(await world.store.load(`sha256:${"0".repeat(64)}`)).toBeUndefined();
    });

    it("follows a tag that moves and keeps what it named before", async () => {
      const first = await world.store.pull(await world.publish("app", "v1", "one", config), never);
      const second = await world.store.pull(await world.publish("app", "v1", "two", config), never);
      expect(second.digest).not.toBe(first.digest);
      expect(await world.store.load(first.digest)).toEqual(first);
    });

    it("gives the same to all who pull one image at a time", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      const pulls = Array.from({ length: 5 }, () => world.store.pull(reference, never));
      const digests = (await Promise.all(pulls)).map(({ digest }) => digest);
      expect(new Set(digests).size).toBe(1);
    });

    it("refuses what is not there, and what is no reference", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      await expect(world.store.pull(reference.replace(":v1", ":v2"), never)).rejects.toMatchObject({
        name: "TerminalError",
        code: "image_not_found",
      });
      await expect(world.store.pull("--not a reference", never)).rejects.toMatchObject({
        name: "TerminalError",
        code: "image_invalid",
      });
    });

    it("F36: a cached image starts while the registry is down, by tag and by digest", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      const pulled = await world.store.pull(reference, never);
      await world.takeRegistryDown();
      expect(await world.store.pull(reference, never)).toEqual(pulled);
      const byDigest = reference.replace(":v1", `@${pulled.digest}`);
      expect(await world.store.pull(byDigest, never)).toEqual(pulled);
    });

    it("F36: a cached image starts while the registry is silent", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      const pulled = await world.store.pull(reference, never);
      await world.silenceRegistry();
      expect(await world.store.pull(reference, never)).toEqual(pulled);
    });

    it("F36: an image that is not here may be tried again when the registry is down", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      await world.takeRegistryDown();
      await expect(world.store.pull(reference, never)).rejects.not.toHaveProperty("name", "TerminalError");
    });

    it("ends a pull when its signal fires, and only then the work that others share", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      await world.silenceRegistry();
      const impatient = new AbortController();
      const patient = new AbortController();
      const pulls = [
        world.store.pull(reference, impatient.signal),
        world.store.pull(reference, patient.signal),
      ];
      const outcomes = Promise.allSettled(pulls);
      impatient.abort(new Error("gone"));
      await expect(pulls[0]).rejects.toThrow("gone");
      patient.abort(new Error("gone too"));
      expect((await outcomes)[1]).toMatchObject({ status: "rejected", reason: { message: "gone too" } });
    });

    it("keeps its images across a restart", async () => {
      const reference = await world.publish("app", "v1", "one", config);
      const pulled = await world.store.pull(reference, never);
      await world.takeRegistryDown();
      const reopened = await world.reopened();
      expect(await reopened.load(pulled.digest)).toEqual(pulled);
      expect(await reopened.pull(reference, never)).toEqual(pulled);
    });

    it("prunes what is not kept, but nothing that was pulled just now", async () => {
      const kept = await world.store.pull(await world.publish("app", "v1", "one", config), never);
      const other = await world.store.pull(await world.publish("app", "v2", "two", config), never);
      await world.store.prune([]);
      expect(await world.store.load(other.digest)).toEqual(other);
      await world.passMinute();
      await world.store.prune([kept.digest]);
      expect(await world.store.load(kept.digest)).toEqual(kept);
      expect(await world.store.load(other.digest)).toBeUndefined();
    });
  });
}

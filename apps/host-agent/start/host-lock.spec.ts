import { describe, expect, it } from "@jest/globals";
import { HostLock } from "./host-lock.ts";

describe("HostLock", () => {
  it("is held by one agent per host id, and free again after it", async () => {
    const lock = await HostLock.take("lock-spec", "a");
    await expect(HostLock.take("lock-spec", "a")).rejects.toThrow(/another agent runs for host a/);
    const other = await HostLock.take("lock-spec", "b");
    await lock.release();
    await (await HostLock.take("lock-spec", "a")).release();
    await other.release();
  });
});

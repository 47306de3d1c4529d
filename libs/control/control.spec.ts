import { beforeEach, describe, expect, it } from "@jest/globals";
import { ControlStory } from "./control-story.ts";
import { IDEMPOTENCY_KEY_TTL_MS, standingClaim } from "./idempotency-key.ts";
import { NAME_GRACE_MS } from "./machine-name.ts";
import { refuseToken } from "./token.ts";

const NOW = 1_764_000_000_000;
const unchanged = { kind: "unchanged" };
const accepted = { kind: "accepted" };
const refusedAs = (code: string) => ({ kind: "refused", refusal: { code } });

let story: ControlStory;
beforeEach(() => {
  story = new ControlStory();
});

describe("an app", () => {
  const create = {
    type: "CreateApp",
    appName: "hello",
    appId: "app-1",
    orgSlug: "personal",
    network: "default",
    atMs: NOW,
  } as const;
  const remove = { type: "DeleteApp", appName: "hello", machineCount: 0 } as const;

  it("has a name of its own, and the same create twice makes one", () => {
    expect(story.tell(create)).toMatchObject(accepted);
    expect(story.tell(create)).toEqual(unchanged);
    expect(story.tell({ ...create, appId: "app-2" })).toMatchObject(refusedAs("name_taken"));
  });

  it("is not deleted while it has machines", () => {
    story.tell(create);
    expect(story.tell({ ...remove, machineCount: 1 })).toMatchObject({
      refusal: { code: "wrong_state", message: "app hello still has 1 machine: destroy them first" },
    });
    expect(story.tell(remove)).toMatchObject(accepted);
    expect(story.tell(remove)).toEqual(unchanged);
    expect(story.tell({ ...remove, appName: "other" })).toMatchObject(refusedAs("not_found"));
  });

  it("leaves its name to a new app with another id", () => {
    story.tell(create);
    story.tell(remove);
    expect(story.tell({ ...create, appId: "app-2" })).toMatchObject(accepted);
    expect(story.state.apps.get("hello")).toMatchObject({ id: "app-2", deleted: false });
  });
});

describe("a machine name", () => {
  const claim = {
    type: "ClaimMachineName",
    appName: "hello",
    name: "web",
    machineId: "m1",
    atMs: 0,
  } as const;

  it("belongs to one machine of its app", () => {
    story.tell(claim);
    expect(story.tell(claim)).toEqual(unchanged);
    expect(story.tell({ ...claim, machineId: "m2" })).toMatchObject({
      refusal: { code: "name_taken", details: { machineId: "m1" } },
    });
    expect(story.tell({ ...claim, appName: "other", machineId: "m2" })).toMatchObject(accepted);
  });

  it("falls free with that machine, and with no other", () => {
    story.tell(claim);
    const next = { ...claim, machineId: "m2" };
    const gone = (id: string) => ({ ...next, goneHolder: { machineId: id, isCertain: true } });
    expect(story.tell(gone("m0"))).toMatchObject(refusedAs("name_taken"));
    expect(story.tell(gone("m1"))).toMatchObject(accepted);
  });

  it("is kept for a machine that is nowhere to be seen while it may still be made", () => {
    story.tell(claim);
    const goneHolder = { machineId: "m1", isCertain: false };
    const at = (atMs: number) => ({ ...claim, machineId: "m2", goneHolder, atMs });
    expect(story.tell(at(NAME_GRACE_MS - 1))).toMatchObject(refusedAs("name_taken"));
    expect(story.tell(at(NAME_GRACE_MS))).toMatchObject(accepted);
  });

  it("is claimed anew by a create that is driven again much later", () => {
    story.tell(claim);
    expect(story.tell({ ...claim, atMs: NAME_GRACE_MS - 1 })).toMatchObject(accepted);
    const rival = { ...claim, machineId: "m2", goneHolder: { machineId: "m1", isCertain: false } };
    expect(story.tell({ ...rival, atMs: NAME_GRACE_MS })).toMatchObject(refusedAs("name_taken"));
  });
});

describe("an idempotency key", () => {
  const claim = {
    type: "ClaimIdempotencyKey",
    keyHash: "k",
    requestHash: "r",
    machineId: "m1",
    commandId: "c1",
    atMs: NOW,
  } as const;

  it("drives the same ids as at its first use", () => {
    story.tell(claim);
    expect(story.tell({ ...claim, machineId: "m2", commandId: "c2", atMs: NOW + 1 })).toEqual(unchanged);
    expect(standingClaim(story.state.idempotencyKeys.get("k"), NOW + 1)).toMatchObject({
      machineId: "m1",
      commandId: "c1",
    });
  });

  it("is refused for another request", () => {
    story.tell(claim);
    expect(story.tell({ ...claim, requestHash: "other" })).toMatchObject(refusedAs("invalid"));
  });

  it("is good for a day, and forgotten with the next claim after that", () => {
    story.tell(claim);
    const later = NOW + IDEMPOTENCY_KEY_TTL_MS;
    expect(standingClaim(story.state.idempotencyKeys.get("k"), later - 1)).toBeDefined();
    expect(standingClaim(story.state.idempotencyKeys.get("k"), later)).toBeUndefined();
    expect(story.tell({ ...claim, requestHash: "other", machineId: "m2", atMs: later })).toMatchObject(
      accepted,
    );
    story.tell({ ...claim, keyHash: "l", atMs: later + IDEMPOTENCY_KEY_TTL_MS });
    expect([...story.state.idempotencyKeys.keys()]).toEqual(["l"]);
  });
});

describe("a token", () => {
  const secretHash = "ab".repeat(32);
  const create = { type: "CreateToken", tokenId: "t1", name: "deploy", secretHash, atMs: NOW } as const;
  const refusalOf = (hash: string, atMs = NOW) => refuseToken(story.state.tokens.get("t1"), hash, atMs);

  it("opens with the hash of its secret only", () => {
    story.tell(create);
    expect(refusalOf(secretHash)).toBeUndefined();
    for (const wrong of ["", "ab", "ab".repeat(31), "ab".repeat(33), "ba".repeat(32), "-".repeat(64)]) {
      expect(refusalOf(wrong)).toMatchObject({ code: "unauthorized" });
    }
    expect(refuseToken(undefined, "", NOW)).toMatchObject({ message: "the token is not known" });
    expect(refuseToken(undefined, "0".repeat(64), NOW)).toMatchObject({ message: "the token is not known" });
  });

  it("expires, and says so to its holder alone", () => {
    story.tell({ ...create, expiresAtMs: NOW + 10 });
    expect(refusalOf(secretHash, NOW + 9)).toBeUndefined();
    expect(refusalOf(secretHash, NOW + 10)?.message).toContain("expired");
    expect(refusalOf("00".repeat(32), NOW + 10)?.message).not.toContain("expired");
  });

  it("is revoked for good", () => {
    story.tell(create);
    const revoke = { type: "RevokeToken", tokenId: "t1" } as const;
    expect(story.tell(revoke)).toMatchObject(accepted);
    expect(story.tell(revoke)).toEqual(unchanged);
    expect(refusalOf(secretHash)?.message).toContain("revoked");
    expect(story.tell({ ...revoke, tokenId: "t2" })).toMatchObject(refusedAs("not_found"));
  });

  it("is made once, from a hash, with an end in the future", () => {
    story.tell(create);
    expect(story.tell(create)).toEqual(unchanged);
    expect(story.tell({ ...create, secretHash: "cd".repeat(32) })).toMatchObject(refusedAs("already_exists"));
    expect(story.tell({ ...create, tokenId: "t2", secretHash: "secret" })).toMatchObject(
      refusedAs("invalid"),
    );
    expect(story.tell({ ...create, tokenId: "t2", expiresAtMs: NOW })).toMatchObject(refusedAs("invalid"));
  });
});

describe("a placement", () => {
  const place = { machineId: "m1", appName: "hello", region: "local", candidates: [], refusals: [] };
  const decide = (hostId: string, epoch: number) =>
    ({ ...place, type: "DecidePlacement", hostId, epoch }) as const;
  const refuse = (epoch: number) =>
    ({
      type: "RefusePlacement",
      machineId: "m1",
      appName: "hello",
      epoch,
      error: { code: "insufficient_capacity", message: "no host" },
      refusals: [],
    }) as const;
  const gone = (hostId: string, epoch: number) =>
    ({ ownerGone: { kind: "refused", hostId, epoch } }) as const;

  it("F04: is refused once, however often it is tried, until something else is the reason", () => {
    expect(story.tell(refuse(1))).toMatchObject(accepted);
    expect(story.tell(refuse(2))).toEqual(unchanged);
    const error = { code: "unreachable", message: "nobody answered" };
    expect(story.tell({ ...refuse(2), error })).toMatchObject(accepted);
    expect(story.tell(decide("a", 3))).toMatchObject(accepted);
  });

  it("makes one host the owner, from epoch 1", () => {
    expect(story.tell(decide("a", 2))).toMatchObject(refusedAs("stale_epoch"));
    expect(story.tell(decide("a", 1))).toMatchObject(accepted);
    expect(story.tell(decide("a", 1))).toEqual(unchanged);
    expect(story.state.placements.get("m1")).toMatchObject({ hostId: "a", epoch: 1 });
  });

  it("of two schedulers at once is decided by one", () => {
    story.tell(decide("a", 1));
    expect(story.tell(decide("b", 1))).toMatchObject({
      refusal: { code: "stale_epoch", details: { epoch: 1, hostId: "a" } },
    });
  });

  it("moves on only when that very owner gave the machine up: its silence is no answer", () => {
    story.tell(decide("a", 1));
    expect(story.tell(decide("b", 2))).toMatchObject(refusedAs("busy"));
    expect(story.tell({ ...decide("b", 2), ...gone("b", 1) })).toMatchObject(refusedAs("busy"));
    expect(story.tell({ ...decide("b", 2), ...gone("a", 2) })).toMatchObject(refusedAs("busy"));
    expect(story.tell({ ...decide("b", 2), ...gone("a", 1) })).toMatchObject(accepted);
    expect(story.tell({ ...decide("a", 1), ...gone("b", 2) })).toMatchObject(refusedAs("stale_epoch"));
  });

  it("F32: that no host took is written down, takes ownership away only with proof, and may be tried again", () => {
    story.tell(decide("a", 1));
    expect(story.tell(refuse(2))).toMatchObject(refusedAs("busy"));
    expect(story.tell({ ...refuse(2), ...gone("a", 1) })).toMatchObject(accepted);
    expect(story.tell(refuse(2))).toEqual(unchanged);
    const unowned = { machineId: "m1", appName: "hello", epoch: 2, refusedAs: "insufficient_capacity" };
    expect(story.state.placements.get("m1")).toEqual(unowned);
    expect(story.tell(decide("b", 3))).toMatchObject(accepted);
  });
});

describe("a host's registration", () => {
  const register = {
    type: "RegisterHost",
    hostId: "a",
    region: "local",
    logId: "L1",
    stream: "HOST_a_L1",
    domain: "a",
    atMs: NOW,
  } as const;

  it("F28: names a host by its id and its log; where it can be reached is no part of it", () => {
    expect(story.tell(register)).toMatchObject(accepted);
    expect(story.tell({ ...register, atMs: NOW + 1 })).toEqual(unchanged);
    expect(Object.keys(story.state.hosts.get("a") ?? {}).sort()).toEqual([
      "domain",
      "formerLogIds",
      "hostId",
      "logId",
      "region",
      "registeredAtMs",
      "stream",
    ]);
  });

  it("F28: with an old log, after a newer one took its place, is refused", () => {
    story.tell(register);
    story.tell({ ...register, logId: "L2", stream: "HOST_a_L2" });
    expect(story.tell(register)).toMatchObject(refusedAs("stale_epoch"));
    expect(story.state.hosts.get("a")).toMatchObject({ logId: "L2", formerLogIds: ["L1"] });
  });
});

import { createHash, timingSafeEqual } from "node:crypto";
import type { ControlEvent } from "#contracts";
import { accepted, type Decision, type Refusal, refusal, refused, UNCHANGED } from "#kernel";

/** An API token. Its secret is known to its holder alone: only the hash is ever written down. */
export interface Token {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret, in hex. */
  readonly secretHash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs?: number;
  readonly revoked: boolean;
}

export interface CreateToken {
  readonly type: "CreateToken";
  readonly tokenId: string;
  readonly name: string;
  readonly secretHash: string;
  readonly expiresAtMs?: number;
  readonly atMs: number;
}

export interface RevokeToken {
  readonly type: "RevokeToken";
  readonly tokenId: string;
}

const SHA256_HEX = /^[0-9a-f]{64}$/;

export function decideCreateToken(command: CreateToken, token: Token | undefined): Decision<ControlEvent> {
  const { type: _, atMs: createdAtMs, ...described } = command;
  if (token !== undefined) {
    if (token.secretHash === command.secretHash) return UNCHANGED;
    return refused(refusal("already_exists", `there is a token ${token.id} already`));
  }
  if (!SHA256_HEX.test(command.secretHash)) {
    return refused(refusal("invalid", "a token is stored as the SHA-256 of its secret, in 64 hex digits"));
  }
  if (command.expiresAtMs !== undefined && command.expiresAtMs <= command.atMs) {
    return refused(refusal("invalid", "the token would have expired already: choose a later time"));
  }
  return accepted({ type: "TokenCreated", data: { ...described, createdAtMs } });
}

export function decideRevokeToken(command: RevokeToken, token: Token | undefined): Decision<ControlEvent> {
  if (token === undefined) return refused(refusal("not_found", `no token ${command.tokenId}`));
  if (token.revoked) return UNCHANGED;
  return accepted({ type: "TokenRevoked", data: { tokenId: token.id } });
}

/**
 * Why a secret (its SHA-256, in hex) does not open what the token opens; undefined when it does. It takes the same
 * time whether the first digit or the last is wrong, and tells a stranger nothing about which tokens exist.
 */
export function refuseToken(token: Token | undefined, secretHash: string, atMs: number): Refusal | undefined {
  const matches = timingSafeEqual(digest(token?.secretHash ?? ""), digest(secretHash));
  if (token === undefined || !matches) return refusal("unauthorized", "the token is not known");
  if (token.revoked) return refusal("unauthorized", `the token ${token.id} was revoked: make another`);
  if (token.expiresAtMs !== undefined && token.expiresAtMs <= atMs) {
    return refusal("unauthorized", `the token ${token.id} has expired: make another`);
  }
  return undefined;
}

/** Makes texts of any length comparable in constant time. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

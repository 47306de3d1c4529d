import { createHash, timingSafeEqual } from "node:crypto";
import { refuseToken, type Token } from "#control";
import type { Clock } from "#kernel";

/** The admin token's id: `up` writes that token to a file, so it is valid before CONTROL can be read (F45). */
export const ADMIN_TOKEN_ID = "admin";

/** Where the tokens that were created are found. */
export type TokenLookup = (tokenId: string) => Token | undefined;

/** Checks tokens. Only hashes are kept; a token that was valid goes on working while CONTROL is out of reach. */
export class Tokens {
  readonly #adminHash: string;
  readonly #lookup: TokenLookup;
  readonly #clock: Clock;

  constructor(adminToken: string, lookup: TokenLookup, clock: Clock) {
    this.#adminHash = hashOf(adminToken.trim());
    this.#lookup = lookup;
    this.#clock = clock;
  }

  /** The id of a valid token; undefined for any other text. */
  verify(presented: string): string | undefined {
    const hash = hashOf(presented);
    if (timingSafeEqual(Buffer.from(hash), Buffer.from(this.#adminHash))) return ADMIN_TOKEN_ID;
    const parsed = parseToken(presented);
    if (parsed === undefined) return undefined;
    const token = this.#lookup(parsed.tokenId);
    return refuseToken(token, hash, this.#clock.nowMs()) === undefined ? parsed.tokenId : undefined;
  }
}

/** A token as its holder sees it: its id in clear, so that it can be found, and its secret. */
export function formatToken(tokenId: string, secret: string): string {
  return `drover_${tokenId}_${secret}`;
}

/** SHA-256 of the whole token, in hex. Its secret has 192 random bits: no slow hash is needed. */
export function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function parseToken(text: string): { readonly tokenId: string } | undefined {
  const match = /^drover_([0-9A-Z]{26})_[0-9a-f]{48}$/.exec(text);
  return match ? { tokenId: match[1]! } : undefined;
}

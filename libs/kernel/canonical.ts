import { createHash } from "node:crypto";

/**
 * JSON with sorted object keys and without undefined members; Maps become objects. The one form that is hashed,
 * so that the same state gives the same hash on any day and in any version (I4).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const isMap = value instanceof Map;
  // Joined as it grows: of a whole state's text, lists of parts would cost more than the text.
  let members = "";
  for (const key of (isMap ? [...value.keys()] : Object.keys(value)).sort()) {
    const member: unknown = isMap ? value.get(key) : (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/**
 * The canonical form part by part, for what is too large to be made at one go: what stands `depth` levels down comes
 * whole. The value must not change before the last part was taken.
 */
export function* canonicalParts(value: unknown, depth: number): Generator<string> {
  if (depth === 0 || value === null || typeof value !== "object" || value instanceof Map) {
    yield canonicalJson(value);
    return;
  }
  const isList = Array.isArray(value);
  const members = isList ? value.entries() : Object.entries(value).sort(byKey);
  let before = isList ? "[" : "{";
  for (const [key, member] of members) {
    if (!isList && member === undefined) continue;
    yield isList ? before : `${before}${JSON.stringify(key)}:`;
    yield* canonicalParts(member, depth - 1);
    before = ",";
  }
  yield `${before === "," ? "" : before}${isList ? "]" : "}"}`;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** Characters hashed at one go: a process with a large state goes on meanwhile. */
const SLICE_LENGTH = 8 * 1024;

/**
 * SHA-256 of the canonical form, as `canonicalHash` gives it, made in slices: `pause` is awaited between two of them. The
 * value must not change before it is done. `depth`: of what comes whole (`canonicalParts`).
 */
export async function canonicalHashInSlices(
  value: unknown,
  depth: number,
  pause: () => Promise<unknown>,
): Promise<string> {
  const hash = createHash("sha256");
  let length = 0;
  for (const part of canonicalParts(value, depth)) {
    hash.update(part);
    length += part.length;
    if (length < SLICE_LENGTH) continue;
    length = 0;
    await pause();
  }
  return hash.digest("hex");
}

/** SHA-256 of the canonical form, as 64 hex digits. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

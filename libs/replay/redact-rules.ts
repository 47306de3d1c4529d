import { VOCABULARY } from "#contracts";
import { REFUSAL_CODES } from "#kernel";
import { MACHINE_STATES } from "#machines";
import { VOLUME_STATES } from "#volumes";

/** How what is found at a place is treated: nothing special, all texts below are secret, or a hash of a secret. */
export type Treatment = "open" | "secret" | "hash";

/** Records and lists whose texts are the user's own, whatever they are. */
const OF_USERS: ReadonlySet<string> = new Set(["env", "metadata", "headers", "raw_value", "cmd", "args"]);
/** The program's name stays, its arguments go. */
const ARGUMENTS: ReadonlySet<string> = new Set(["entrypoint", "exec", "argv"]);
const HASHES: ReadonlySet<string> = new Set(["secretHash", "keyHash", "requestHash"]);
const TELLING_NAME =
  /secret|passw|credential|authoriz|api_?key|private_?key|access_?key|cookie|^token$|_token$|^auth$/i;
/** Named like secrets, and none. */
const HARMLESS: ReadonlySet<string> = new Set(["secret_name"]);

/** The treatment of a member, by its name. */
export function treatmentOf(key: string): Treatment {
  if (HASHES.has(key)) return "hash";
  if (OF_USERS.has(key)) return "secret";
  return TELLING_NAME.test(key) && !HARMLESS.has(key) ? "secret" : "open";
}

/** Whether a list holds a program and its arguments. */
export function isArguments(key: string): boolean {
  return ARGUMENTS.has(key);
}

/** Texts that people or programs wrote: what is secret elsewhere may be quoted in them, however short. */
const FREE_TEXTS: ReadonlySet<string> = new Set(["message", "reason", "error", "lastError", "output"]);

export function isFreeText(key: string): boolean {
  return FREE_TEXTS.has(key);
}

/** `https://user:password@registry/image`, `user:password@registry/image`: what stands before the @. */
export function credentialsIn(image: string): string | undefined {
  return /^(?:[a-z]+:\/\/)?([^/@]+)@(?!sha256:)/.exec(image)?.[1];
}

/**
 * Words that mean something to the fold. A secret that reads like one of them is replaced where it is a secret, and nowhere
 * else: the events would not be the same events.
 */
const WORDS: ReadonlySet<string> = new Set([
  ...[...VOCABULARY.types(), ...MACHINE_STATES, ...VOLUME_STATES, ...REFUSAL_CODES],
  ...["expired", "released", "spread", "pack", "none", "soft", "hard", "start", "stop", "restart", "destroy"],
  ...["stopping", "restarting", "destroying", "completed", "retry", "terminal", "refused", "absent"],
  ...["SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM", "shared", "performance"],
  ...["always", "on-failure", "unknown", "launch", "create", "update", "suspend", "recover", "daily"],
]);

export function isWord(text: string): boolean {
  return WORDS.has(text);
}

import { SUBJECT_TOKEN } from "#contracts";
import type { Permissions } from "./permissions.ts";

/** An address to listen on. Loopback or a host's own network only: guests must reach no NATS. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** What a server of either kind is told about itself. */
export interface ServerSettings {
  /** Where clients connect. */
  readonly listen: Listen;
  /** HTTP: `/varz`, `/jsz`. */
  readonly monitorPort: number;
  /** Where that listens; 127.0.0.1 when left out. */
  readonly monitorHost?: string;
  readonly storeDir: string;
}

/**
 * The part that hub and leaf have in common. Appends are on disk before they are acknowledged (F17). A connection
 * that was cut without a word is given up within 6 s, and with it what is still waiting to be sent on it: a command
 * must not arrive long after its deadline.
 */
export function serverBlock(name: string, domain: string, settings: ServerSettings): string {
  return `server_name: ${quoted(name)}
listen: ${quoted(address(settings.listen))}
http: ${quoted(address({ host: settings.monitorHost ?? "127.0.0.1", port: settings.monitorPort }))}
jetstream { domain: ${quoted(domain)}, store_dir: ${quoted(settings.storeDir)}, sync_interval: always }
max_payload: 8MB
ping_interval: "2s"
ping_max: 2
write_deadline: "5s"`;
}

/** A user that may do what is listed and nothing else, and only over the kind of connection that is his. */
export function userBlock(
  name: string,
  publicKey: string,
  connection: "STANDARD" | "LEAFNODE",
  permissions: Permissions,
): string {
  const responses = permissions.responds ? `\n          allow_responses: { max: 1, expires: "5m" }` : "";
  return `      { # ${name}
        nkey: ${quoted(publicKey)}
        allowed_connection_types: [${connection}]
        permissions {
          publish: { allow: ${list(permissions.publish)} }
          subscribe: { allow: ${list(permissions.subscribe)} }${responses}
        }
      }`;
}

export function list(entries: readonly string[]): string {
  return `[${entries.map(quoted).join(", ")}]`;
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

export function address(listen: Listen): string {
  const { host, port } = listen;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Throws on an id that would be read as more than one token of a subject, or as more than a word of a configuration. */
export function assertToken(what: string, id: string): void {
  if (!SUBJECT_TOKEN.test(id)) throw new Error(`${what} ${quoted(id)}: letters, digits, - and _ only`);
}

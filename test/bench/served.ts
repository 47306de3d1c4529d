export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A server that is measured: where it is asked, and whose processor time that takes. */
export interface Served {
  readonly what: string;
  readonly address: Address;
  readonly pid: number;
}

/** One that was started for it. */
export interface StartedServer extends Served, AsyncDisposable {}

/** What a reverse proxy is to do. */
export interface ProxyTask {
  readonly upstream: Address;
  /** Of clients, and so as many to the upstream. */
  readonly connections: number;
}

/** What upstreams answer to `GET /`. */
export const HELLO = "hello\n";
/** How many bytes they answer to `GET /large`. */
export const LARGE_BYTES = 64 * 2 ** 20;

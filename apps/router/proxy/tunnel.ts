import type { Socket } from "node:net";
import type { AnswerHead } from "./answer-head.ts";
import type { UpgradingClient } from "./upgrading-client.ts";

/** How long one side may take for the last bytes of the other. */
const LINGER_MS = 2_000;

/** A machine that has agreed to change the protocol. */
export interface UpgradedMachine {
  readonly socket: Socket;
  /** What came after the head of its answer. */
  readonly head: Buffer;
  readonly answer: AnswerHead;
}

/**
 * Passes bytes both ways, as fast as either side takes them, until both connections are closed. `headers`: of the machine's
 * answer, to pass on. `stallMs`: how long a side may take nothing while there is something for it.
 */
export async function openTunnel(
  client: Pick<UpgradingClient, "socket" | "head">,
  machine: UpgradedMachine,
  headers: readonly string[],
  stallMs: number,
): Promise<void> {
  const { reason, upgrade } = machine.answer;
  const lines = [`HTTP/1.1 101 ${reason}`, "Connection: Upgrade", `Upgrade: ${upgrade}`];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  client.socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (machine.head.length > 0) client.socket.write(machine.head);
  if (client.head.length > 0) machine.socket.write(client.head);
  await Promise.all([
    flow(client.socket, machine.socket, stallMs),
    flow(machine.socket, client.socket, stallMs),
  ]);
}

/** Bytes of one side to the other until it closes; then the other is closed too, once it has taken what was sent. */
function flow(from: Socket, to: Socket, stallMs: number): Promise<void> {
  from.on("data", (chunk: Buffer) => {
    if (to.write(chunk)) return;
    // Whoever is not read is not heard to leave either: hence the timer.
    from.pause();
    to.setTimeout(stallMs, () => to.destroy());
  });
  to.on("drain", () => {
    to.setTimeout(0);
    from.resume();
  });
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  return new Promise((done) => {
    from.once("close", () => {
      const timer = setTimeout(() => to.destroy(), LINGER_MS);
      if (to.destroyed) clearTimeout(timer);
      else to.once("close", () => clearTimeout(timer)).end();
      done();
    });
  });
}

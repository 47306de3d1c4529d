import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { UpgradingClient } from "./upgrading-client.ts";

/**
 * The machine changes the protocol: from now on bytes pass both ways, as fast as either side takes them. Resolves when both
 * connections are closed. `headers`: of the machine's answer, to pass on.
 */
export async function openTunnel(
  client: Pick<UpgradingClient, "socket" | "head">,
  machine: { readonly socket: Duplex; readonly head: Buffer; readonly answer: IncomingMessage },
  headers: readonly string[],
): Promise<void> {
  const { answer } = machine;
  const lines = [`HTTP/1.1 101 ${answer.statusMessage}`, "Connection: Upgrade"];
  lines.push(`Upgrade: ${answer.headers.upgrade}`);
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  client.socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (machine.head.length > 0) client.socket.write(machine.head);
  if (client.head.length > 0) machine.socket.write(client.head);
  await Promise.all([flow(client.socket, machine.socket), flow(machine.socket, client.socket)]);
}

/** Bytes of one side to the other until it closes; then the other is closed too, once it has what was sent. */
function flow(from: Duplex, to: Duplex): Promise<void> {
  from.pipe(to);
  return new Promise((done) => {
    from.on("error", () => to.destroy());
    from.once("close", () => {
      if (!to.writableEnded) to.end();
      done();
    });
  });
}

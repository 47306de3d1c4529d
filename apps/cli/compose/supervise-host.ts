import { RefusedError, refusal } from "#kernel";
import type { Cluster } from "../cluster/cluster-file.ts";
import type { Layout } from "../cluster/layout.ts";
import { type Programs, processesOf } from "../cluster/processes.ts";
import type { Report } from "../cluster/supervised-process.ts";
import { Supervisor } from "../cluster/supervisor.ts";

/**
 * Runs leaf and agent of one host in this container, until it is told to end. Either starts again when it dies, beside the
 * machines: the container stays (I5).
 */
export async function superviseHost(
  cluster: Cluster,
  hostId: string,
  layout: Layout,
  programs: Programs,
  report: Report,
): Promise<void> {
  const names = [`leaf-${hostId}`, `agent-${hostId}`];
  const services = processesOf(cluster, layout, programs).filter(({ name }) => names.includes(name));
  if (services.length !== names.length) {
    const known = cluster.hosts.map((host) => host.hostId).join(", ");
    throw new RefusedError(refusal("not_found", `no host ${hostId} in this cluster: it has ${known}`));
  }
  const supervisor = new Supervisor(services, layout, report);
  supervisor.start();
  await new Promise<void>((done) => process.once("SIGINT", done).once("SIGTERM", done));
  await supervisor.stop();
}

import { get } from "node:http";
import { join } from "node:path";
import { type Clock, Deadline, RefusedError } from "#kernel";
import { writeOciLayout } from "#small-image";
import { ApiClient } from "../api-client.ts";
import { type Cluster, writeCluster } from "../cluster/cluster-file.ts";
import { readIfThere } from "../cluster/files.ts";
import type { Layout } from "../cluster/layout.ts";
import type { Report } from "../cluster/supervised-process.ts";
import { errorLine } from "../output.ts";
import { addressOf } from "../settings.ts";
import { HELLO_IMAGE, HELLO_PORT } from "./hello-image.ts";

/** What became of the demo. */
export type Hello =
  | { readonly kind: "answers"; readonly url: string }
  | { readonly kind: "failed"; readonly why: string };

const APP = "hello";
const HOST = `${APP}.localhost`;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

interface AppRecord {
  readonly name: string;
  readonly machine_count: number;
}

interface Made {
  readonly id: string;
}

/**
 * Sleeps after a minute in which nobody wants it. Its server lets three connections wait and drops the next ones, whose
 * clients the kernel leaves in the dark for seconds: so the router gives it no more, and holds the others.
 */
const SERVICE = {
  protocol: "tcp",
  internal_port: HELLO_PORT,
  ports: [{ port: 80, handlers: ["http"] }],
  concurrency: { type: "requests", soft_limit: 3, hard_limit: 3 },
  autostop: "stop",
  autostart: true,
  autostop_after: "60s",
};

/**
 * Makes the demo app in a cluster that has no app and never had the demo, and waits until it answers through the router.
 * Undefined where it is not to be made. `busybox`: the program that its image is made from.
 */
export async function makeHello(
  cluster: Cluster,
  layout: Layout,
  busybox: string,
  clock: Clock,
  report: Report,
): Promise<Hello | undefined> {
  if (cluster.hasDemo === true) return undefined;
  try {
    const token = (await readIfThere(layout.tokenFile))?.trim() ?? "";
    const api = new ApiClient(`http://${addressOf(cluster.api)}`, token);
    if (!(await isEmpty(api))) return undefined;
    report(`making the demo app ${APP}`);
    const { reference } = await writeOciLayout(join(layout.demoDir, APP), HELLO_IMAGE, busybox);
    await createHello(api, reference);
    await writeCluster(layout, { ...cluster, hasDemo: true });
    await answers(cluster, clock);
    return { kind: "answers", url: `http://${HOST}:${cluster.http.port}/` };
  } catch (thrown) {
    return { kind: "failed", why: errorLine(thrown) };
  }
}

/** An app without machines is left where this was interrupted. */
async function isEmpty(api: ApiClient): Promise<boolean> {
  const { apps } = await api.get<{ apps: readonly AppRecord[] }>("/v1/apps", "apps");
  return apps.every(({ name, machine_count: machines }) => name === APP && machines === 0);
}

async function createHello(api: ApiClient, image: string): Promise<void> {
  await api
    .create("/v1/apps", "id" as never, { name: APP, org_slug: "personal" })
    .catch((thrown: unknown) => {
      if (!(thrown instanceof RefusedError) || thrown.refusal.code !== "name_taken") throw thrown;
    });
  const config = { image, guest: { memory_mb: 64 }, services: [SERVICE] };
  await api.create<Made>(`/v1/apps/${APP}/machines`, "id", { name: APP, config });
}

/** Nobody tells a client when a request would be answered: it asks again. */
async function answers({ http }: Cluster, clock: Clock): Promise<void> {
  const deadline = new Deadline(clock, PATIENCE_MS);
  for (;;) {
    const status = await statusOf(http.host, http.port);
    if (status === 200) return;
    if (deadline.passed()) {
      throw new Error(
        `it does not answer through the router (${status}): see \`drover status\` and \`drover logs ${APP}\``,
      );
    }
    await clock.sleep(PAUSE_MS);
  }
}

/** Status of a request for the app's page, or what stood in its way. */
function statusOf(host: string, port: number): Promise<number | string> {
  return new Promise((done) => {
    const request = get(
      { host, port, path: "/", headers: { host: `${HOST}:${port}` }, agent: false },
      (answer) => {
        answer.resume();
        done(answer.statusCode ?? 0);
      },
    );
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error("no answer in time")));
    request.once("error", (error) => done(error.message));
  });
}

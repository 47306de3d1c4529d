import { get } from "node:http";
import { join } from "node:path";
import { type Clock, Deadline } from "#kernel";
import { writeOciLayout } from "#small-image";
import type { Cluster } from "../cluster/cluster-file.ts";
import type { Layout } from "../cluster/layout.ts";
import type { Report } from "../cluster/supervised-process.ts";
import { errorLine } from "../output.ts";
import { createHello, HELLO } from "./create-hello.ts";
import { HELLO_IMAGE } from "./hello-image.ts";

/** What became of the demo. */
export type Hello =
  | { readonly kind: "answers"; readonly url: string }
  | { readonly kind: "failed"; readonly why: string };

const HOST = `${HELLO}.localhost`;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

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
  try {
    const image = async () => {
      report(`making the demo app ${HELLO}`);
      return (await writeOciLayout(join(layout.demoDir, HELLO), HELLO_IMAGE, busybox)).reference;
    };
    if (!(await createHello(cluster, layout, cluster.api, image))) return undefined;
    await answers(cluster, clock);
    return { kind: "answers", url: `http://${HOST}:${cluster.http.port}/` };
  } catch (thrown) {
    return { kind: "failed", why: errorLine(thrown) };
  }
}

/** Nobody tells a client when a request would be answered: it asks again. */
async function answers({ http }: Cluster, clock: Clock): Promise<void> {
  const deadline = new Deadline(clock, PATIENCE_MS);
  for (;;) {
    const status = await statusOf(http.host, http.port);
    if (status === 200) return;
    if (deadline.passed()) {
      throw new Error(
        `it does not answer through the router (${status}): see \`drover status\` and \`drover logs ${HELLO}\``,
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

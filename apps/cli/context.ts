import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Ids, SystemClock, SystemIds } from "#kernel";
import { ApiClient, findToken } from "./api-client.ts";
import { clusterSchema } from "./cluster/cluster-file.ts";
import { Layout } from "./cluster/layout.ts";
import type { Programs } from "./cluster/processes.ts";
import { type Output, standardOutput } from "./output.ts";
import { absolute, type CliSettings } from "./settings.ts";

/** Flags that every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly data?: string;
}

/** What commands work with. Made once per process. */
export class CliContext {
  readonly settings: CliSettings;
  readonly clock: Clock = new SystemClock();
  readonly ids: Ids = new SystemIds(this.clock);
  /** The project's own folder. */
  readonly root: string;

  constructor(settings: CliSettings, root: string) {
    this.settings = settings;
    this.root = root;
  }

  output(flags: CommonFlags): Output {
    return standardOutput(flags.json === true);
  }

  /** The data directory: `--data` from where the user stands, else the project's own. */
  layout(flags: CommonFlags): Layout {
    return new Layout(
      flags.data === undefined ? join(this.root, ".drover/data") : absolute(this.settings, flags.data),
    );
  }

  get programs(): Programs {
    return {
      node: process.execPath,
      natsServer: join(this.root, ".drover/tools/bin/nats-server"),
      path: this.settings.path,
      compileCache: join(this.root, ".drover/compile-cache"),
      apps: join(this.root, "dist/apps"),
    };
  }

  /** The API of the cluster that the flags and the environment name. */
  async api(flags: CommonFlags): Promise<ApiClient> {
    const layout = this.layout(flags);
    const token = await findToken(this.settings.token, layout.tokenFile);
    return new ApiClient(this.settings.api ?? (await localApi(layout)), token);
  }
}

const DEFAULT_API = "http://127.0.0.1:4280";

async function localApi(layout: Layout): Promise<string> {
  const text = await readFile(layout.clusterFile, "utf8").catch(() => "{}");
  const cluster = clusterSchema.safeParse(JSON.parse(text));
  return cluster.success ? `http://${cluster.data.api.host}:${cluster.data.api.port}` : DEFAULT_API;
}

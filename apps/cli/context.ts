import { join } from "node:path";
import { type Clock, type Ids, SystemClock, SystemIds } from "#kernel";
import { ApiClient } from "./api-client.ts";
import { canonical } from "./cluster/files.ts";
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
    const named = flags.data === undefined ? join(this.root, ".drover/data") : absolute(flags.data, "--data");
    return new Layout(canonical(named));
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

  /** What the demo app's image is made from. */
  get busybox(): string {
    return join(this.root, ".drover/tools/bin/busybox");
  }

  /** The API of the cluster that the flags and the environment name. */
  async api(flags: CommonFlags): Promise<ApiClient> {
    // Loaded when it is needed: it brings all schemas, and `--help` shall be quick.
    const { findApi } = await import("./find-api.ts");
    const { base, token } = await findApi(this.layout(flags), this.settings);
    return new ApiClient(base, token);
  }
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AskOwner } from "./gap-repair.ts";
import { Projection } from "./projection.ts";
import { SEEN, type Seen, TestHub, type TestLog } from "./test-hub.fixture.ts";

export interface ProjectOptions {
  readonly askOwner?: AskOwner;
  readonly checkpoints?: boolean;
}

/** An owner that cannot be reached. */
export const silent: AskOwner = () => Promise.reject(new Error("nobody answers"));

/** A hub of its own, and projections of it. */
export class ProjectionLab {
  readonly hub: TestHub;
  readonly #directory: string;
  readonly #running: Projection<Seen>[] = [];

  static async open(): Promise<ProjectionLab> {
    return new ProjectionLab(await TestHub.start(), await mkdtemp(join(tmpdir(), "drover-projection-")));
  }

  private constructor(hub: TestHub, directory: string) {
    this.hub = hub;
    this.#directory = directory;
  }

  async close(): Promise<void> {
    for (const projection of this.#running) await projection.stop();
    await this.hub.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async project({ askOwner, checkpoints = false }: ProjectOptions = {}): Promise<Projection<Seen>> {
    const projection = await Projection.start({
      ...{ nc: this.hub.nc, clock: this.hub.clock, fold: SEEN },
      ...(askOwner === undefined ? {} : { askOwner }),
      ...(checkpoints ? { checkpointDirectory: this.#directory } : {}),
    });
    this.#running.push(projection);
    return projection;
  }

  /** Waits until something is so; fails the test when it never is. */
  async eventually(check: () => void | Promise<void>): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await check();
      } catch (error) {
        if (attempt === 200) throw error;
        await this.hub.clock.sleep(50);
      }
    }
  }
}

/** Waits until a projection includes all of a log. */
export function reaches(projection: Projection<Seen>, log: TestLog): Promise<boolean> {
  return projection.waitFor({ [log.logId]: log.lastSequence }, 20_000);
}

import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { type TestCluster, toolPath } from "#testing";
import { type Cluster, readCluster } from "../../apps/cli/cluster/cluster-file.ts";
import { Layout } from "../../apps/cli/cluster/layout.ts";
import { findByArgument, isAlive, type ProcessIdentity } from "../../apps/cli/cluster/process-table.ts";
import { processesOf, type ServiceProcess } from "../../apps/cli/cluster/processes.ts";
import { isReady } from "../../apps/cli/cluster/supervisor.ts";
import { supervisorOf } from "../../apps/cli/cluster/supervisor-lock.ts";

/** The processes of a cluster, found in the kernel's own table: no command of ours is in the way. */
export class ClusterParts {
  readonly layout: Layout;
  readonly cluster: Cluster;
  readonly services: readonly ServiceProcess[];

  static async of({ dataDir }: TestCluster): Promise<ClusterParts> {
    const layout = new Layout(dataDir);
    return new ClusterParts(layout, (await readCluster(layout))!);
  }

  private constructor(layout: Layout, cluster: Cluster) {
    this.layout = layout;
    this.cluster = cluster;
    const programs = {
      node: process.execPath,
      natsServer: toolPath("nats-server"),
      path: process.env.PATH ?? "",
      compileCache: resolve(".drover/compile-cache"),
      apps: resolve("dist/apps"),
    };
    this.services = processesOf(cluster, layout, programs);
  }

  get names(): string[] {
    return this.services.map(({ name }) => name);
  }

  find(name: string): ProcessIdentity | undefined {
    const { flag, settings } = this.services.find((service) => service.name === name)!;
    return findByArgument(flag, settings);
  }

  /** kill -9. False when it does not run at this moment. */
  kill(name: string): boolean {
    const running = this.find(name);
    if (running === undefined) return false;
    process.kill(running.pid, "SIGKILL");
    return true;
  }

  /** Kills the supervisor and waits until it is gone; everything else runs on. */
  async killSupervisor(): Promise<boolean> {
    const supervisor = supervisorOf(this.layout.root);
    if (supervisor === undefined) return false;
    process.kill(supervisor.pid, "SIGKILL");
    while (isAlive(supervisor)) await pause(20);
    return true;
  }

  /** Starts one of them as a supervisor would, and leaves it alone. */
  start(name: string): void {
    const { program, args, env } = this.services.find((service) => service.name === name)!;
    spawn(program, args, { detached: true, stdio: "ignore", env: { ...env } }).unref();
  }

  /** kill -9, then another one in its place; resolves when that is ready. */
  async replace(name: string): Promise<void> {
    const before = this.find(name);
    this.kill(name);
    while (before !== undefined && isAlive(before)) await pause(20);
    this.start(name);
    const service = this.services.find((other) => other.name === name)!;
    while (!(await isReady(service))) await pause(20);
  }

  /** kill -9 of everything but machines, the supervisor first. */
  async killAll(): Promise<void> {
    await this.killSupervisor();
    const running = this.running();
    for (const { pid } of running.values()) process.kill(pid, "SIGKILL");
    while (this.goneSince(running).length < running.size) await pause(20);
  }

  /** Who runs, by name. */
  running(): Map<string, ProcessIdentity> {
    const found = this.names.flatMap((name): [string, ProcessIdentity][] => {
      const identity = this.find(name);
      return identity === undefined ? [] : [[name, identity]];
    });
    return new Map(found);
  }

  /** Names of those that ran then and do not any more. */
  goneSince(before: ReadonlyMap<string, ProcessIdentity>): string[] {
    return [...before].filter(([, identity]) => !isAlive(identity)).map(([name]) => name);
  }

  async allReady(): Promise<void> {
    for (;;) {
      const ready = await Promise.all(this.services.map((service) => isReady(service)));
      if (ready.every(Boolean)) return;
      await pause(50);
    }
  }
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((done) => setTimeout(done, durationMs));
}

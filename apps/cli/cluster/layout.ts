import { join } from "node:path";

/** Where everything of a local cluster stands on disk. All paths are absolute. */
export class Layout {
  readonly root: string;

  /** `root`: the data directory, absolute. */
  constructor(root: string) {
    this.root = root;
  }

  /** What the cluster is: ids, hosts, ports. Written once, and again when a host joins. */
  get clusterFile(): string {
    return join(this.root, "cluster.json");
  }
  /** The local admin token, 0600. */
  get tokenFile(): string {
    return join(this.root, "token");
  }
  get logsDir(): string {
    return join(this.root, "logs");
  }
  logFile(process: string): string {
    return join(this.logsDir, `${process}.log`);
  }
  /** nkey seeds, one file per user, 0600. */
  get secretsDir(): string {
    return join(this.root, "secrets");
  }
  seedFile(user: string): string {
    return join(this.secretsDir, `${user}.seed`);
  }
  get hubDir(): string {
    return join(this.root, "hub");
  }
  get hubConfig(): string {
    return join(this.hubDir, "nats.conf");
  }
  hostDir(hostId: string): string {
    return join(this.root, "hosts", hostId);
  }
  leafDir(hostId: string): string {
    return join(this.hostDir(hostId), "leaf");
  }
  leafConfig(hostId: string): string {
    return join(this.leafDir(hostId), "nats.conf");
  }
  /** States of the whole plane at moments of its history, which the debugger begins with. They can be made again. */
  get timelineDir(): string {
    return join(this.root, "timeline");
  }
  /** Images that `up` makes by itself. */
  get demoDir(): string {
    return join(this.root, "demo");
  }
  /** Settings and data of one service: `api`, `scheduler`, `volumes`, or a router by its id. */
  serviceDir(service: string): string {
    return join(this.root, service);
  }
  serviceConfig(service: string): string {
    return join(this.serviceDir(service), "settings.json");
  }
  agentConfig(hostId: string): string {
    return join(this.hostDir(hostId), "agent.json");
  }
}

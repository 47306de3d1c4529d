import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import type { FaultPoint } from "../fault-point.ts";
import { HostNames } from "../names.ts";
import { purgeHost } from "../purge.ts";
import { BridgeNetwork } from "./bridge-network.ts";
import { machineNetworkContract } from "./machine-network.contract.ts";
import type { NetworkSpec } from "./machine-network.ts";

/** Of this process alone: others may run the same tests at the same time. */
const SUBNET = `10.${64 + (process.pid % 32)}`;
const PORT = 20_000 + (process.pid % 800) * 10;
let hosts = 0;

function freshNames(): HostNames {
  hosts += 1;
  return new HostNames(`network-spec-${process.pid}`, `host-${hosts}`);
}

machineNetworkContract("BridgeNetwork", async () => {
  const names = freshNames();
  return {
    network: await BridgeNetwork.open(names, SUBNET),
    reopen: () => BridgeNetwork.open(names, SUBNET),
    subnet: SUBNET,
    firstPort: PORT,
    takePort: async (port) => {
      const server = createServer().listen(port, "127.0.0.1");
      await once(server, "listening");
      return async () => {
        server.close();
        await once(server, "close");
      };
    },
    destinationOf: (port, protocol) => destinationOf(names, port, protocol),
    close: async () => {
      expect(await purgeHost(names, "/nonexistent/data", () => {})).toEqual([]);
    },
  };
});

async function destinationOf(
  names: HostNames,
  port: number,
  protocol: "tcp" | "udp",
): Promise<string | undefined> {
  const { stdout } = await runCommand(["nft", "list", "map", "inet", names.nftTable, `${protocol}_ports`]);
  const match = new RegExp(`\\b${port} : ([0-9.]+) \\. (\\d+)`).exec(stdout);
  return match === null ? undefined : `${match[1]}:${match[2]}`;
}

/** Stops the adapter at the n-th point between two effects; with n out of reach, counts them. */
function crashAt(n: number): { faultPoint: FaultPoint; passed: () => string[] } {
  const passed: string[] = [];
  const faultPoint = (done: string) => {
    passed.push(done);
    if (passed.length >= n) throw new Error(`crash after: ${done}`);
  };
  return { faultPoint, passed: () => passed };
}

describe("F22: the agent is killed between any two effects on a network", () => {
  const { signal } = new AbortController();
  const spec: NetworkSpec = {
    machineId: "d0000000000001",
    ipv4: `${SUBNET}.1.1`,
    privateIp: "fd00:1:2:3::1",
    ports: [{ host_port: PORT, machine_port: 80, protocol: "tcp" }],
  };
  const moved: NetworkSpec = {
    ...spec,
    ports: [{ host_port: PORT + 1, machine_port: 81, protocol: "tcp" }],
  };

  /** Everything of the host that the kernel shows. */
  async function kernelOf(names: HostNames): Promise<string> {
    const shown = await Promise.all([
      runCommand(["nft", "-s", "list", "table", "inet", names.nftTable]),
      runCommand(["nft", "-s", "list", "table", "bridge", names.nftTable]),
      runCommand([
        "sh",
        "-c",
        `ip -o link show master ${names.bridge} | grep -o "d[^@ ]*@.* state [A-Z]*" || true`,
      ]),
      runCommand(["ip", "-6", "route", "show", "dev", names.bridge]),
      runCommand(["sh", "-c", `ip netns list | grep '^${names.bridge}-' | sort || true`]),
      runCommand([
        "sh",
        "-c",
        `cd /run/drover/ports && ls -l | grep -o '[a-z]*-[0-9]* -> ${names.tag}.*' || true`,
      ]),
    ]);
    return shown.map((output) => output.stdout.replaceAll(/@if\d+| \(id: \d+\)/g, "")).join("");
  }

  async function inside(names: HostNames): Promise<string> {
    const netns = names.netnsOf(spec.machineId);
    const { stdout } = await runCommand(["sh", "-c", `ip -n ${netns} -br addr; ip -n ${netns} route`]);
    return stdout.replaceAll(/@if\d+ */g, " ");
  }

  /** Runs `work` over and over, crashing one point later each time, until it gets through; `check` after each repair. */
  async function atEachPoint(
    prepared: NetworkSpec | undefined,
    work: (network: BridgeNetwork) => Promise<unknown>,
    check: (names: HostNames, afterCrash: string | undefined) => Promise<void>,
  ): Promise<void> {
    for (let n = 1; ; n += 1) {
      const names = freshNames();
      try {
        if (prepared !== undefined) await (await BridgeNetwork.open(names, SUBNET)).prepare(prepared, signal);
        const crash = crashAt(n);
        const crashed = await work(
          await BridgeNetwork.open(names, SUBNET, { faultPoint: crash.faultPoint }),
        ).then(
          () => false,
          () => true,
        );
        await work(await BridgeNetwork.open(names, SUBNET));
        await check(names, crashed ? crash.passed().at(-1) : undefined);
        if (!crashed) return;
      } finally {
        await purgeHost(names, "/nonexistent/data", () => {});
      }
    }
  }

  /** The state that no crash led to: the last that `check` sees is the one to compare with. */
  async function sameEndState(
    prepared: NetworkSpec | undefined,
    work: (network: BridgeNetwork) => Promise<unknown>,
    hasInside: boolean,
  ): Promise<void> {
    const seen: { after: string | undefined; state: string }[] = [];
    await atEachPoint(prepared, work, async (names, after) => {
      const state = (await kernelOf(names)) + (hasInside ? await inside(names) : "");
      const nameless = state.replaceAll(names.tag, "TAG").replaceAll(names.vethPrefix, "VETH-");
      seen.push({ after, state: nameless });
    });
    expect(seen.length).toBeGreaterThan(2);
    for (const { after, state } of seen)
      expect({ after, state }).toEqual({ after, state: seen.at(-1)!.state });
  }

  it("F22: prepare ends in the same network", () =>
    sameEndState(undefined, (network) => network.prepare(spec, signal), true));

  it("F22: prepare with other ports ends in the same network", () =>
    sameEndState(spec, (network) => network.prepare(moved, signal), true));

  it("F22: remove leaves nothing", () =>
    sameEndState(spec, (network) => network.remove(spec.machineId), false));
});

import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { runCommand } from "../command.ts";
import { HostNames } from "../names.ts";
import { purgeHost } from "../purge.ts";
import { macOf } from "./addresses.ts";
import { BridgeNetwork } from "./bridge-network.ts";
import type { NetworkSpec } from "./machine-network.ts";

/** Of this process alone: others may run the same tests at the same time. */
const MINE = process.pid % 32;
const SUBNET = `10.${96 + MINE}`;
const METADATA = `169.254.77.${MINE + 1}`;
const PORT = 28_000 + MINE * 10;
const names = new HostNames(`guests-spec-${process.pid}`, "host");
const { signal } = new AbortController();

const web: NetworkSpec = {
  machineId: "d0000000000001",
  ipv4: `${SUBNET}.1.1`,
  privateIp: "fd00:aa:bb:cc::1",
  ports: [
    { host_port: PORT, machine_port: 80, protocol: "tcp" },
    { host_port: PORT + 1, machine_port: 53, protocol: "udp" },
  ],
};
const other: NetworkSpec = {
  machineId: "d0000000000002",
  ipv4: `${SUBNET}.1.2`,
  privateIp: "fd00:aa:bb:cc::2",
  ports: [],
};

/** A network beyond the host, with a namespace of its own: "the internet". */
const outside = {
  netns: `out-${names.tag}`,
  link: `out${names.tag}`,
  host: `198.18.${MINE}.1`,
  address: `198.18.${MINE}.2`,
};

async function inNetns(netns: string, command: string): Promise<string> {
  return (await runCommand(["ip", "netns", "exec", netns, "bash", "-c", command])).stdout;
}

/** Runs a shell command as a guest with all privileges over its own network would. */
async function asGuest(machine: NetworkSpec, command: string): Promise<string> {
  return inNetns(names.netnsOf(machine.machineId), command);
}

async function succeeds(run: Promise<unknown>): Promise<boolean> {
  return run.then(
    () => true,
    () => false,
  );
}

const connect = (address: string, port: number) => `timeout 1 bash -c '</dev/tcp/${address}/${port}'`;
const get = (address: string) =>
  `timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3'`;
const reaches = (machine: NetworkSpec, address: string, port: number) =>
  succeeds(asGuest(machine, connect(address, port)));
const pings = (machine: NetworkSpec, address: string, options = "") =>
  succeeds(asGuest(machine, `busybox ping -c 1 -W 1 ${options} ${address}`));
const fetchText = async (url: string) => (await fetch(url, { signal: AbortSignal.timeout(3000) })).text();

describe("guests on a BridgeNetwork", () => {
  const servers: ChildProcess[] = [];
  let network: BridgeNetwork;
  let folder: string;
  let nats: Server;

  /** Serves the folder's index.html over HTTP inside a namespace. */
  function serve(netns: string, port: number): void {
    const command = ["netns", "exec", netns, "busybox", "httpd", "-f", "-p", `${port}`, "-h", folder];
    servers.push(spawn("setpriv", ["--pdeathsig", "KILL", "ip", ...command], { stdio: "ignore" }));
  }

  function echoUdp(netns: string, port: number): void {
    const program = `const s = require("node:dgram").createSocket("udp4").bind(${port});
      s.on("message", (text, from) => s.send(text, from.port, from.address));`;
    const command = ["netns", "exec", netns, process.execPath, "-e", program];
    servers.push(spawn("setpriv", ["--pdeathsig", "KILL", "ip", ...command], { stdio: "ignore", env: {} }));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "drover-guests-"));
    await writeFile(join(folder, "index.html"), "hello");
    network = await BridgeNetwork.open(names, SUBNET);
    await Promise.all([network.prepare(web, signal), network.prepare(other, signal)]);
    const { netns, link, host, address } = outside;
    await runCommand(["ip", "-batch", "-"], {
      input: `netns add ${netns}
link add ${link} type veth peer name eth0 netns ${netns}
address add ${host}/24 dev ${link}
link set ${link} up
route add ${METADATA} via ${address}
`,
    });
    await runCommand(["ip", "-n", netns, "-batch", "-"], {
      input: `address add ${address}/24 dev eth0
address add ${METADATA}/32 dev lo
link set lo up
link set eth0 up
route add ${SUBNET}.0.0/16 via ${host}
`,
    });
    serve(names.netnsOf(web.machineId), 80);
    serve(names.netnsOf(other.machineId), 80);
    serve(netns, 80);
    echoUdp(names.netnsOf(web.machineId), 53);
    // Whoever only wanted to know whether it listens hangs up without a look at what it says.
    nats = createServer((socket) => socket.on("error", () => {}).end("INFO")).listen(0, "0.0.0.0");
    await once(nats, "listening");
    while (!(await succeeds(fetchText(`http://${web.ipv4}/`)))) await sleep(50);
  });

  afterAll(async () => {
    for (const server of servers) server.kill("SIGKILL");
    nats?.close();
    await runCommand(["ip", "-force", "-batch", "-"], {
      input: `link delete ${outside.link}\nnetns delete ${outside.netns}\n`,
    });
    const left = await purgeHost(names, "/nonexistent/data", () => {});
    await rm(folder, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  const natsPort = () => (nats.address() as { port: number }).port;

  it("answer the host at both of their addresses", async () => {
    expect(await fetchText(`http://${web.ipv4}/`)).toBe("hello");
    expect(await fetchText(`http://[${web.privateIp}]/`)).toBe("hello");
  });

  it("answer at their published ports on the host's loopback, TCP and UDP", async () => {
    expect(await fetchText(`http://127.0.0.1:${PORT}/`)).toBe("hello");
    const socket = createSocket("udp4");
    const asking = setInterval(() => socket.send("ping", PORT + 1, "127.0.0.1"), 100);
    const [message] = (await once(socket, "message")) as [Buffer];
    clearInterval(asking);
    socket.close();
    expect(message.toString()).toBe("ping");
  });

  it("reach nothing that listens on the host, at any of its addresses", async () => {
    const { stdout } = await runCommand(["ip", "-4", "-o", "addr", "show", "scope", "global"]);
    const addresses = [...stdout.matchAll(/inet ([0-9.]+)/g)].map((match) => match[1]!);
    expect(addresses).toContain(`${SUBNET}.0.1`);
    for (const address of addresses) expect(await reaches(web, address, natsPort())).toBe(false);
  });

  it("reach nothing on the host's loopback, though published ports cross it", async () => {
    const mac = (await runCommand(["cat", `/sys/class/net/${names.bridge}/address`])).stdout.trim();
    await asGuest(
      web,
      `ip addr del 127.0.0.1/8 dev lo; echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet
       ip route add 127.0.0.9 dev eth0 src ${web.ipv4}; ip neigh replace 127.0.0.9 lladdr ${mac} dev eth0`,
    );
    expect(await reaches(web, "127.0.0.9", natsPort())).toBe(false);
    await asGuest(web, "ip route del 127.0.0.9 dev eth0; ip addr add 127.0.0.1/8 dev lo");
  });

  it("do not reach each other, at any address", async () => {
    expect(await reaches(web, other.ipv4, 80)).toBe(false);
    expect(await reaches(web, `${other.privateIp}`, 80)).toBe(false);
    const viaGateway = `ip route add ${other.ipv4}/32 via ${SUBNET}.0.1`;
    await asGuest(web, viaGateway);
    expect(await reaches(web, other.ipv4, 80)).toBe(false);
    await asGuest(web, viaGateway.replace("add", "del"));
    expect(await fetchText(`http://${other.ipv4}/`)).toBe("hello");
  });

  it("reach the outside under the host's address, and nobody out there reaches them", async () => {
    expect(await asGuest(web, get(outside.address))).toContain("hello");
    expect(await succeeds(inNetns(outside.netns, connect(outside.host, natsPort())))).toBe(true);
    expect(await succeeds(inNetns(outside.netns, connect(web.ipv4, 80)))).toBe(false);
  });

  it("let in a router that is elsewhere, and nobody beside it", async () => {
    const fromOutside = (source: string) => {
      const route = `ip route replace ${web.ipv4}/32 via ${outside.host} src ${source}`;
      return succeeds(inNetns(outside.netns, `${route}; ${connect(web.ipv4, 80)}`));
    };
    network = await BridgeNetwork.open(names, SUBNET, { routers: [outside.address] });
    expect(await fromOutside(outside.address)).toBe(true);
    expect(await fromOutside(METADATA)).toBe(false);
    network = await BridgeNetwork.open(names, SUBNET);
    expect(await fromOutside(outside.address)).toBe(false);
  });

  it("do not reach link-local metadata services", async () => {
    expect(await fetchText(`http://${METADATA}/`)).toBe("hello");
    expect(await reaches(web, METADATA, 80)).toBe(false);
  });

  it("ping their gateway under their own address, and are not heard under any other", async () => {
    const gateway = `${SUBNET}.0.1`;
    expect(await pings(web, gateway)).toBe(true);
    for (const stolen of [`${SUBNET}.1.9`, other.ipv4]) {
      await asGuest(web, `ip addr add ${stolen}/32 dev eth0`);
      expect(await pings(web, gateway, `-I ${stolen}`)).toBe(false);
      await asGuest(web, `ip addr del ${stolen}/32 dev eth0`);
    }
    expect(await pings(other, gateway)).toBe(true);
  });

  it("are not heard under another hardware address", async () => {
    const mac = (await asGuest(web, "cat /sys/class/net/eth0/address")).trim();
    const route = `ip route replace default via ${SUBNET}.0.1`;
    await asGuest(
      web,
      `ip link set eth0 down; ip link set eth0 address ${macOf(other.ipv4)}; ip link set eth0 up; ${route}`,
    );
    expect(await pings(web, `${SUBNET}.0.1`)).toBe(false);
    await asGuest(
      web,
      `ip link set eth0 down; ip link set eth0 address ${mac}; ip link set eth0 up; ${route}`,
    );
    expect(await pings(web, `${SUBNET}.0.1`)).toBe(true);
  });

  it("are back after somebody deleted part of their network", async () => {
    const losses = [
      ["ip", "link", "delete", names.vethOf(web.machineId)],
      ["ip", "link", "delete", names.bridge],
      ["nft", "delete", "table", "inet", names.nftTable],
      ["nft", "delete", "table", "bridge", names.nftTable],
    ];
    for (const loss of losses) {
      await runCommand(loss);
      network = await BridgeNetwork.open(names, SUBNET);
      await Promise.all([network.prepare(web, signal), network.prepare(other, signal)]);
      expect(await fetchText(`http://127.0.0.1:${PORT}/`)).toBe("hello");
      expect(await reaches(web, `${SUBNET}.0.1`, natsPort())).toBe(false);
      expect(await reaches(web, other.ipv4, 80)).toBe(false);
    }
  });

  it("have a namespace again when it was deleted", async () => {
    await runCommand(["ip", "netns", "delete", names.netnsOf(other.machineId)]);
    await network.prepare(other, signal);
    expect(await pings(other, `${SUBNET}.0.1`)).toBe(true);
  });
});

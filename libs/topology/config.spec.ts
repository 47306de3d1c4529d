import { describe, expect, it } from "@jest/globals";
import {
  type Credential,
  credentialFromSeed,
  HUB_SERVICES,
  type HubService,
  mintCredential,
} from "./credentials.ts";
import { type HubSettings, hubConfig } from "./hub-config.ts";
import { type LeafSettings, leafConfig, linkSeedText } from "./leaf-config.ts";

const link = mintCredential("leaf-h1");
const services = HUB_SERVICES.map(mintCredential);

const hubSettings: HubSettings = {
  serverName: "hub-1",
  listen: { host: "127.0.0.1", port: 4222 },
  leafListen: { host: "10.0.0.1", port: 7422 },
  monitorPort: 8222,
  storeDir: "/data/hub",
  services: Object.fromEntries(services.map(({ user, publicKey }) => [user, publicKey])) as Record<
    HubService,
    string
  >,
  hosts: [{ hostId: "h1", region: "local", publicKey: link.publicKey }],
};
const leafSettings: LeafSettings = {
  hostId: "h1",
  region: "local",
  listen: { host: "127.0.0.1", port: 4223 },
  monitorPort: 8223,
  storeDir: "/data/h1",
  agentPublicKey: mintCredential("agent-h1").publicKey,
  hubUrls: ["nats-leaf://10.0.0.1:7422"],
  linkSeedFile: "link.conf",
};

describe("the configurations", () => {
  const texts = [hubConfig(hubSettings), leafConfig(leafSettings)];

  it("are the same for the same settings", () => {
    expect([hubConfig(hubSettings), leafConfig(leafSettings)]).toEqual(texts);
  });

  it("hold no seed; only the file that the leaf includes does", () => {
    for (const { seed } of [link, ...services]) expect(texts.join()).not.toContain(seed);
    expect(linkSeedText(link.seed)).toContain(link.seed);
  });

  it("sync every write, monitor on loopback only, advertise nothing", () => {
    for (const text of texts) {
      expect(text).toContain("sync_interval: always");
      expect(text).toMatch(/^http: "127\.0\.0\.1:\d+"$/m);
    }
    expect(texts[0]).toContain("no_advertise: true");
    expect(texts[1]).toContain("ignore_discovered_servers: true");
  });

  it.each(["hub", "a.b", "a b", "*", ">", "", "a\nb", 'a"b', "x".repeat(129)])(
    "refuse the host id %j",
    (hostId) => {
      expect(() => leafConfig({ ...leafSettings, hostId })).toThrow();
      expect(() => hubConfig({ ...hubSettings, hosts: [{ ...hubSettings.hosts[0]!, hostId }] })).toThrow();
    },
  );
});

describe("a credential", () => {
  it("comes back from its seed", () => {
    const minted: Credential = mintCredential("api");
    expect(credentialFromSeed("api", `${minted.seed}\n`)).toEqual(minted);
    expect(() => credentialFromSeed("api", "nonsense")).toThrow();
  });
});

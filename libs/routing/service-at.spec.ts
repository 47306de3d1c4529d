import { describe, expect, it } from "@jest/globals";
import { servicesOf } from "#contracts";
import { serviceAt } from "./service-at.ts";

const at = (services: object[], edgePort: number) =>
  serviceAt(servicesOf({ services: services as Record<string, unknown>[] }), edgePort)?.internalPort;

describe("serviceAt", () => {
  const web = { internal_port: 8080, ports: [{ port: 80, handlers: ["http"] }] };
  const secure = { internal_port: 8443, ports: [{ port: 443, handlers: ["tls", "http"] }] };

  it("is the one that names the port", () => {
    expect([at([secure, web], 80), at([web, secure], 443)]).toEqual([8080, 8443]);
    expect(at([{ internal_port: 1, ports: [{ start_port: 70, end_port: 90 }] }, secure], 80)).toBe(1);
  });

  it("is one that speaks HTTP elsewhere, or that names no ports", () => {
    expect(at([secure], 80)).toBe(8443);
    expect(at([{ internal_port: 3000 }, secure], 80)).toBe(8443);
    expect(at([{ internal_port: 3000 }], 80)).toBe(3000);
  });

  it("is none that speaks something else", () => {
    expect(at([], 80)).toBeUndefined();
    expect(at([{ internal_port: 5432, ports: [{ port: 5432, handlers: ["pg_tls"] }] }], 80)).toBeUndefined();
    expect(at([{ internal_port: 22, ports: [{ port: 2222 }] }], 80)).toBeUndefined();
    expect(at([{ ...web, protocol: "udp" }], 80)).toBeUndefined();
    expect(at([{ internal_port: 1, ports: [{ port: 80, handlers: ["tls"] }] }], 80)).toBeUndefined();
  });
});

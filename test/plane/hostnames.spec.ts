import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Plane } from "./plane.ts";

const NAME = "www.example.com";
const of = (app: string, more = "") => `/v1/apps/${app}/certificates${more}`;
const refused = (status: number, code: string) => ({ status, body: { status: code } });

let plane: Plane;
beforeAll(async () => {
  plane = await Plane.start([]);
  for (const name of ["shop", "blog"]) await plane.ask("POST", "/v1/apps", { name });
}, 60_000);
afterAll(() => plane.stop());

describe("hostnames", () => {
  it("are claimed for an app, listed, shown and removed, and say that they have no certificate", async () => {
    const bare = { hostname: NAME, status: "no_certificate", configured: false, acme_requested: false };
    expect(await plane.ask("POST", of("shop"), { hostname: "WWW.Example.com." })).toMatchObject({
      status: 201,
      body: { ...bare, certificates: [], validation_errors: [{ code: "no_certificate" }] },
    });
    expect(await plane.ask("POST", of("shop", "/acme"), { hostname: NAME })).toMatchObject({
      status: 201,
      body: bare,
    });
    await plane.ask("POST", of("shop"), { hostname: "api.example.com" });
    expect(await plane.ask("GET", of("shop"))).toMatchObject({
      status: 200,
      body: {
        total_count: 2,
        certificates: [{ hostname: "api.example.com" }, { ...bare, created_at: expect.any(String) }],
      },
    });
    const first = await plane.ask<{ next_cursor: string }>("GET", of("shop", "?limit=1"));
    expect(first.body).toMatchObject({
      certificates: [{ hostname: "api.example.com" }],
      next_cursor: "api.example.com",
    });
    const second = await plane.ask("GET", of("shop", `?limit=1&cursor=${first.body.next_cursor}`));
    expect(second.body).toEqual(expect.not.objectContaining({ next_cursor: expect.anything() }));
    expect(second.body).toMatchObject({ certificates: [{ hostname: NAME }] });
    expect(await plane.ask("GET", of("shop", `/${NAME}`))).toMatchObject({ status: 200, body: bare });
    expect(await plane.ask("POST", of("shop", `/${NAME}/check`))).toMatchObject({ status: 200, body: bare });
    expect(await plane.ask("DELETE", of("shop", "/api.example.com"))).toMatchObject({ status: 204 });
    expect(await plane.ask("GET", of("shop", "/api.example.com"))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("DELETE", of("shop", "/api.example.com"))).toMatchObject(
      refused(404, "not_found"),
    );
  });

  it("belong to one app at a time", async () => {
    const answer = await plane.ask("POST", of("blog"), { hostname: NAME });
    expect(answer).toMatchObject({
      ...refused(409, "name_taken"),
      body: { error: expect.stringContaining("app shop") },
    });
    expect(await plane.ask("GET", of("blog", `/${NAME}`))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("DELETE", of("blog", `/${NAME}`))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("GET", of("blog"))).toMatchObject({ body: { total_count: 0 } });
  });

  it("fall free with their app", async () => {
    await plane.ask("DELETE", "/v1/apps/shop");
    await plane.ask("POST", "/v1/apps", { name: "shop" });
    expect(await plane.ask("GET", of("shop", `/${NAME}`))).toMatchObject(refused(404, "not_found"));
    expect(await plane.ask("POST", of("blog"), { hostname: NAME })).toMatchObject({ status: 201 });
  });

  it.each(["localhost", "10.0.0.1", "a b.example", "*.example.com", 7, undefined])(
    "are names of hosts: %p is none",
    async (hostname) => {
      expect(await plane.ask("POST", of("blog"), { hostname })).toMatchObject(refused(400, "invalid"));
    },
  );

  it("are for apps that exist", async () => {
    expect(await plane.ask("POST", of("nobody"), { hostname: NAME })).toMatchObject(
      refused(404, "not_found"),
    );
    expect(await plane.ask("GET", of("nobody"))).toMatchObject(refused(404, "not_found"));
  });
});

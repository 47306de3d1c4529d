import { afterEach, describe, expect, it } from "@jest/globals";
import { ApiClient } from "./api-client.ts";
import { findMachine } from "./machine-record.ts";
import { answering, serveWeb, type WebServer } from "./web-server.fixture.ts";

let server: WebServer | undefined;
afterEach(async () => server?.close());

const machine = (app: string, name: string) => ({ id: `id-${app}`, name, drover: { app } });

describe("the machine that a user means", () => {
  it("is the one of that id or name, or of that name in an app", async () => {
    server = await serveWeb(
      answering({
        "/drover/v1/machines?key=web": [machine("a", "web")],
        "/drover/v1/machines?app=b%20c&key=web": [machine("b", "web")],
      }),
    );
    const api = new ApiClient(server.base, "t");
    expect((await findMachine(api, "web")).id).toBe("id-a");
    expect((await findMachine(api, "b c/web")).id).toBe("id-b");
  });

  it("is none when there is none of that name, and must be said when there are several", async () => {
    const both = [machine("a", "web"), machine("b", "web")];
    server = await serveWeb(
      answering({ "/drover/v1/machines?key=we": [], "/drover/v1/machines?key=web": both }),
    );
    const api = new ApiClient(server.base, "t");
    await expect(findMachine(api, "we")).rejects.toThrow(/names are not completed/);
    await expect(findMachine(api, "web")).rejects.toThrow(/say which \(a\/web, b\/web\)/);
  });

  it.each(["", "/", "a/", "/web", "a/web/extra", "//"])(
    "F48: is none for %p, and nobody is asked",
    async (key) => {
      server = await serveWeb(answering({}));
      await expect(findMachine(new ApiClient(server.base, "t"), key)).rejects.toThrow(/names no machine/);
      expect(server.requests).toEqual([]);
    },
  );
});

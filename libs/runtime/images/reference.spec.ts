import { describe, expect, it } from "@jest/globals";
import { parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

describe("image references", () => {
  it.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["nginx:1.27", "docker.io/library/nginx:1.27"],
    ["me/app", "docker.io/me/app:latest"],
    ["docker.io/nginx:1", "docker.io/library/nginx:1"],
    ["index.docker.io/library/nginx:1", "docker.io/library/nginx:1"],
    ["ghcr.io/a/b/c:v1.2-x_y", "ghcr.io/a/b/c:v1.2-x_y"],
    ["localhost/app", "localhost/app:latest"],
    ["registry:5000/app:1", "registry:5000/app:1"],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`ghcr.io/a/b:v1@${digest}`, `ghcr.io/a/b@${digest}`],
    ["oci:/srv/layout", "oci:/srv/layout"],
    ["oci:/srv/layout:v1", "oci:/srv/layout:v1"],
  ])("%s is %s", (given, text) => {
    expect(parseReference(given).text).toBe(text);
  });

  it.each([
    "",
    "Nginx",
    "-nginx",
    "nginx:",
    "nginx:a b",
    "nginx@sha256:short",
    "http://nginx",
    "ngi\nnx",
    "a//b",
    "../etc",
    "oci:layout",
    "oci:",
    "oci:/a:b:c",
    `a/${"b".repeat(2000)}`,
  ])("%j is none", (given) => {
    expect(() => parseReference(given)).toThrow(expect.objectContaining({ code: "image_invalid" }));
  });

  it("allows plain HTTP on loopback only", () => {
    const plain = (text: string) => {
      const reference = parseReference(text);
      return reference.kind === "registry" && reference.plainHttp;
    };
    expect(["localhost:5000/a", "127.0.0.1:5000/a", "127.1.2.3/a"].map(plain)).toEqual([true, true, true]);
    expect(["10.0.0.1:5000/a", "localhost.evil.com/a", "127.0.0.1.evil.com/a", "nginx"].map(plain)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});

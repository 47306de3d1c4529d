import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CraftedImage } from "./crafted-image.ts";

/** What a registry does instead of answering as it should. */
export type Misbehaviour = (
  request: { kind: "manifest" | "blob"; name: string },
  response: ServerResponse,
  honest: Buffer,
) => boolean;

/** A registry on loopback that serves crafted images, and lies when told to. For tests. */
export class CraftedRegistry {
  readonly #server: Server;
  readonly #images = new Map<string, CraftedImage>();
  readonly requests: string[] = [];
  /** Answers a request itself by returning true. */
  misbehave: Misbehaviour = () => false;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(port = 0): Promise<CraftedRegistry> {
    const registry = new CraftedRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(port, "127.0.0.1", resolve));
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Serves an image as `repository:tag`, and returns the reference. */
  publish(repository: string, tag: string, image: CraftedImage): string {
    this.#images.set(`${repository}:${tag}`, image);
    return `127.0.0.1:${this.port}/${repository}:${tag}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "";
    this.requests.push(`${request.method} ${url}`);
    if (url === "/v2/") return void response.end("{}");
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifest|blob)s\/(.+)$/.exec(url) ?? [];
    const found = this.#find(repository ?? "", kind ?? "", name ?? "");
    if (found === undefined) {
      response.statusCode = 404;
      return void response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
    }
    response.setHeader("content-type", found.mediaType);
    const asked = { kind: kind as "manifest" | "blob", name: name ?? "" };
    if (!this.misbehave(asked, response, found.bytes)) response.end(found.bytes);
  }

  #find(repository: string, kind: string, name: string): { bytes: Buffer; mediaType: string } | undefined {
    const tagged = this.#images.get(`${repository}:${name}`);
    if (kind === "manifest" && tagged !== undefined)
      return { bytes: tagged.manifest, mediaType: tagged.mediaType };
    for (const [place, image] of this.#images) {
      const bytes = place.startsWith(`${repository}:`) ? image.blobs.get(name) : undefined;
      if (bytes === undefined) continue;
      return { bytes, mediaType: kind === "blob" ? "application/octet-stream" : mediaTypeOf(bytes) };
    }
    return undefined;
  }
}

function mediaTypeOf(manifest: Buffer): string {
  return (JSON.parse(manifest.toString()) as { mediaType: string }).mediaType;
}

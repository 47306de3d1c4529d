import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CraftedImage } from "./crafted-image.fixture.ts";

interface Asked {
  readonly kind: string;
  /** Tag or digest. */
  readonly name: string;
}

/** A registry on loopback that serves crafted images, and lies when told to. */
export class CraftedRegistry {
  readonly #server: Server;
  readonly #images = new Map<string, CraftedImage>();
  readonly requests: string[] = [];
  /** Answers a request itself by returning true. */
  misbehave: (asked: Asked, response: ServerResponse, honest: Buffer) => boolean = () => false;
  /** `user:password` that every request must carry. */
  credentials: string | undefined;

  private constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(): Promise<CraftedRegistry> {
    const registry = new CraftedRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Serves an image as `repository:tag`, and returns the reference. */
  publish(repository: string, tag: string, image: CraftedImage): string {
    this.#images.set(`${repository}:${tag}`, image);
    return `${this.address}/${repository}:${tag}`;
  }

  fetchedBlobs(): string[] {
    return this.requests.filter((request) => request.includes("/blobs/"));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer({ url = "", method, headers }: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${method} ${url}`);
    const [, repository = "", kind = "", name = ""] = /^\/v2\/(.+)\/(manifest|blob)s\/(.+)$/.exec(url) ?? [];
    const found = this.#find(repository, kind, name);
    if (this.credentials !== undefined && headers.authorization !== basic(this.credentials)) {
      response.setHeader("www-authenticate", "Basic realm=test");
      refuse(response, 401, "UNAUTHORIZED");
    } else if (url === "/v2/") {
      response.end("{}");
    } else if (found === undefined) {
      refuse(response, 404, "MANIFEST_UNKNOWN");
    } else {
      response.setHeader("content-type", found.mediaType);
      if (!this.misbehave({ kind, name }, response, found.bytes)) response.end(found.bytes);
    }
  }

  #find(repository: string, kind: string, name: string): { bytes: Buffer; mediaType: string } | undefined {
    const tagged = this.#images.get(`${repository}:${name}`);
    if (tagged !== undefined) return { bytes: tagged.manifest, mediaType: tagged.mediaType };
    for (const [place, image] of this.#images) {
      const bytes = place.startsWith(`${repository}:`) ? image.blobs.get(name) : undefined;
      if (bytes === undefined) continue;
      return { bytes, mediaType: kind === "blob" ? "application/octet-stream" : mediaTypeOf(bytes) };
    }
    return undefined;
  }
}

/** Answers as the registry API has its errors. */
export function refuse(response: ServerResponse, status: number, code: string): void {
  response.statusCode = status;
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] }));
}

function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString("base64")}`;
}

function mediaTypeOf(manifest: Buffer): string {
  return (JSON.parse(manifest.toString()) as { mediaType: string }).mediaType;
}

import { isHostname } from "#contracts";

const PORT = /:\d{1,5}$/;

/**
 * The name in a `Host` header: lower case, without port and trailing dot. Undefined for what is none (an address, a
 * list, anything that does not belong into a name).
 */
export function hostNameOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > 260) return undefined;
  const name = header.replace(PORT, "").replace(/\.$/, "").toLowerCase();
  return isHostname(name) ? name : undefined;
}

/** The label before one of the router's domains: `hello` for `hello.localhost`. */
export function labelBefore(name: string, domains: readonly string[]): string | undefined {
  for (const domain of domains) {
    if (!name.endsWith(`.${domain}`)) continue;
    const label = name.slice(0, -domain.length - 1);
    if (!label.includes(".")) return label;
  }
  return undefined;
}

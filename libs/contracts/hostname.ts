import { z } from "zod";

/** RFC 1123: labels of letters, digits and inner dashes, at most 63 characters each and 253 in all; lower case. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** A last label of digits makes an IPv4 address, in whatever notation. */
const NUMERIC_END = /(^|\.)(\d+|0x[0-9a-f]*)$/;

/** Whether a text is a host name in its canonical form: lower case, without port and trailing dot, no address. */
export function isHostname(text: string): boolean {
  return NAME.test(text) && !NUMERIC_END.test(text);
}

/** A hostname that an app may own, as people write it; parsed to its canonical form. */
export const hostnameSchema = z
  .string()
  .max(254)
  .transform((given) => given.toLowerCase().replace(/\.$/, ""))
  .refine(
    isHostname,
    "not a host name: letters, digits and dashes between dots (RFC 1123; punycode for others)",
  )
  .refine((name) => name.includes("."), "a name of one label belongs to no app: write it in full");

/** A hostname as one token of a subject. Reversible: no hostname holds an underscore. */
export function hostnameToken(hostname: string): string {
  return hostname.replaceAll(".", "_");
}

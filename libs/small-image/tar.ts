/** An entry of a tar archive. Modes default to 0644 for files, 0755 for folders; owners to root. */
export type TarEntry = Readonly<
  { path: string; mode?: number; owner?: number } & (
    | { kind: "file"; content: string | Uint8Array }
    | { kind: "folder" }
    | { kind: "symlink"; target: string }
    | { kind: "hardlink"; target: string }
  )
>;

const BLOCK = 512;

/** A ustar archive of the entries, in their order and with their paths as they are: also "../x". Always the same bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = entry.kind === "file" ? Buffer.from(entry.content) : Buffer.alloc(0);
    return [tarHeader(entry, content.length), content, padding(content.length)];
  });
  return Buffer.concat([...blocks, END]);
}

/** What an archive ends with. */
export const END = Buffer.alloc(2 * BLOCK);

/** The header of an entry whose content, `size` bytes padded to whole blocks, follows. */
export function tarHeader(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const { typeFlag, mode } = KINDS[entry.kind];
  const target = "target" in entry ? entry.target : "";
  for (const text of [entry.path, target]) {
    if (Buffer.byteLength(text) > 100) throw new Error(`too long for a test image: ${text}`);
  }
  header.write(entry.path, 0);
  header.write(octal(entry.mode ?? mode, 8), 100);
  header.write(octal(entry.owner ?? 0, 8), 108);
  header.write(octal(entry.owner ?? 0, 8), 116);
  // The largest size in octal is 8 GiB; GNU's binary form starts with 0x80.
  if (size < 8 ** 11) {
    header.write(octal(size, 12), 124);
  } else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(octal(0, 12), 136);
  header.write(typeFlag, 156);
  header.write(target, 157);
  header.write("ustar\u000000", 257);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148);
  return header;
}

const KINDS = {
  file: { typeFlag: "0", mode: 0o644 },
  hardlink: { typeFlag: "1", mode: 0o644 },
  symlink: { typeFlag: "2", mode: 0o777 },
  folder: { typeFlag: "5", mode: 0o755 },
} as const;

/** Zero-terminated, filling `width` bytes. */
function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Has the browser download a text as a file. */
export function saveFile(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  // The download has begun by the next turn, and holds on to what it needs.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

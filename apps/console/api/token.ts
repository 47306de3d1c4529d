const KEY = "drover-token";

/** The token for this tab: what a link brought (`#token=…`), which is taken out of the address at once, or what was kept. */
export function takeToken(): string | undefined {
  const hash = new URLSearchParams(location.hash.slice(1));
  const brought = hash.get("token");
  if (brought !== null) {
    sessionStorage.setItem(KEY, brought);
    hash.delete("token");
    const rest = hash.toString();
    history.replaceState(null, "", `${location.pathname}${location.search}${rest === "" ? "" : `#${rest}`}`);
  }
  return sessionStorage.getItem(KEY) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}

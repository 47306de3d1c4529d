export const VIEWS = ["map", "list", "diff"] as const;
export type View = (typeof VIEWS)[number];
export const TABS = ["facts", "events", "why"] as const;
export type Tab = (typeof TABS)[number];

/** What of the page is in its address: whoever opens it sees the same. */
export interface DeepLink {
  /** As the API takes moments; "live" follows the present. */
  readonly moment: string;
  readonly view: View;
  readonly tab: Tab;
  /** "machine/148e…" */
  readonly selection?: string;
  readonly a?: string;
  readonly b?: string;
  readonly search?: string;
  /** The stretch of the timeline shown, epoch milliseconds. */
  readonly zoom?: { readonly fromMs: number; readonly toMs: number };
}

export const HOME: DeepLink = { moment: "now", view: "map", tab: "facts" };

/** Reads an address's hash. What is not understood is as in `HOME`. */
export function readLink(hash: string): DeepLink {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (key: string) => query.get(key) || undefined;
  const zoom = /^(\d+)-(\d+)$/.exec(query.get("zoom") ?? "");
  const [fromMs, toMs] = [Number(zoom?.[1]), Number(zoom?.[2])];
  return {
    moment: text("m") ?? HOME.moment,
    view: VIEWS.find((view) => view === query.get("view")) ?? HOME.view,
    tab: TABS.find((tab) => tab === query.get("tab")) ?? HOME.tab,
    ...optional("selection", text("sel")),
    ...optional("a", text("a")),
    ...optional("b", text("b")),
    ...optional("search", text("q")),
    ...(fromMs < toMs ? { zoom: { fromMs, toMs } } : {}),
  };
}

/** The hash that `readLink` reads, without what is as in `HOME`. */
export function writeLink(link: DeepLink): string {
  const query = new URLSearchParams();
  const put = (key: string, value: string | undefined, usual?: string) => {
    if (value !== undefined && value !== "" && value !== usual) query.set(key, value);
  };
  put("m", link.moment, HOME.moment);
  put("sel", link.selection);
  put("view", link.view, HOME.view);
  put("tab", link.tab, HOME.tab);
  put("a", link.a);
  put("b", link.b);
  put("q", link.search);
  if (link.zoom) put("zoom", `${Math.floor(link.zoom.fromMs)}-${Math.ceil(link.zoom.toMs)}`);
  const text = query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%40", "@");
  return text === "" ? "" : `#${text}`;
}

function optional<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]?: string });
}

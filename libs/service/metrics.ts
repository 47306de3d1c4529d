interface Metric {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** By their labels: what gives their lines, without the metric's name. */
  readonly series: Map<string, (labels: string) => string[]>;
}

/** Values of a metric's labels. Each set of them is a series of its own. */
export type Labels = Readonly<Record<string, string>>;

/** A process's numbers, in the text format that Prometheus reads. Names end in their unit. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** A number that only grows. Returns what adds to it. */
  counter(name: string, help: string, labels: Labels = {}): (by?: number) => void {
    let value = 0;
    this.#add(name, "counter", help, labels, (labelled) => [`${labelled} ${value}`]);
    return (by = 1) => {
      value += by;
    };
  }

  /** A number that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number, labels: Labels = {}): void {
    this.#add(name, "gauge", help, labels, (labelled) => [`${labelled} ${readingOf(read)}`]);
  }

  /** How often values were at most as large as each of `bounds`, which rise. Returns what takes one. */
  histogram(name: string, help: string, bounds: readonly number[]): (value: number) => void {
    const counts = bounds.map(() => 0);
    let count = 0;
    let sum = 0;
    this.#add(name, "histogram", help, {}, () => [
      ...bounds.map((bound, i) => `_bucket${text({ le: String(bound) })} ${counts[i]}`),
      `_bucket${text({ le: "+Inf" })} ${count}`,
      `_sum ${sum}`,
      `_count ${count}`,
    ]);
    return (value) => {
      count += 1;
      sum += value;
      bounds.forEach((bound, i) => {
        if (value <= bound) counts[i]! += 1;
      });
    };
  }

  /** Exposition format 0.0.4. */
  text(): string {
    const lines: string[] = [];
    for (const [name, { kind, help, series }] of this.#metrics) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
      for (const [labels, read] of series) lines.push(...read(labels).map((line) => name + line));
    }
    return `${lines.join("\n")}\n`;
  }

  #add(
    name: string,
    kind: Metric["kind"],
    help: string,
    labels: Labels,
    read: (labels: string) => string[],
  ): void {
    const metric = this.#metrics.get(name) ?? { kind, help, series: new Map() };
    this.#metrics.set(name, metric);
    metric.series.set(text(labels), read);
  }
}

function text(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** A gauge that cannot be read says so, and spoils no other. */
function readingOf(read: () => number): number {
  try {
    return read();
  } catch {
    return Number.NaN;
  }
}

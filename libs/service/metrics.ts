interface Metric {
  readonly kind: "counter" | "gauge";
  readonly help: string;
  value: number;
  readonly read?: () => number;
}

/** A process's numbers, in the text format that Prometheus reads. Names end in their unit. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** A number that only grows. Returns what adds to it. */
  counter(name: string, help: string): (by?: number) => void {
    const metric: Metric = { kind: "counter", help, value: 0 };
    this.#metrics.set(name, metric);
    return (by = 1) => {
      metric.value += by;
    };
  }

  /** A number that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number): void {
    this.#metrics.set(name, { kind: "gauge", help, value: 0, read });
  }

  /** Exposition format 0.0.4. */
  text(): string {
    const lines: string[] = [];
    for (const [name, metric] of this.#metrics) {
      lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.kind}`);
      lines.push(`${name} ${readingOf(metric)}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

/** A gauge that cannot be read says so, and spoils no other. */
function readingOf(metric: Metric): number {
  try {
    return metric.read?.() ?? metric.value;
  } catch {
    return Number.NaN;
  }
}

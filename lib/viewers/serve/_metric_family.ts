/**
 * One metric in Prometheus' text format.
 *
 * @module
 */

type Labels = Readonly<Record<string, string>>;

/** One value of a metric, and what it is of. */
export type Sample = readonly [value: number, labels?: Labels];

/** A value that rises and falls. */
export function gauge(name: string, help: string, samples: number | readonly Sample[]): string {
  return family(`rerelay_${name}`, "gauge", help, samples);
}

/** A value that only rises, while the program runs. */
export function counter(name: string, help: string, samples: number | readonly Sample[]): string {
  return family(`rerelay_${name}_total`, "counter", help, samples);
}

function family(
  name: string,
  type: string,
  help: string,
  samples: number | readonly Sample[],
): string {
  const rows = typeof samples === "number" ? [[samples] as const] : samples;
  const head = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  return head + rows.map(([value, labels]) => `${name}${labelText(labels)} ${value}\n`).join("");
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

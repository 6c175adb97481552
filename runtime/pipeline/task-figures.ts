/** A figure of the connector's own, by its full name. */
export interface LabelledFigure {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Counters of one task's run, under Connect's attribute names (connect.md part 8; KIP-196). */
export class TaskFigures {
  readonly #values = new Map<string, number>();
  readonly #rates = new Map<string, { total: number; atMs: number; perSecond: number }>();

  readonly #labelled = new Map<string, LabelledFigure>();

  label(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    this.#labelled.set(`${name} ${Object.entries(labels).join(' ')}`, { name, labels, value });
  }

  labelled(): readonly LabelledFigure[] {
    return [...this.#labelled.values()];
  }

  add(name: string, by = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + by);
  }

  set(name: string, value: number): void {
    this.#values.set(name, value);
  }

  /** One measurement of what has a maximum and an average over the run, such as `poll-batch` with suffix `-time-ms`. */
  observe(name: string, value: number, suffix = ''): void {
    const count = (this.#values.get(`#${name}`) ?? 0) + 1;
    this.#values.set(`#${name}`, count);
    const average = this.#values.get(`${name}-avg${suffix}`) ?? 0;
    this.#values.set(`${name}-avg${suffix}`, average + (value - average) / count);
    this.#values.set(`${name}-max${suffix}`, Math.max(value, this.#values.get(`${name}-max${suffix}`) ?? 0));
  }

  /** Everything, with a `-rate` (per second, since the snapshot before) beside each `-total`. */
  snapshot(nowMs: number): Record<string, number> {
    const all: Record<string, number> = {};
    for (const [name, value] of this.#values) {
      if (name.startsWith('#')) continue;
      all[name] = value;
      if (name.endsWith('-total')) all[name.replace(/-total$/, '-rate')] = this.#rate(name, value, nowMs);
    }
    return all;
  }

  #rate(name: string, total: number, nowMs: number): number {
    const last = this.#rates.get(name);
    if (last !== undefined && nowMs - last.atMs < 500) return last.perSecond;
    const perSecond = last === undefined ? 0 : ((total - last.total) * 1000) / (nowMs - last.atMs);
    this.#rates.set(name, { total, atMs: nowMs, perSecond });
    return perSecond;
  }
}

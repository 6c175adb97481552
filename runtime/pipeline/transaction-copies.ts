import type { SourcePosition } from '../api/index.ts';
import { PositionTable } from './submitted-records.ts';

/** Copies committed positions elsewhere: one copy at a time, the newest of each source partition. */
export class PositionCopier {
  readonly #copy: ((positions: readonly SourcePosition[]) => Promise<void>) | undefined;
  readonly #waiting = new PositionTable();
  #copying: Promise<void> | undefined;

  /** `copy` never rejects. */
  constructor(copy: ((positions: readonly SourcePosition[]) => Promise<void>) | undefined) {
    this.#copy = copy;
  }

  copy(positions: readonly SourcePosition[]): void {
    if (this.#copy === undefined) return;
    for (const { partition, offset } of positions) this.#waiting.set(partition, offset);
    this.#copying ??= this.#copyAll(this.#copy).finally(() => (this.#copying = undefined));
  }

  /** Resolves once all is copied. */
  async done(): Promise<void> {
    await this.#copying;
  }

  async #copyAll(copy: (positions: readonly SourcePosition[]) => Promise<void>): Promise<void> {
    while (!this.#waiting.empty) await copy(this.#waiting.take());
  }
}

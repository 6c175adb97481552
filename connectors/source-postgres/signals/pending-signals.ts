/**
 * Signals that are not dealt with yet, in order. They stand in the offset of every record meanwhile (`millrace_signals`,
 * JSON), from the record of the signal itself on, so that a crash loses none.
 */
import type { OffsetMap } from '@millrace/runtime/api';

import type { Signal } from './signal.ts';

const field = 'millrace_signals';

export class PendingSignals {
  readonly #signals: Signal[] = [];
  #fields: OffsetMap | undefined;

  constructor(offset: OffsetMap | undefined) {
    const text = offset?.[field];
    if (typeof text !== 'string') return;
    this.#signals = JSON.parse(text) as Signal[];
    this.#changed();
  }

  get first(): Signal | undefined {
    return this.#signals[0];
  }

  get fields(): OffsetMap | undefined {
    return this.#fields;
  }

  add(signal: Signal): void {
    this.#signals.push(signal);
    this.#changed();
  }

  done(): void {
    this.#signals.shift();
    this.#changed();
  }

  #changed(): void {
    this.#fields = this.#signals.length === 0 ? undefined : { [field]: JSON.stringify(this.#signals) };
  }
}

/**
 * Signals that are not dealt with yet, in order. They stand in the offset of every record meanwhile (`millrace_signals`,
 * JSON), from the record of the signal itself on, so that a crash loses none. Beside them a mark of the part of the
 * signal file that has arrived (`millrace_signal_file`), until an offset with it is stored.
 */
import type { OffsetMap } from '@millrace/runtime/api';

import type { Signal } from './signal.ts';

const field = 'millrace_signals';
const markField = 'millrace_signal_file';

export class PendingSignals {
  readonly #signals: Signal[] = [];
  #fields: OffsetMap | undefined;
  #mark: string | undefined;
  #onStored: (() => void) | undefined;

  constructor(offset: OffsetMap | undefined) {
    const [text, mark] = [offset?.[field], offset?.[markField]];
    if (typeof mark === 'string') this.#mark = mark;
    if (typeof text === 'string') this.#signals = JSON.parse(text) as Signal[];
    this.#changed();
  }

  get first(): Signal | undefined {
    return this.#signals[0];
  }

  get fields(): OffsetMap | undefined {
    return this.#fields;
  }

  get mark(): string | undefined {
    return this.#mark;
  }

  /** Whether somebody waits for an offset to be stored. */
  get awaitsStore(): boolean {
    return this.#onStored !== undefined;
  }

  add(signal: Signal): void {
    this.#signals.push(signal);
    this.#changed();
  }

  done(): void {
    this.#signals.shift();
    this.#changed();
  }

  untilStored(mark: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#mark = mark;
    this.#onStored = resolve;
    this.#changed();
    return promise;
  }

  forgetMark(): void {
    this.#mark = undefined;
    this.#changed();
  }

  stored(offset: OffsetMap): void {
    const onStored = this.#onStored;
    if (onStored === undefined || offset[markField] !== this.#mark) return;
    this.#onStored = undefined;
    onStored();
  }

  #changed(): void {
    const signals = this.#signals.length === 0 ? undefined : { [field]: JSON.stringify(this.#signals) };
    const mark = this.#mark === undefined ? undefined : { [markField]: this.#mark };
    this.#fields = signals === undefined && mark === undefined ? undefined : { ...signals, ...mark };
  }
}

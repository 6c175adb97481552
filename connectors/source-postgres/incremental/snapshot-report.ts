/** What an incremental snapshot tells of itself: notifications, log and figures. */
import type { Logger } from '@millrace/runtime/api';

import type { Notifier } from '../notifications/notifier.ts';
import type { Chunk } from './chunk-reader.ts';
import { keyText } from './java-values.ts';
import type { Key } from './java-values.ts';
import type { SnapshotState } from './snapshot-state.ts';

const progressEveryMs = 10_000;

interface ReportParts {
  readonly notifier: Notifier;
  readonly log: Logger;
  readonly figure: (name: string, value: number) => void;
}

export class SnapshotReport {
  readonly #parts: ReportParts;
  readonly #state: SnapshotState;
  /** Rows read of the current table; rows emitted and left out in all. */
  #scanned = 0;
  #emitted = 0;
  #dropped = 0;
  #loggedAt = 0;

  constructor(parts: ReportParts, state: SnapshotState) {
    this.#parts = parts;
    this.#state = state;
  }

  get tables(): string {
    return this.#state.collections.map(({ id }) => id).join(',');
  }

  notify(type: string, data: Readonly<Record<string, string>> = { data_collections: this.tables }): void {
    this.#parts.notifier.incremental(this.#state.correlationId, type, data);
  }

  tableBegins(id: string, maximum: Key): void {
    this.#parts.log.info(`incremental snapshot: ${id} will be read up to key ${keyText(maximum)}`);
  }

  /** A chunk of the current table was read. */
  chunk(id: string, { rows, maximumKey }: Chunk): void {
    this.#scanned += rows.length;
    const last = keyText(rows.at(-1)?.key ?? []);
    const maximum = keyText(maximumKey ?? []);
    this.notify('IN_PROGRESS', {
      data_collections: this.tables,
      current_collection_in_progress: id,
      maximum_key: maximum,
      last_processed_key: last,
    });
    if (Date.now() - this.#loggedAt < progressEveryMs) return;
    this.#loggedAt = Date.now();
    this.#parts.log.info(`incremental snapshot: ${id}, ${this.#scanned} rows, at key ${last} of ${maximum}`);
  }

  /** It will be read again. */
  chunkSpoiled({ rows }: Chunk): void {
    this.#scanned -= rows.length;
  }

  chunkEmitted({ rows }: Chunk, kept: number): void {
    this.#emitted += kept;
    this.#dropped += rows.length - kept;
  }

  tableDone(id: string, status: string): void {
    this.notify('TABLE_SCAN_COMPLETED', {
      data_collections: this.tables,
      scanned_collection: id,
      total_rows_scanned: String(this.#scanned),
      status,
    });
    this.#parts.log.info(`incremental snapshot: ${id}, ${this.#scanned} rows, ${status}`);
  }

  nextTable(): void {
    this.#scanned = 0;
  }

  figures(): void {
    const { figure } = this.#parts;
    figure('incremental-snapshot-tables-left', this.#state.collections.length);
    figure('incremental-snapshot-paused', this.#state.paused ? 1 : 0);
    figure('incremental-snapshot-rows-total', this.#emitted);
    figure('incremental-snapshot-dropped-rows-total', this.#dropped);
  }
}

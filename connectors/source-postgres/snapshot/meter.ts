/**
 * How far a snapshot is: in the log now and then, in the figures and the summary more often. Beside our own figures
 * stand Debezium's, under the names that the usual rules of the JMX exporter give them.
 * Source: io.debezium.pipeline.metrics.traits.SnapshotMetricsMXBean.
 */
import type { Logger } from '@millrace/runtime/api';

import type { StatusReport } from '../status/status-report.ts';
import { blockOf } from '../position/tid.ts';
import { isRead, rangesLeft } from './work.ts';
import type { Part, TableWork } from './work.ts';
import type { SnapshotWriter } from './writer.ts';

export type SetFigure = (name: string, value: number, labels?: Readonly<Record<string, string>>) => void;

const figuresEveryMs = 1_000;
const logEveryMs = 10_000;
/** PostgreSQL's, unless somebody compiled it otherwise. */
const pageBytes = 8_192;
/** Before so much was read, it tells nothing of the rest. */
const leastShare = 0.01;

export interface MeteredSnapshot {
  /** Those that are still to be read. */
  readonly works: readonly TableWork[];
  /** How many there are in all, with those that were read before the snapshot was gone on with. */
  readonly tables: number;
  readonly writer: Pick<SnapshotWriter, 'rows' | 'bytes'>;
  readonly topicPrefix: string;
}

export interface MeterOutlets {
  readonly log: Logger;
  readonly setFigure?: SetFigure | undefined;
  readonly report?: StatusReport | undefined;
}

/** Reports until it is disposed of. */
export function meterSnapshot(snapshot: MeteredSnapshot, { log, setFigure = () => {}, report }: MeterOutlets): Disposable {
  const { works, tables, writer, topicPrefix } = snapshot;
  const startedAt = performance.now();
  const began = new Date().toISOString();
  const firstRows = writer.rows;
  const all = works.reduce((sum, { parts }) => sum + pagesOf(parts), 0);
  let loggedAt = startedAt;

  function tell(now: number): void {
    const { rows, bytes } = writer;
    const pages = works.reduce((sum, work) => sum + pagesLeft(work), 0);
    const unread = works.filter((work) => !isRead(work)).length;
    const share = all === 0 ? (unread === 0 ? 1 : 0) : 1 - pages / all;
    const known = share > leastShare;
    const estimated = works.reduce((sum, { estimatedRows }) => sum + estimatedRows, 0);
    const rowsLeft = Math.round(known ? ((rows - firstRows) * (1 - share)) / share : estimated);
    const seconds = (now - startedAt) / 1000;
    const secondsLeft = known ? Math.round((seconds * (1 - share)) / share) : undefined;
    const percent = Math.floor(share * 100);

    setFigure('snapshot-rows-total', rows);
    setFigure('snapshot-bytes-total', bytes);
    setFigure('snapshot-remaining-rows', rowsLeft);
    setFigure('snapshot-remaining-bytes', pages * pageBytes);
    setFigure('snapshot-tables', tables);
    setFigure('snapshot-remaining-tables', unread);
    setFigure('snapshot-seconds', Math.round(seconds));
    if (secondsLeft !== undefined) setFigure('snapshot-remaining-seconds', secondsLeft);
    bean('TotalTableCount', tables);
    bean('RemainingTableCount', unread);
    bean('SnapshotDurationInSeconds', Math.round(seconds));
    for (const { table, rows: emitted } of works) bean('RowsScanned', emitted, { table: `${table.schema}.${table.table}` });
    report?.snapshot({
      ...{ tables, tablesDone: tables - unread, rows, bytes, percent, rowsLeft, bytesLeft: pages * pageBytes },
      ...(secondsLeft !== undefined && { secondsLeft }),
      ...{ seconds: Math.round(seconds), began },
    });
    if (now - loggedAt < logEveryMs) return;
    loggedAt = now;
    const estimate = secondsLeft === undefined ? '' : `, about ${rowsLeft} rows and ${secondsLeft} s left`;
    log.info(`snapshot: ${tables - unread} of ${tables} tables, ${rows} rows, ${Math.round(bytes / 1e6)} MB, ${percent} %${estimate}`);
  }

  const labels = { plugin: 'postgres', name: topicPrefix, context: 'snapshot' };
  const bean = (name: string, value: number, more: Readonly<Record<string, string>> = {}): void =>
    setFigure(`debezium_metrics_${name}`, value, { ...labels, ...more });
  const running = (is: boolean): void => {
    setFigure('snapshot-running', is ? 1 : 0);
    bean('SnapshotRunning', is ? 1 : 0);
    bean('SnapshotCompleted', !is && works.every(isRead) ? 1 : 0);
  };

  running(true);
  tell(startedAt);
  const timer = setInterval(() => tell(performance.now()), figuresEveryMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      tell(performance.now());
      running(false);
      report?.snapshot(undefined);
    },
  };
}

const pagesOf = (parts: readonly Part[]): number => parts.reduce((sum, { pages }) => sum + pages, 0);

/** By the places of its rows where they bear them; else by their count, as PostgreSQL estimates it. */
function pagesLeft(work: TableWork): number {
  const { parts, rows, estimatedRows } = work;
  if (isRead(work)) return 0;
  const placed = parts.every(({ taken }) => [...taken].every((piece) => piece.placed));
  if (placed || estimatedRows === 0) return parts.reduce((sum, part) => sum + pagesLeftIn(part), 0);
  return pagesOf(parts) * Math.max(leastShare, 1 - rows / estimatedRows);
}

function pagesLeftIn(part: Part): number {
  const left = rangesLeft(part).map(({ after, toBlock }) => Math.min(toBlock ?? part.pages, part.pages) - blockOf(after));
  return left.reduce((sum, pages) => sum + Math.max(0, pages), 0);
}

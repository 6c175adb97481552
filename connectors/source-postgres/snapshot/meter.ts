/** How far a snapshot is: in the log now and then, in the figures more often. */
import type { Logger } from '@millrace/runtime/api';

import { blockOf } from './tid.ts';
import { rangesLeft } from './work.ts';
import type { Part, TableWork } from './work.ts';
import type { SnapshotWriter } from './writer.ts';

export type SetFigure = (name: string, value: number) => void;

const figuresEveryMs = 1_000;
const logEveryMs = 10_000;
/** PostgreSQL's, unless somebody compiled it otherwise. */
const pageBytes = 8_192;

/** Reports until it is disposed of. */
export function meterSnapshot(tables: readonly TableWork[], writer: SnapshotWriter, log: Logger, setFigure: SetFigure): Disposable {
  const startedAt = performance.now();
  const firstRows = writer.rows;
  let loggedAt = startedAt;
  const all = pagesIn(tables);

  function report(now: number): void {
    const { rows, bytes } = writer;
    const left = pagesLeftIn(tables);
    const share = all === 0 ? 1 : 1 - left / all;
    const rowsLeft = share > 0.01 ? ((rows - firstRows) * (1 - share)) / share : tables.reduce((sum, one) => sum + one.estimatedRows, 0);
    setFigure('snapshot-rows-total', rows);
    setFigure('snapshot-bytes-total', bytes);
    setFigure('snapshot-remaining-rows', Math.round(rowsLeft));
    setFigure('snapshot-remaining-bytes', left * pageBytes);
    if (now - loggedAt < logEveryMs) return;
    loggedAt = now;
    const secondsLeft = share > 0.01 ? Math.round((((now - startedAt) / 1000) * (1 - share)) / share) : undefined;
    const estimate = secondsLeft === undefined ? '' : `, about ${Math.round(rowsLeft)} rows and ${secondsLeft} s left`;
    log.info(`snapshot: ${rows} rows, ${Math.round(bytes / 1e6)} MB, ${Math.round(share * 100)} %${estimate}`);
  }

  setFigure('snapshot-running', 1);
  report(startedAt);
  const timer = setInterval(() => report(performance.now()), figuresEveryMs);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      report(performance.now());
      setFigure('snapshot-running', 0);
    },
  };
}

const pagesIn = (tables: readonly TableWork[]): number => tables.flatMap(({ parts }) => parts).reduce((sum, { pages }) => sum + pages, 0);

const pagesLeftIn = (tables: readonly TableWork[]): number =>
  tables.flatMap(({ parts }) => parts).reduce((sum, part) => sum + pagesLeft(part), 0);

function pagesLeft(part: Part): number {
  const left = rangesLeft(part).map(({ after, toBlock }) => Math.min(toBlock ?? part.pages, part.pages) - blockOf(after));
  return left.reduce((sum, pages) => sum + Math.max(0, pages), 0);
}

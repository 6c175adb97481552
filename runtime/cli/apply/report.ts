/** What applying a folder did, as one value: for `--json`, and for the texts that people read. */
import type { FileProblem } from './connector-folder.ts';
import { shownValue } from './masking.ts';
import type { Change, KeyChange, Plan } from './plan.ts';
import { traceLines } from './standing.ts';
import type { Outcome } from './await-standing.ts';
import type { Writing } from './write-changes.ts';

export interface ConnectorReport {
  readonly name: string;
  readonly action: Change['action'] | 'none';
  readonly file?: string;
  /** Secrets are shown as ***. */
  readonly keys?: readonly KeyChange[];
  /**
   * `planned`: nothing was done. `done`: as wanted, as far as was waited for. `failed`: written, and it does not run.
   * `timeout`: written, and not seen running in time. `refused`: not written. `untouched`: its turn did not come.
   */
  readonly outcome: 'planned' | 'done' | 'failed' | 'timeout' | 'refused' | 'untouched';
  readonly state?: string;
  readonly tasks?: number;
  readonly error?: readonly string[];
}

export interface ApplyReport {
  readonly url: string;
  readonly owner: string;
  readonly dryRun: boolean;
  readonly problems: readonly FileProblem[];
  readonly connectors: readonly ConnectorReport[];
  /** This folder's, without a file, and kept. */
  readonly leftOver: readonly string[];
  /** They have a file here, and were made by somebody else. */
  readonly unowned: readonly string[];
}

/** Everything that a plan would do. */
export function plannedReports({ changes, unchanged }: Plan): readonly ConnectorReport[] {
  const changed = changes.map((change): ConnectorReport => {
    if (change.action === 'delete') return { name: change.name, action: 'delete', outcome: 'planned' };
    const { name, action, keys, connector } = change;
    return { name, action, file: connector.file, keys: keys.map(shownKey), outcome: 'planned' };
  });
  return [...changed, ...unchanged.map(({ name, file }): ConnectorReport => ({ name, action: 'none', file, outcome: 'planned' }))];
}

/** Two secrets that differ look the same: that they do is all that may be said. */
function shownKey({ key, before, after }: KeyChange): KeyChange {
  return {
    key,
    ...(before !== undefined && { before: shownValue(key, before) }),
    ...(after !== undefined && { after: shownValue(key, after) }),
  };
}

export function withWriting(report: ConnectorReport, writing: Writing, clean: (text: string) => string): ConnectorReport {
  if (writing.kind === 'written') return { ...report, outcome: 'done' };
  if (writing.kind === 'untouched') return { ...report, outcome: 'untouched' };
  return { ...report, outcome: 'refused', error: clean(writing.error).split('\n') };
}

export function withOutcome(report: ConnectorReport, outcome: Outcome, clean: (text: string) => string): ConnectorReport {
  switch (outcome.kind) {
    case 'settled':
      return { ...report, outcome: 'done', state: outcome.state, tasks: outcome.tasks };
    case 'timeout':
      return { ...report, outcome: 'timeout', error: [clean(outcome.why)] };
    case 'failed': {
      const error = outcome.parts.flatMap(({ part, trace }) =>
        traceLines(clean(trace)).map((line, at) => (at === 0 ? `${part}: ${line}` : `  ${line}`)),
      );
      return { ...report, outcome: 'failed', state: 'FAILED', error };
    }
  }
}

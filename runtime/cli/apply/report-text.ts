/** The plan as a diff, and what became of it, in lines. */
import { styleText } from 'node:util';

import type { FileProblem } from './connector-folder.ts';
import type { ApplyReport, ConnectorReport } from './report.ts';

/** Colours a text where the reader can see colours. */
export type Paint = (colour: 'green' | 'yellow' | 'red' | 'dim', text: string) => string;

/** A terminal gets colours, unless NO_COLOR is set. */
export function paintFor(stream: NodeJS.WritableStream): Paint {
  const isTerminal = (stream as { isTTY?: boolean }).isTTY === true;
  return isTerminal ? (colour, text) => styleText(colour, text, { stream }) : (_colour, text) => text;
}

export function planText({ url, owner, connectors, leftOver, unowned, dryRun }: ApplyReport, paint: Paint): string {
  const changes = connectors.filter(({ action }) => action !== 'none');
  const lines = [`${url}, as "${owner}"`, ''];
  for (const change of changes) lines.push(...changeLines(change, paint));
  const unchanged = connectors.length - changes.length;
  if (unchanged > 0) lines.push(paint('dim', `= ${unchanged} unchanged`));
  if (unowned.length > 0)
    lines.push(paint('dim', `  not made by this folder, so never pruned (--adopt makes them its own): ${unowned.join(', ')}`));
  if (leftOver.length > 0) lines.push(paint('dim', `  without a file now, and kept (--prune deletes them): ${leftOver.join(', ')}`));
  const count = (action: string): number => changes.filter((change) => change.action === action).length;
  const todo = `${count('create')} to create, ${count('change')} to change, ${count('delete')} to delete.`;
  if (lines.at(-1) !== '') lines.push('');
  lines.push(changes.length === 0 ? 'Nothing to change.' : dryRun ? `${todo} (A dry run: nothing was changed.)` : todo);
  return lines.join('\n');
}

const signs = { create: ['+', 'green'], change: ['~', 'yellow'], delete: ['-', 'red'], none: ['=', 'dim'] } as const;

function changeLines({ action, name, file, keys = [] }: ConnectorReport, paint: Paint): readonly string[] {
  const [sign, colour] = signs[action];
  const lines = [paint(colour, `${sign} ${action} ${name}${file === undefined ? '' : `  (${file})`}`)];
  for (const { key, before, after } of keys) {
    if (before === undefined) lines.push(paint('green', `    + ${key} = ${quoted(after)}`));
    else if (after === undefined) lines.push(paint('red', `    - ${key} = ${quoted(before)}`));
    else lines.push(paint('yellow', `    ~ ${key}: ${quoted(before)} → ${quoted(after)}`));
  }
  return [...lines, ''];
}

/** As it is, unless its ends or line breaks would not be seen. */
const quoted = (value = ''): string => (value === '' || value !== value.trim() || /\p{Cc}/u.test(value) ? JSON.stringify(value) : value);

export function problemText({ file, line, key, reason }: FileProblem): string {
  const where = `${file}${line === undefined ? '' : `:${line}`}`;
  return `${where}: ${key === undefined ? '' : `${key}: `}${reason}`;
}

const past = { create: 'created', change: 'changed', delete: 'deleted', none: 'unchanged' } as const;

/** One line, and one for each line of its error. */
export function progressText(report: ConnectorReport, paint: Paint): string {
  const { name, action, outcome, state, tasks, error = [] } = report;
  const [first = '', ...more] = error;
  const details = more.map((line) => `\n    ${line}`).join('');
  switch (outcome) {
    case 'planned':
      return `${name}: not begun`;
    case 'untouched':
      return paint('red', `${name}: left untouched (the time was over)`);
    case 'refused':
      return paint('red', `${name}: not ${past[action]}: ${first}`) + details;
    case 'failed':
      return paint('red', `${name}: ${past[action]}, but FAILED: ${first}`) + details;
    case 'timeout':
      return paint('red', `${name}: ${past[action]}, but not seen running in time: ${first}`);
    case 'done':
      if (state === undefined) return paint('green', `${name}: ${past[action]}`);
      return paint(
        'green',
        `${name}: ${state}${tasks === undefined || state === 'STOPPED' ? '' : `, ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`}`,
      );
  }
}

/** What became of all, in one sentence. */
export function outcomeText(connectors: readonly ConnectorReport[]): string {
  const count = (outcome: string): number => connectors.filter((one) => one.outcome === outcome && one.action !== 'none').length;
  const broken = connectors.filter((one) => one.action === 'none' && one.outcome !== 'done' && one.outcome !== 'planned').length;
  const parts = [
    [count('done'), 'done'],
    [count('failed'), 'failed'],
    [count('timeout'), 'not seen running in time'],
    [count('refused'), 'not made'],
    [count('untouched'), 'left untouched'],
    [broken, 'unchanged but not running'],
  ] as const;
  return parts.flatMap(([number, text]) => (number === 0 ? [] : [`${number} ${text}`])).join(', ');
}

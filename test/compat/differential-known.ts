/** Where ours differ from Debezium's on purpose, by the kind of column; docs/differences-from-debezium.md explains them. */
import type { Message } from '../../connectors/source-postgres/test/fixtures.ts';

interface Known {
  readonly phase?: 'snapshot' | 'stream';
  readonly difference: RegExp;
  readonly why: string;
}

/** Also as field.name.adjustment.mode writes it. */
const column = (kinds: string, rest = ''): RegExp =>
  new RegExp(`\\.[cC][ _-]?(u[0-9a-f]{4})?\\d+_(u005f)?(${kinds.replaceAll('_', '_(?:u005f)?')})\\b${rest}`);

const known: readonly Known[] = [
  { phase: 'snapshot', difference: column('money', ': '), why: 'Debezium snapshots money through a double' },
  {
    phase: 'snapshot',
    difference: column('date|ts', ': '),
    why: 'Debezium counts dates before 1582, and infinite dates, differently in snapshots than in the stream',
  },
  { phase: 'snapshot', difference: column('tstz', ': '), why: 'the same' },
  {
    phase: 'stream',
    difference: column('name', ': (null|"") \\| '),
    why: 'Debezium streams null for columns of type name, or an empty text',
  },
  { difference: column('a_(time|timetz)'), why: 'Debezium loses the microseconds of time[] and timetz[]' },
  { difference: column('unknown_line'), why: 'pgjdbc rewrites geometric text with .0' },
  { difference: column('a_(enum|ltree)'), why: 'Debezium makes an array null that holds a null' },
  {
    phase: 'snapshot',
    difference: /\.source\.snapshot: "(first|last)_in_data_collection" \| "first"$/,
    why: 'Debezium marks no row as the first where the first table is empty',
  },
  {
    difference: /\]\.key: \{("schema":\{"type":"struct","fields":\[\].*)?"payload":\{\}\} \| null$/,
    why: 'Debezium gives all rows one empty key where message.key.columns names only columns that it leaves out',
  },
];

/** A Java before 19 writes some doubles with more digits than tell them apart (JDK-4511638). */
function isSameDouble(difference: string): boolean {
  const [, left = '', right = ''] =
    /: \{"number":"(-?\d\.\d+E-?\d+|-?\d+\.\d+)"\} \| \{"number":"(-?\d\.\d+E-?\d+|-?\d+\.\d+)"\}$/.exec(difference) ?? [];
  return left.length > right.length && right.length > 0 && Number(left) === Number(right);
}

const isKnown = (phase: string, difference: string): boolean =>
  isSameDouble(difference) || known.some((each) => (each.phase === undefined || each.phase === phase) && each.difference.test(difference));

/** Differences that nothing explains. */
export const unexplained = (phase: 'snapshot' | 'stream', differences: readonly string[]): string[] =>
  differences.filter((difference) => !isKnown(phase, difference)).map((difference) => `${phase} ${difference}`);

/** Without the header that names values that did not come, which Debezium has not. */
export const withoutOwnHeaders = (message: Message): Message => ({
  ...message,
  headers: message.headers.filter(([name]) => !name.startsWith('__millrace.')),
});

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
    difference: column('date', ': \\{"number":"-21474726(91|92)"\\} \\| \\{"number":"-?100000000"\\}$'),
    why: 'Connect’s Date is a Date here, which reaches 275,760 years: infinite ones stand there',
  },
  { difference: column('citext', ': ".*" \\| "[0-9a-f]{64}"$'), why: 'Debezium hashes no citext, and publishes it as it is' },
  {
    difference: /\.parameters(\{\}: "(truncateLength|masked)" \| |\.__debezium\.source\.column\.\w+: undefined \| )/,
    why: 'Debezium applies one rule to a column: of one that is cut, column.propagate.source.type tells nothing',
  },
  {
    phase: 'stream',
    difference: /\.headers(\{\}: "[\d,]+" \| "[\d,]+"|\.\d: \["__op","d"\] \| undefined)$/,
    why: 'a tombstone of Debezium shares one list of headers with its delete, so that ExtractNewRecordState adds to both',
  },
  {
    difference: /\.default: "0\.0+" \| "0"$/,
    why: 'OPEN, to be mended: with decimal.handling.mode=string Debezium gives the default 0 the scale of its column',
  },
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

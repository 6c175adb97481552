/** Where ours differ from Debezium's on purpose, by the kind of column; docs/differences-from-debezium.md explains them. */
import type { Message } from '../../connectors/source-postgres/test/fixtures.ts';
import {
  coarseTime,
  infiniteDate,
  infiniteTimestamp,
  isHashOf,
  lineNumbers,
  moneyThroughDouble,
  oldDate,
  oldTimestamp,
} from './differential-bends.ts';
import type { Bend } from './differential-bends.ts';
import type { Config } from './differential-config.ts';
import { hashSalt } from './differential-config.ts';

type Phase = 'snapshot' | 'stream';

/** A known difference: the path and both values match `difference`, and what Debezium wrote follows from ours by `bend`. */
interface Known {
  readonly phase?: Phase;
  readonly difference: RegExp;
  readonly bend?: Bend;
  readonly holds?: (theirs: unknown, ours: unknown) => boolean;
  readonly why: string;
  /** Only where the config leaves columns out. */
  readonly isFilter?: boolean;
  /** Debezium's bytes with debezium.bug.compatible. */
  readonly isRestored?: boolean;
}

/** Also as field.name.adjustment.mode writes it. */
const column = (kinds: string, rest = ': '): RegExp =>
  new RegExp(`\\.[cC][ _-]?(u[0-9a-f]{4})?\\d+_(u005f)?(${kinds.replaceAll('_', '_(?:u005f)?')})${rest}`);
const item = '\\.\\d+: ';

const known: readonly Known[] = [
  {
    phase: 'snapshot',
    difference: column('money'),
    bend: moneyThroughDouble,
    why: 'Debezium snapshots money through a double',
    isRestored: true,
  },
  {
    phase: 'snapshot',
    difference: column('date'),
    bend: oldDate,
    why: 'Debezium drops BC, and counts infinite dates differently than in the stream',
    isRestored: true,
  },
  {
    phase: 'snapshot',
    difference: column('ts|tstz'),
    bend: oldTimestamp,
    why: 'Debezium takes days before 1582-10-15 for ones of the Julian calendar',
    isRestored: true,
  },
  { difference: column('ts'), bend: infiniteTimestamp, why: 'no Date reaches so far' },
  { phase: 'stream', difference: column('date'), bend: infiniteDate, why: 'no text, and no Date, reaches so far' },
  {
    phase: 'stream',
    difference: column('name', ': (null|"") \\| '),
    why: 'Debezium streams null for columns of type name, or an empty text',
    isRestored: true,
  },
  { difference: column('a_(time|timetz)', item), bend: coarseTime, why: 'Debezium loses the microseconds of them', isRestored: true },
  { difference: column('unknown_line'), bend: lineNumbers, why: 'pgjdbc rewrites geometric text with .0', isRestored: true },
  {
    difference: column('a_enum|a_tsvector|unknown_a_comp|unknown_a_posint', '\\.items\\.optional: (false|undefined) \\| true$'),
    why: 'Debezium makes an array null that holds a null',
    isRestored: true,
  },
  {
    difference: column('citext', '\\.parameters(\\{\\}: ".*" \\| "masked,?|\\.masked: undefined \\| "true"$)'),
    why: 'Debezium applies one rule to a column: here the one that tells its type',
  },
  {
    difference: column('citext'),
    holds: (theirs, ours) => isHashOf(ours, theirs, hashSalt),
    why: 'Debezium hashes no citext, and publishes it as it is',
  },
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
    phase: 'snapshot',
    difference: /\.key\.payload\.[^:]+: (""|"AA=="|"[0-]+"|false|\{"number":"0(\.0)?"\}) \| /,
    isFilter: true,
    why: 'Debezium does not read a key column that is left out of values: its key is the same for all rows of a snapshot',
  },
  {
    phase: 'snapshot',
    difference: /\]\.key: "Struct\{(.*,)?[^,{}]+=(0|)[,}]/,
    isFilter: true,
    why: 'the same, in StringConverter’s text',
  },
  {
    phase: 'snapshot',
    difference: /\.source\.snapshot: "(first|last)_in_data_collection" \| "first"$/,
    why: 'Debezium marks no row as the first where the first table is empty',
  },
  {
    difference: /\]\.key: "Struct\{.*(HeapByteBuffer\[|\[B@)/,
    holds: (theirs, ours) => new RegExp(`^${escaped(String(theirs)).replaceAll(heapBuffer, '[A-Za-z0-9+/]*={0,2}')}$`).test(String(ours)),
    why: 'Debezium keeps bytes in a Java object that StringConverter makes one and the same text of',
  },
  {
    difference: /\]\.key: \{("schema":\{"type":"struct","fields":\[\].*)?"payload":\{\}\} \| null$/,
    why: 'Debezium gives all rows one empty key where message.key.columns names only columns that it leaves out',
  },
];

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
/** As it is after that. */
const heapBuffer = /java\\\.nio\\\.HeapByteBuffer\\\[pos=0 lim=\d+ cap=\d+\\\]|\\\[B@[0-9a-f]+/g;

/** A Java before 19 writes some doubles with more digits than tell them apart (JDK-4511638). */
function isSameDouble(difference: string): boolean {
  const [, left = '', right = ''] =
    /: \{"number":"(-?\d\.\d+E-?\d+|-?\d+\.\d+)"\} \| \{"number":"(-?\d\.\d+E-?\d+|-?\d+\.\d+)"\}$/.exec(difference) ?? [];
  return left.length > right.length && right.length > 0 && Number(left) === Number(right);
}

function isKnown(phase: Phase, difference: string, config: Config): boolean {
  if (isSameDouble(difference)) return true;
  const compatible = config['debezium.bug.compatible'] === 'true';
  return known.some((each) => {
    if (each.phase !== undefined && each.phase !== phase) return false;
    if (each.isFilter === true && !Object.keys(config).some((key) => /^column\.(in|ex)clude/.test(key))) return false;
    if (compatible && each.isRestored === true) return false;
    if (!each.difference.test(difference)) return false;
    if (each.bend === undefined && each.holds === undefined) return true;
    const [theirs, ours] = valuesOf(difference);
    const { bend, holds } = each;
    return (
      holds?.(theirs, ours) ?? bend?.(ours as never, config).some((value) => JSON.stringify(value) === JSON.stringify(theirs)) ?? false
    );
  });
}

/** Both values of a difference; neither holds what parts them. */
function valuesOf(difference: string): unknown[] {
  const [theirs = '', ours = ''] = difference.slice(difference.indexOf(': ') + 2).split(' | ');
  return [theirs, ours].map((text) => (text === 'undefined' ? undefined : JSON.parse(text)) as unknown);
}

/** Differences that nothing explains. */
export const unexplained = (phase: Phase, differences: readonly string[], config: Config): string[] =>
  differences.filter((difference) => !isKnown(phase, difference, config)).map((difference) => `${phase} ${difference}`);

/** Without the header that names values that did not come, which Debezium has not. */
export const withoutOwnHeaders = (message: Message): Message => ({
  ...message,
  headers: message.headers.filter(([name]) => !name.startsWith('__millrace.')),
});

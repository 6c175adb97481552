/** Which recordings are compared, how they came about, and where ours differ on purpose. */
import { script } from './fixtures.ts';

export interface Scenario {
  readonly name: string;
  readonly config: string;
  /** Run before the connector starts, and while it streams. */
  readonly scripts: readonly [before: readonly (() => string)[], streaming: readonly (() => string)[]];
  readonly snapshot?: string;
  readonly stream?: string;
  /** The recorded database held more rows than the scripts make: compare by key. */
  readonly loose?: boolean;
}

const whole = (name: string) => () => script(name);
/** A script of two parts: what ran before, and what ran while streaming. */
const half = (name: string, index: 0 | 1) => () => script(name).split(/^-- (?:DML run )?while streaming$/m)[index] as string;
const extensions = () => 'create extension citext';
const types = whole('types_snapshot');

const pair = (name: string, before: readonly (() => string)[], streaming: () => string, more: Partial<Scenario> = {}): Scenario => ({
  name,
  config: `${name}_snapshot`,
  scripts: [before, [streaming]],
  snapshot: `${name}_snapshot`,
  stream: `${name}_stream`,
  ...more,
});
const both = (name: string, before: readonly (() => string)[], more: Partial<Scenario> = {}): Scenario => ({
  name,
  config: name,
  scripts: [[...before, half(name, 0)], [half(name, 1)]],
  stream: name,
  ...more,
});
const special = (name: string): Scenario => pair(name, [types, whole(`${name}_snapshot`)], whole(`${name}_stream`));
const modes = (name: string): Scenario => pair(name, [types], whole('types_stream'), { loose: true });

export const scenarios: readonly Scenario[] = [
  pair('types', [types], whole('types_stream'), { config: 'types_default' }),
  pair('types2', [types, whole('types2_snapshot')], whole('types2_stream')),
  both('updates', [extensions]),
  { ...both('updates', [extensions]), name: 'updates_toast_hex_map', config: 'updates_toast_hex_map', stream: 'updates_toast_hex_map' },
  both('deletes_not_null_fallbacks', [types]),
  { ...both('deletes_not_null_fallbacks', [types]), name: 'deletes_not_null_fallbacks_alt_modes', config: 'deletes_not_null_fallbacks_alt_modes', stream: 'deletes_not_null_fallbacks_alt_modes' },
  both('schema_change_paced', []),
  both('truncate_messages_default', []),
  modes('modes_adaptive_time_microseconds'),
  modes('modes_string_connect_hex_map'),
  modes('modes_double_isostring_base64'),
  special('special_infinity_default'),
  special('special_numeric_precise'),
  special('special_numeric_string'),
  special('special_numeric_double'),
];

interface Known {
  readonly scenario: RegExp;
  readonly difference: RegExp;
  readonly why: string;
}

const knownDifferences: readonly Known[] = [];

export const isKnownDifference = (name: string, difference: string): boolean =>
  knownDifferences.some(({ scenario, difference: pattern }) => scenario.test(name) && pattern.test(difference));

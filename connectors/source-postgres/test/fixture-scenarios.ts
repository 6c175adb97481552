/** Which recordings are compared, how they came about, and where ours differ on purpose. */
import { eventDifferences, eventScenarios } from './event-scenarios.ts';
import { script } from './fixtures.ts';
import type { Known, Scenario } from './scenario.ts';

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
  {
    ...both('deletes_not_null_fallbacks', [types]),
    name: 'deletes_not_null_fallbacks_alt_modes',
    config: 'deletes_not_null_fallbacks_alt_modes',
    stream: 'deletes_not_null_fallbacks_alt_modes',
  },
  both('schema_change_paced', []),
  both('truncate_messages_default', []),
  modes('modes_adaptive_time_microseconds'),
  modes('modes_string_connect_hex_map'),
  modes('modes_double_isostring_base64'),
  special('special_infinity_default'),
  special('special_numeric_precise'),
  special('special_numeric_string'),
  special('special_numeric_double'),
  modes('modes_microseconds_base64url'),
  modes('modes_nanoseconds'),
  special('special_infinity_connect'),
  special('special_infinity_isostring'),
  both('column_masks_keys_comments', []),
  both('avro_adjust_delim', [types, whole('types2_snapshot')]),
  ...eventScenarios,
];

const everywhere = /./;
const knownDifferences: readonly Known[] = [
  {
    scenario: everywhere,
    difference: /\.(d_uuidgen|d_tsnow|d_tsnow_nn|d_now_date): |toast_.*\.a_uuid\.\d+: /,
    why: 'made anew in each run: random, or the time',
    always: 'random',
  },
  {
    scenario: everywhere,
    difference: /\.d_text_nn\.default: "x" \| "x'y"$/,
    why: 'Debezium cuts defaults off at their first quote (dbz#2440)',
  },
  { scenario: everywhere, difference: /\.a_bit3\b/, why: 'Debezium gives bit(n)[] the schema of bit(n), and null' },
  { scenario: everywhere, difference: /\.a_(time|timetz)\.0: /, why: 'Debezium loses the microseconds of time[] and timetz[]' },
  {
    scenario: /types|modes/,
    difference: /\.a_(enum|enum_null|comp|posint)\.items\.optional: false \| true$|\.a_enum(_null)?: null \|/,
    why: 'Debezium has items of enums and unknown types required, and drops an array with a null',
  },
  {
    scenario: /types|modes/,
    difference: /\.a_numeric(_nan)?: null \|/,
    why: 'Debezium drops a numeric[] that holds NaN; ours has null in its place',
  },
  {
    scenario: /types|modes/,
    difference: /\.t_(arr2|arr3|wkb).*\.(a_(money|interval|varbit|xml|point|name): undefined|(fields|after|before)\{\}: )/,
    why: 'Debezium leaves out arrays of these types',
  },
  {
    scenario: /types|modes/,
    difference: /\.t_def.*(\.d_gen: .* \| undefined$|\.(fields|after|before)\{\}: )/,
    why: 'Debezium has generated columns in snapshots alone, PostgreSQL 15 sending none in the stream; ours have them in neither',
  },
  {
    scenario: /updates/,
    difference: /\.u_idx\[\d\]\.(key\.|headers\.0\.1)/,
    why: 'the key is that of the index under REPLICA IDENTITY USING INDEX; Debezium makes one up (id 0) for deletes',
  },
  { scenario: everywhere, difference: /\.a_ltree: null/, why: 'Debezium drops an ltree[] that holds a null' },
  {
    scenario: everywhere,
    difference: /\.a_(int|text)2d\b/,
    why: 'Debezium makes nulls or Java object hashes of inner arrays; ours are arrays of arrays',
  },
  {
    scenario: everywhere,
    difference: /\.a_text2d\.\d: "\[Ljava\.lang\.String;@[0-9a-f]+" \| "\[Ljava\.lang\.String;@0"$/,
    why: 'Debezium writes Java object hashes in place of inner arrays',
    always: 'the hash is different in each run',
  },
  {
    scenario: everywhere,
    difference: /\.c_(line|lseg|box|path|poly|circle): /,
    why: 'unknown types: pgjdbc rewrites geometric text with .0',
  },
  { scenario: everywhere, difference: /\.c_numeric_5_neg2\b/, why: 'Debezium takes a negative scale for a huge one (dbz: scale "2046")' },
  { scenario: everywhere, difference: /\.c_name: null \| /, why: 'Debezium streams null for columns of type name' },
  {
    scenario: /types|modes/,
    difference: /\.[cd]_money: (?:"[^"]+"|\{"number":"[^"]+"\}) \| /,
    why: 'Debezium snapshots money through a double',
  },
  { scenario: /types2/, difference: /T_Mixed-Case.*(ￃﾩ|é)/, why: 'Debezium mangles column names beyond ASCII while streaming (dbz#1682)' },
  {
    scenario: everywhere,
    difference: /\.(t_time(\[[0-5]\])?|t_inf\[[0-4]\])\.value\.payload\.after\.c_(date|ts|tstz)\d?: /,
    why: 'Debezium counts dates before 1582, and infinite dates, differently in snapshots than in the stream; ours are always as in its stream',
  },
  {
    scenario: /special_infinity_connect/,
    difference: /\.t_inf\[[0156]\]\.value\.payload\.after\.c_(date|ts|ts3): /,
    why: 'Connect’s Date and Timestamp are Dates here, which reach 275,760 years: infinite ones stand there',
    always: 'no Date reaches so far',
  },
  {
    scenario: /special_infinity_isostring/,
    difference: /\.t_inf\[[56]\]\.value\.payload\.after\.c_date: /,
    why: 'Debezium writes both infinite dates as days of the year -5877611; ours as infinity and -infinity',
  },
  {
    scenario: /column_masks|avro_adjust/,
    difference: /\.fields\.e\.parameters\.allowed: "a,b" \| "a,b,c"$/,
    why: 'Debezium keeps to the labels of an enum that it read first',
  },
  ...eventDifferences,
];

export const isKnownDifference = (name: string, difference: string, compatible: boolean): boolean =>
  knownDifferences.some(
    ({ scenario, difference: pattern, always }) => (!compatible || always !== undefined) && scenario.test(name) && pattern.test(difference),
  );

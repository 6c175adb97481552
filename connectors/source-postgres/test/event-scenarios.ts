/** Recordings of events other than plain rows: transactions, messages, partitions, and Debezium's transforms. */
import { script } from './fixtures.ts';
import type { Known, Scenario } from './scenario.ts';

const half = (name: string, index: 0 | 1) => () => script(name).split(/^-- while streaming$/m)[index] as string;

const recording = (name: string, more: Partial<Scenario> = {}): Scenario => ({
  name,
  config: name,
  scripts: [[half(name, 0)], [half(name, 1)]],
  stream: name,
  ...more,
});

export const eventScenarios: readonly Scenario[] = [
  recording('truncate_transactions'),
  recording('messages_filtered_decoded', { died: 'its transform fails on the first tombstone' }),
  recording('nan_not_null_precise', { died: 'a null in a required field', defaultOnly: 'ours stops then, too: stand-ins.pg.test.ts' }),
  recording('partitioned_default'),
  recording('partitioned_root'),
  recording('partitioned_root_included_alltables'),
  recording('logical_table_router'),
  recording('logical_table_router_keyregex'),
  recording('unwrap_default'),
  recording('unwrap_legacy'),
  recording('unwrap_drop'),
  recording('unwrap_delete_to_tombstone'),
  recording('unwrap_rewrite_fields_headers'),
  recording('unwrap_rewrite_with_tombstone_route'),
  recording('outbox_default'),
  recording('outbox_expand_json_schemas_on'),
  recording('outbox_expand_json_schemas_off'),
  recording('outbox_expand_null_optional_bytes'),
  recording('outbox_placement'),
  recording('outbox_string_tombstone'),
  recording('outbox_bytea_binary'),
  recording('outbox_update_fatal'),
  recording('schema_change'),
];

export const eventDifferences: readonly Known[] = [
  {
    scenario: /^schema_change$/,
    difference: /\]\.key: null \| |\.(key|value)\.schema\.|\.key\.(payload|schema)\{\}: |\.payload\.(before\.(a2|c|d)|after\.d): null \| /,
    always: 'a matter of moments',
    why: 'better: with fast DDL Debezium takes keys and defaults from a catalog that has gone on since, and loses keys; the rows are compared',
  },
  {
    scenario: /^updates/,
    difference: /toast_def\[\d\]\.headers(\{\}: |\.\d: undefined \| \["__millrace\.unavailable")/,
    why: 'better: a header names the columns whose value did not come, where Debezium writes null in silence',
  },
  {
    scenario: /unwrap_rewrite_fields_headers/,
    difference: /headers\.\d\.1: "rb" \| "test_/,
    why: 'by nature: the name of the database',
    always: 'by nature',
  },
  {
    scenario: /partitioned_(default|root)$/,
    difference: /part\.(m: 2|m_202[34]: 1) messages expected, 0 found$|source\.snapshot: "last_in_data_collection" \| "(first|last)"$/,
    why: 'better: Debezium reads the rows of a partitioned table twice, with it and with its partitions',
  },
  {
    scenario: /partitioned_default/,
    difference: /m_2023\[5\].*\.(id|d)\.optional: true \| false$/,
    why: 'better: Debezium asks for the keys of a table that was dropped meanwhile',
    always: 'a matter of moments',
  },
  {
    scenario: /truncate_transactions/,
    difference: /\.data_collections\.\d\.data_collection: .*(\| "message"|LogicalDecodingMessageId@\w+" \| "misc\.a")$/,
    why: 'better: Debezium counts each message under the name of a Java object of its own',
    always: 'the name is random',
  },
];

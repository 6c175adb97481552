/** Debezium's keys that the connector does not act on: ignored with a warning, or refused where records would be wrong. */
import type { ConfigProblem, RawConfig } from '@millrace/runtime/api';

import { isPostProcessorKey } from './reselect-settings.ts';

interface Unsupported {
  readonly key: RegExp;
  /** Values under which it makes no difference. */
  readonly harmless: readonly string[];
  readonly refuse: boolean;
  readonly why: string;
}

const ignored = (key: string, ...harmless: string[]): Unsupported => ({
  key: new RegExp(`^${key.replaceAll('.', '\\.')}$`),
  harmless,
  refuse: false,
  why: 'is not acted on',
});
const allOf = (key: RegExp, ...harmless: string[]): Unsupported => ({ key, harmless, refuse: false, why: 'is not acted on' });
const refused = (key: RegExp, why: string, ...harmless: string[]): Unsupported => ({ key, harmless, refuse: true, why });

const table: readonly Unsupported[] = [
  refused(
    /^converters$/,
    'names Java classes, which cannot be run here, and values would not have the form that is expected. Remove it, and use decimal.handling.mode, time.precision.mode, binary.handling.mode or a transform.',
    '',
  ),
  refused(
    /^snapshot\.query\.mode$/,
    'can only be select_all: custom is a Java class. For what a snapshot reads, use snapshot.select.statement.overrides.',
    'select_all',
  ),
  refused(
    /^sourceinfo\.struct\.maker$/,
    'is a Java class, which cannot be run here.',
    'io.debezium.connector.postgresql.PostgresSourceInfoStructMaker',
  ),
  refused(
    /^transaction\.metadata\.factory$/,
    'is a Java class, and records would be made otherwise. Remove it.',
    'io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory',
  ),
  refused(/^database\.sslfactory$/, 'is a Java class. Use database.sslmode and the certificate files.', ''),
  ignored('guardrail.collections.max', '0'),
  ignored('openlineage.integration.enabled', 'false'),
  ignored('schema.refresh.mode', 'columns_diff'),
  ignored('custom.metric.tags', ''),
  ignored('executor.shutdown.timeout.ms', '4000'),
  ignored('guardrail.collections.limit.action', 'warn'),
  ignored('snapshot.query.mode.custom.name', ''),
  ignored('snapshot.locking.mode.custom.name', ''),
  ignored('snapshot.mode.custom.name', ''),
  allOf(/^openlineage\./, './openlineage.yml', 'Debezium change data capture job'),
  allOf(/^signal\.consumer\./),
  allOf(/^internal\./, 'true', 'false'),
];

/** Whether the table above has a word on the key, so that it is not an unknown one. */
export const isJudged = (key: string): boolean => isPostProcessorKey(key) || table.some((entry) => entry.key.test(key));

/** The keys of this config that are not acted on, in two kinds. */
export function unsupportedKeys(raw: RawConfig): {
  readonly refused: readonly ConfigProblem[];
  readonly ignored: readonly ConfigProblem[];
} {
  const found = Object.entries(raw).flatMap(([key, value]) => {
    const entry = table.find((candidate) => candidate.key.test(key));
    return entry === undefined || entry.harmless.includes(value.trim().toLowerCase()) || entry.harmless.includes(value.trim())
      ? []
      : [{ refuse: entry.refuse, key, message: `${key} ${entry.why}` }];
  });
  const problems = (refuse: boolean): ConfigProblem[] =>
    found.filter((one) => one.refuse === refuse).map(({ key, message }) => ({ key, message }));
  return { refused: problems(true), ignored: problems(false) };
}

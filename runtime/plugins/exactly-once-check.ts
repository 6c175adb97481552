/**
 * Whether a source can be had exactly-once as its config asks. Source: org.apache.kafka.connect.runtime.distributed
 * .DistributedHerder, validateSourceConnectorExactlyOnceSupport and validateSourceConnectorTransactionBoundary.
 */
import type { ConfigProblem, RawConfig, SourcePlugin } from '../api/index.ts';
import type { SourceDelivery } from './source-delivery.ts';

/** A standalone worker of Connect checks neither key. */
export function exactlyOnceProblems(raw: RawConfig, plugin: SourcePlugin, delivery: SourceDelivery): ConfigProblem[] {
  if (delivery === 'standalone') return [];
  return [...supportProblems(raw, plugin, delivery), ...boundaryProblems(raw, plugin, delivery)];
}

function supportProblems(raw: RawConfig, { exactlyOnceSupport }: SourcePlugin, delivery: SourceDelivery): ConfigProblem[] {
  const key = 'exactly.once.support';
  if (valueOf(raw, key) !== 'required') return [];
  const problems: ConfigProblem[] = [];
  if (delivery === 'plain') problems.push({ key, message: 'This worker does not have exactly-once source support enabled.' });
  if (exactlyOnceSupport === 'unsupported') {
    problems.push({ key, message: 'The connector does not support exactly-once semantics with the provided configuration.' });
  }
  if (exactlyOnceSupport === undefined) {
    problems.push({
      key,
      message:
        'The connector does not implement the API required for preflight validation of exactly-once source support. Please consult the ' +
        'documentation for the connector to determine whether it supports exactly-once semantics, and then consider reconfiguring the ' +
        'connector to use the value "requested" for this property (which will disable this preflight check and allow the connector to be created).',
    });
  }
  return problems;
}

/** Connect looks at the boundary whether or not the worker has exactly-once. */
function boundaryProblems(raw: RawConfig, plugin: SourcePlugin, delivery: SourceDelivery): ConfigProblem[] {
  const key = 'transaction.boundary';
  if (delivery === 'atomic' || valueOf(raw, key) !== 'connector' || plugin.canDefineTransactionBoundaries === true) return [];
  const message =
    'The connector does not support connector-defined transaction boundaries with the given configuration. ' +
    'Please reconfigure it to use a different transaction boundary definition.';
  return [{ key, message }];
}

/** What the keys do not do on this worker, a sentence for each. */
export function exactlyOnceWarnings(raw: RawConfig, delivery: SourceDelivery): string[] {
  if (delivery === 'transactions') return intervalWarnings(raw);
  const warnings: string[] = [];
  const why = {
    plain: 'exactly.once.source.support is not enabled on this worker: there are no transactions, and a crash may repeat records',
    standalone: 'a standalone worker on Kafka writes without transactions, as Connect does: a crash may repeat records',
    atomic: 'on the embedded log the records and offsets of each write are one',
  }[delivery];
  const warn = (key: string): void => void warnings.push(`${key}=${raw[key]?.trim() ?? ''} has no effect: ${why}.`);
  if (delivery !== 'atomic' && valueOf(raw, 'exactly.once.support') === 'required') warn('exactly.once.support');
  if (!['', 'poll'].includes(valueOf(raw, 'transaction.boundary'))) warn('transaction.boundary');
  if (valueOf(raw, 'transaction.boundary.interval.ms') !== '') warn('transaction.boundary.interval.ms');
  if (delivery === 'standalone' && valueOf(raw, 'offsets.storage.topic') !== '') {
    warnings.push(
      `offsets.storage.topic=${raw['offsets.storage.topic']} has no effect: a standalone worker keeps the offsets of all its connectors in offset.storage.file.filename.`,
    );
  }
  return warnings;
}

function intervalWarnings(raw: RawConfig): string[] {
  const key = 'transaction.boundary.interval.ms';
  if (valueOf(raw, key) === '' || valueOf(raw, 'transaction.boundary') === 'interval') return [];
  return [`${key}=${raw[key]} has no effect: transaction.boundary is not interval.`];
}

function valueOf(raw: RawConfig, key: string): string {
  return raw[key]?.trim().toLowerCase() ?? '';
}

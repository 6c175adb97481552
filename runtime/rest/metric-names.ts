/**
 * Connect's attributes under the names that Prometheus' JMX exporter gives them.
 *
 * There are two common sets of rules, and dashboards for each. `confluent`: the rules of Confluent's monitoring
 * stacks, which are also what the exporter does by itself (domain, bean type, attribute). `strimzi`: the example
 * rules that come with the exporter, which Strimzi uses; they leave `-metrics` out.
 */
export type Naming = 'confluent' | 'strimzi';
export const namings: readonly Naming[] = ['confluent', 'strimzi'];

export type Bean =
  | 'connector-metrics'
  | 'connector-task-metrics'
  | 'source-task-metrics'
  | 'sink-task-metrics'
  | 'task-error-metrics'
  | 'connect-worker-metrics'
  | 'connect-worker-rebalance-metrics'
  | 'connect-coordinator-metrics';

/** Every name that the attribute has: Debezium's example rules name those of the worker once more. */
export function metricNames(naming: Naming, bean: Bean, attribute: string): readonly string[] {
  if (naming === 'strimzi') {
    const worker = bean.startsWith('connect-worker') ? bean.slice('connect-'.length) : bean;
    return [identifier(`kafka.connect.${worker.replace(/-metrics$/, '')}.${attribute}`)];
  }
  const name = identifier(`kafka.connect.${bean}.${attribute}`);
  return bean === 'connect-worker-metrics' ? [name, identifier(`kafka.connect.worker-metrics.${attribute}`)] : [name];
}

const errorAttributes = new Set([
  'total-record-failures',
  'total-record-errors',
  'total-records-skipped',
  'total-retries',
  'total-errors-logged',
  'deadletterqueue-produce-requests',
  'deadletterqueue-produce-failures',
  'last-error-timestamp',
]);

const sharedAttributes = new Set([
  'running-ratio',
  'pause-ratio',
  'offset-commit-max-time-ms',
  'offset-commit-avg-time-ms',
  'batch-size-max',
  'batch-size-avg',
  'offset-commit-success-percentage',
  'offset-commit-failure-percentage',
]);

const rebalanceAttributes = new Set([
  'connect-protocol',
  'leader-name',
  'epoch',
  'completed-rebalances-total',
  'rebalancing',
  'rebalance-max-time-ms',
  'rebalance-avg-time-ms',
  'time-since-last-rebalance-ms',
]);

/** The bean that Connect keeps an attribute of the membership in. */
export function membershipBeanOf(attribute: string): Bean {
  return rebalanceAttributes.has(attribute) ? 'connect-worker-rebalance-metrics' : 'connect-coordinator-metrics';
}

/** The bean that Connect keeps a task's attribute in. */
export function beanOf(kind: 'source' | 'sink', attribute: string): Bean {
  if (errorAttributes.has(attribute)) return 'task-error-metrics';
  return sharedAttributes.has(attribute) ? 'connector-task-metrics' : `${kind}-task-metrics`;
}

/** Prometheus' alphabet, in lower case. */
export function identifier(name: string): string {
  const safe = name.replace(/[^a-zA-Z0-9_]/g, '_').toLowerCase();
  return /^\d/.test(safe) ? `_${safe}` : safe;
}

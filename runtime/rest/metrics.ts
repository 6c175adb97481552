/** The text that Prometheus scrapes: made anew from the source for each scrape. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import { beanOf, identifier, membershipBeanOf, metricNames } from './metric-names.ts';
import type { Bean, Naming } from './metric-names.ts';
import type { ConnectorMetrics, MetricsSource } from './metrics-source.ts';
import type { MembershipFigures } from '../ports/membership.ts';
import type { TaskMetrics } from '../ports/tasks.ts';

export interface Metrics {
  readonly contentType: string;
  scrape(naming: Naming): Promise<string>;
}

type Labels = Readonly<Record<string, string>>;
type Put = (name: string, help: string, labels: Labels, value: number) => void;

export function createMetrics(source: MetricsSource): Metrics {
  const process = new Registry();
  collectDefaultMetrics({ register: process });
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    async scrape(naming) {
      const registry = new Registry();
      const put = putInto(registry);
      const [worker, connectors] = await Promise.all([source.worker(), source.connectors()]);
      putAttributes(put, naming, 'connect-worker-metrics', {}, worker);
      putMembership(put, naming, source.membership?.() ?? {});
      for (const connector of connectors) putConnector(put, naming, connector);
      for (const task of source.tasks()) putTask(put, naming, task);
      for (const { id, total } of source.restarts?.() ?? []) {
        const labels = { connector: id.connector, task: String(id.task) };
        put('millrace_task_restarts_total', 'Restarts of the failed task that came by themselves (errors.restart.attempts)', labels, total);
      }
      const texts = await Promise.all([registry.metrics(), process.metrics()]);
      return texts.join('\n');
    },
  };
}

/** A text cannot be a value: what a bean has of them are the labels of one metric of its own, with the value 1. */
function putMembership(put: Put, naming: Naming, figures: MembershipFigures): void {
  const texts = new Map<Bean, Record<string, string>>();
  for (const [attribute, value] of Object.entries(figures)) {
    const bean = membershipBeanOf(attribute);
    if (typeof value === 'number') putAttributes(put, naming, bean, {}, { [attribute]: value });
    else if (labelNames.includes(identifier(attribute))) texts.set(bean, { ...texts.get(bean), [identifier(attribute)]: value });
  }
  for (const [bean, labels] of texts) {
    for (const name of metricNames(naming, bean, 'info')) put(name, `Texts of kafka.connect:type=${bean}`, labels, 1);
  }
}

function putConnector(put: Put, naming: Naming, { connector, summary, texts, attributes, taskStates }: ConnectorMetrics): void {
  put(
    'millrace_connector_summary',
    'How the connector fares as a whole, as any worker of the cluster sees it',
    { connector, status: summary },
    1,
  );
  if (texts) {
    const labels = Object.fromEntries(Object.entries(texts).map(([name, text]) => [identifier(name), text]));
    put('kafka_connect_connector_metrics', 'What the connector is, and its state', { connector, ...labels }, 1);
  }
  for (const [task, status] of Object.entries(taskStates)) {
    put('kafka_connect_connector_status', 'State of each task', { connector, task, status }, 1);
  }
  putAttributes(put, naming, 'connect-worker-metrics', { connector }, attributes);
}

function putTask(put: Put, naming: Naming, { id, kind, attributes, own, labelled = [], thread }: TaskMetrics): void {
  const labels = { connector: id.connector, task: String(id.task) };
  for (const [attribute, value] of Object.entries(attributes)) {
    putAttributes(put, naming, beanOf(kind, attribute), labels, { [attribute]: value });
  }
  for (const [name, value] of Object.entries(own)) {
    put(identifier(`millrace_connector_${name}`), `${name}, as the connector reports it`, labels, value);
  }
  for (const figure of labelled) {
    put(figure.name, `${figure.name}, as the connector reports it`, { ...figure.labels, ...labels }, figure.value);
  }
  put('millrace_task_heap_bytes', 'JavaScript heap of the task’s thread', labels, thread.heapBytes);
  put('millrace_task_buffer_bytes', 'Buffers of the task’s thread, outside its heap', labels, thread.bufferBytes);
  put('millrace_task_cpu_seconds_total', 'CPU time of the task’s thread', labels, thread.cpuSeconds);
}

function putAttributes(put: Put, naming: Naming, bean: Bean, labels: Labels, attributes: Readonly<Record<string, number>>): void {
  for (const [attribute, value] of Object.entries(attributes)) {
    for (const name of metricNames(naming, bean, attribute)) put(name, `${attribute} of kafka.connect:type=${bean}`, labels, value);
  }
}

/**
 * All label names of a metric must be known when it is made, and one metric can come with several sets of them
 * (the worker's figures, with and without a connector): values are gathered first.
 */
function putInto(registry: Registry): Put {
  const made = new Map<string, Counter | Gauge>();
  return (name, help, labels, value) => {
    let metric = made.get(name);
    if (metric === undefined) {
      const options = { name, help, labelNames, registers: [registry] };
      metric = name.endsWith('_total') ? new Counter(options) : new Gauge(options);
      made.set(name, metric);
    }
    metric.inc(labels, value);
  };
}

const labelNames = [
  ...['connector', 'task', 'status', 'connector_type', 'connector_class', 'connector_version'],
  ...['connect_protocol', 'leader_name', 'client_id'],
  // Of Debezium's beans, as the rules of its JMX exporter name them.
  ...['plugin', 'name', 'context', 'table'],
  'slot',
];

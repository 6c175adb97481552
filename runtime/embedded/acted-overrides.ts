/** Settings of the Kafka clients that a task acts on when its log is the embedded one; the others mean brokers. */
export const actedOverrides: Readonly<Record<'producer' | 'consumer' | 'admin', ReadonlySet<string>>> = {
  producer: new Set(['compression.type', 'delivery.timeout.ms', 'max.request.size']),
  consumer: new Set(['auto.offset.reset', 'check.crcs', 'group.id', 'max.poll.interval.ms', 'max.poll.records']),
  admin: new Set(),
};

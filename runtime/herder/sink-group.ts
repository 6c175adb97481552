import type { RawConfig } from '../api/index.ts';

/** The consumer group of a sink. Source: org.apache.kafka.connect.util.SinkUtils.consumerGroupId. */
export function sinkGroup(name: string, config: RawConfig): string {
  return config['consumer.override.group.id'] ?? `connect-${name}`;
}

/**
 * How sources of a worker write their records and offsets, which decides about the keys that ask for exactly-once:
 *
 * - `transactions`: distributed, with `exactly.once.source.support=enabled`: in one transaction (KIP-618)
 * - `plain`: distributed without: records first, offsets later
 * - `standalone`: alone on Kafka: as `plain`, and Connect passes over the keys
 * - `atomic`: on the embedded log: in one append
 */
export type SourceDelivery = 'transactions' | 'plain' | 'standalone' | 'atomic';

export function sourceDelivery(worker: {
  readonly log: 'kafka' | 'embedded';
  readonly mode: 'standalone' | 'distributed';
  readonly exactlyOnce: 'disabled' | 'preparing' | 'enabled';
}): SourceDelivery {
  if (worker.log === 'embedded') return 'atomic';
  if (worker.mode === 'standalone') return 'standalone';
  return worker.exactlyOnce === 'enabled' ? 'transactions' : 'plain';
}

/** Millrace in a process of its own, started and measured like any rival. */
import { startMillrace } from '../test/services/millrace.ts';
import type { MillraceServer } from '../test/services/millrace.ts';
import type { BenchSubject } from './measure.ts';
import { debeziumConfig } from './peer-debezium.ts';
import type { DebeziumOptions } from './peer-debezium.ts';

/** The same connector JSON as the peer's. */
export function millraceSubject(options: DebeziumOptions): BenchSubject {
  const { table = 'public.orders', reads } = options;
  const id = `millrace_${reads}_${Date.now().toString(36)}`;
  let worker: MillraceServer | undefined;
  return {
    name: options.label ?? `Millrace (${reads})`,
    topic: `${id}.${table}`,
    async start() {
      worker = await startMillrace({ brokers: options.brokers, properties: { 'offset.flush.interval.ms': '10000' } });
      await worker.put(id, debeziumConfig(options, id));
      return { readyAfterMs: worker.readyAfterMs };
    },
    stop: async () => worker?.[Symbol.asyncDispose](),
    pid: () => worker!.pid,
    async failure() {
      const { connector, tasks } = await worker!.status(id);
      return connector.trace ?? tasks.find(({ state }) => state === 'FAILED')?.trace;
    },
  };
}

/** What workers ask of the leader. Source: org.apache.kafka.connect.runtime.rest.resources.InternalClusterResource. */
import { RequestError } from '../ports/herder.ts';
import type { Herder } from '../ports/herder.ts';
import { notFound } from './connector-requests.ts';
import type { HerderOptions } from './herder-context.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import type { Leadership } from './leadership.ts';
import type { SessionKeys } from './session-keys.ts';
import { sameConfig, sameConfigs } from './task-configs.ts';
import type { ZombieFencing } from './zombie-fencing.ts';

export function createInternalRequests(
  { configStore }: HerderOptions,
  queue: KeyedQueue,
  leadership: Leadership,
  keys: SessionKeys,
  fencing: ZombieFencing,
): Pick<Herder, 'putTaskConfigs' | 'fenceZombies'> {
  return {
    async putTaskConfigs(name, configs, signature) {
      keys.verify(signature);
      await queue.run(name, async () => {
        await leadership.required();
        const entry = configStore.get(name);
        if (entry === undefined) throw notFound(name);
        if (configs.length > 0 && entry.target === 'STOPPED') {
          throw new RequestError(400, `Cannot submit non-empty set of task configs for stopped connector ${name}`);
        }
        // See connector-runs: after a change of the connector's config they are written though they be equal.
        const applied = configStore.appliedConfig?.(name);
        if (applied !== undefined && sameConfig(applied, entry.properties) && sameConfigs(entry.tasks, configs)) return;
        await leadership.write(() => configStore.putTaskConfigs(name, configs));
      });
    },
    async fenceZombies(name, signature) {
      keys.verify(signature);
      await fencing.fence(name);
    },
  };
}

import type { Logger } from '../api/index.ts';
import type { ConfigStore } from '../ports/stores.ts';
import { configRecords } from './config-records.ts';
import { createConfigState, incompleteText } from './config-state.ts';
import type { Journal } from './journal.ts';
import { memoryJournal } from './journal.ts';

/**
 * Connectors, their task configs and target states, and what workers of a group tell each other, over a journal
 * that it closes. Target states and logger levels are written by any worker; all else is the leader's, and goes
 * through the journal's exclusive writing where it has that. Source: KafkaConfigBackingStore#sendPrivileged.
 */
export function createConfigStore(journal: Journal, logger?: Logger): ConfigStore {
  const state = createConfigState(logger);
  const leader = journal.exclusive ?? { async claim() {}, write: (records) => journal.write(records) };
  return {
    async start(listener) {
      let started = false;
      await journal.start((records, replay) => {
        const events = state.apply(records, replay);
        if (!started) return;
        for (const event of events) {
          if (event.kind === 'connector') listener.connector(event.name);
          else if (event.kind === 'logger') listener.logger?.(event.name, event.level);
          // A request to restart was for those who ran at that time.
          else if (!replay) listener.restart?.(event.request);
        }
      });
      started = true;
      for (const name of state.inconsistent()) logger?.warn(incompleteText(name));
      for (const [name, level] of state.loggers()) listener.logger?.(name, level);
    },
    connectors: () => state.names(),
    get: (name) => state.get(name),
    putConnector: (name, properties, target) =>
      leader.write([...(target === undefined ? [] : [configRecords.target(name, target)]), configRecords.connector(name, properties)]),
    removeConnector: (name) => leader.write(configRecords.removal(name)),
    putTaskConfigs: (name, configs) => leader.write(configRecords.tasks(name, configs)),
    putTargetState: (name, target) => journal.write([configRecords.target(name, target)]),
    offset: () => state.offset(),
    readToEnd: (timeoutMs) => journal.readToEnd(timeoutMs),
    sessionKey: () => state.sessionKey(),
    putSessionKey: (key) => leader.write([configRecords.sessionKey(key)]),
    putRestart: (request) => leader.write([configRecords.restart(request)]),
    putLogger: (name, level) => journal.write([configRecords.logger(name, level)]),
    fencedTasks: (name) => state.fencedTasks(name),
    needsFencing: (name) => state.needsFencing(name),
    putFencedTasks: (name, count) => leader.write([configRecords.fencing(name, count)]),
    taskGeneration: (name) => state.taskGeneration(name),
    appliedConfig: (name) => state.appliedConfig(name),
    claimWriting: () => leader.claim(),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/** Connect's standalone habit: forgotten when the process ends. */
export function memoryConfigStore(): ConfigStore {
  return createConfigStore(memoryJournal());
}

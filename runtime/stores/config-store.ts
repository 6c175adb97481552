import type { ConfigStore } from '../ports/stores.ts';
import { configRecords, createConfigState } from './config-state.ts';
import type { Journal } from './journal.ts';
import { memoryJournal } from './journal.ts';

/** Connectors, their task configs and target states, over a journal that it closes. */
export function createConfigStore(journal: Journal): ConfigStore {
  const state = createConfigState();
  return {
    async start(onChange) {
      let started = false;
      await journal.start((records) => {
        const changed = state.apply(records);
        if (started) for (const name of changed) onChange(name);
      });
      started = true;
    },
    connectors: () => state.names(),
    get: (name) => state.get(name),
    putConnector: (name, properties, target) =>
      journal.write([...(target === undefined ? [] : [configRecords.target(name, target)]), configRecords.connector(name, properties)]),
    removeConnector: (name) => journal.write(configRecords.removal(name)),
    putTaskConfigs: (name, configs) => journal.write(configRecords.tasks(name, configs)),
    putTargetState: (name, target) => journal.write([configRecords.target(name, target)]),
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

/** Connect's standalone habit: forgotten when the process ends. */
export function memoryConfigStore(): ConfigStore {
  return createConfigStore(memoryJournal());
}

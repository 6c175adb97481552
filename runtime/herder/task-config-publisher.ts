/**
 * Takes the task configs that a connector's owner made to the config store: the leader writes, others ask it to.
 * Goes on until it succeeds. Source: DistributedHerder.reconfigureConnectorTasksWithRetry.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RawConfig } from '../api/index.ts';
import { ForwardError } from '../ports/herder.ts';
import { messageOf } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import type { Leadership } from './leadership.ts';
import type { SessionKeys } from './session-keys.ts';

export interface TaskConfigPublisher extends AsyncDisposable {
  /** In place of what was under way for this connector. Does not wait. */
  publish(connector: string, configs: readonly RawConfig[]): void;
  /** The connector was stopped or deleted, or runs elsewhere now. */
  cancel(connector: string): void;
  /** What waits for its next try tries at once: another may lead now. */
  retry(): void;
}

interface Publication {
  readonly over: AbortController;
  /** Ends the wait for the next try. */
  wake: AbortController;
}

const firstBackoffMs = 250;
const longestBackoffMs = 60_000;

export function createTaskConfigPublisher(
  { configStore, peers, logger }: HerderOptions,
  leadership: Leadership,
  keys: SessionKeys,
): TaskConfigPublisher {
  const publications = new Map<string, Publication>();
  const sending = new Map<string, Promise<void>>();

  async function send(connector: string, configs: readonly RawConfig[]): Promise<void> {
    try {
      await leadership.write(() => configStore.putTaskConfigs(connector, configs));
    } catch (error) {
      if (!(error instanceof ForwardError) || error.url === undefined || peers === undefined) throw error;
      await peers.putTaskConfigs(error.url, connector, configs, keys.current());
    }
  }

  async function insist(connector: string, configs: readonly RawConfig[], publication: Publication, earlier: Promise<void>): Promise<void> {
    // One that is on its way must not arrive after this one.
    await earlier;
    let backoffMs = firstBackoffMs;
    while (!publication.over.signal.aborted) {
      const { wake } = publication;
      try {
        await send(connector, configs);
        if (publications.get(connector) === publication) publications.delete(connector);
        return;
      } catch (error) {
        if (publication.over.signal.aborted) return;
        logger.warn(`connector ${connector}: its task configs did not get to the leader, next try in ${backoffMs} ms: ${messageOf(error)}`);
        const signal = AbortSignal.any([publication.over.signal, wake.signal]);
        await sleep(backoffMs, undefined, { signal, ref: false }).catch(() => {});
        if (wake.signal.aborted) {
          publication.wake = new AbortController();
          backoffMs = firstBackoffMs;
        } else backoffMs = Math.min(2 * backoffMs, longestBackoffMs);
      }
    }
  }

  function cancel(connector: string): void {
    publications.get(connector)?.over.abort();
    publications.delete(connector);
  }

  return {
    publish(connector, configs) {
      const earlier = sending.get(connector) ?? Promise.resolve();
      cancel(connector);
      const publication = { over: new AbortController(), wake: new AbortController() };
      publications.set(connector, publication);
      const done = insist(connector, configs, publication, earlier).finally(() => {
        if (sending.get(connector) === done) sending.delete(connector);
      });
      sending.set(connector, done);
    },
    cancel,
    retry() {
      for (const { wake } of publications.values()) wake.abort();
    },
    async [Symbol.asyncDispose]() {
      for (const connector of publications.keys()) cancel(connector);
    },
  };
}

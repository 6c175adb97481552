/** Brings one batch into Elasticsearch, as often as it takes, and tells what became of each operation. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ConnectError, RetriableError } from '@millrace/runtime/api';
import type { Logger } from '@millrace/runtime/api';

import { backoffMs } from './backoff.ts';
import { subBatch } from './bulk-batch.ts';
import type { BulkBatch, BulkEntry } from './bulk-batch.ts';
import type { BulkPost } from './bulk-post.ts';
import { itemOutcome } from './item-outcome.ts';
import type { ItemOutcome } from './item-outcome.ts';
import type { Operation } from './operation.ts';
import { nameOf } from './read-topic.ts';

/** What became of an operation that was not simply done. */
export type Exception =
  /** `again`: it had been sent before, so that the version may well be its own. */
  | { readonly kind: 'conflict'; readonly current: bigint | undefined; readonly again: boolean; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface DeliveryParts {
  readonly post: BulkPost;
  readonly maxRetries: number;
  readonly backoffMs: number;
  readonly log: Logger;
  /** Aborts requests and waits. */
  readonly signal: AbortSignal;
  /** Takes care of an operation that was not done; what it rejects with ends the delivery. */
  exception(operation: Operation, exception: Exception): Promise<void>;
  /** It is not to be sent any more: its partition went to another task. */
  abandoned(operation: Operation): boolean;
  /** It needs no more care. */
  settled(operation: Operation): void;
  /** Counts of what was sent, and sent again. */
  count(what: 'bulk-requests' | 'bulk-request-retries' | 'item-retries', by: number): void;
}

/**
 * Resolves when all operations of the batch are settled, in their order for each document. Rejects with a ConnectError
 * when retries made no progress, or a person has to act. One at a time for each document: nothing here keeps two
 * calls from overtaking each other.
 */
export type Delivery = (batch: BulkBatch) => Promise<void>;

export function delivery(parts: DeliveryParts): Delivery {
  const { post, maxRetries, log, signal } = parts;

  async function deliver(whole: BulkBatch, sentBefore: boolean): Promise<void> {
    let batch = whole;
    let again = sentBefore;
    for (let retries = 0; ;) {
      batch = wanted(batch);
      if (batch.entries.length === 0) return;
      parts.count('bulk-requests', 1);
      const answer = await post(batch, signal);
      let reason;
      let cause: unknown;
      if (answer.kind === 'items') {
        const left = await settle(batch, answer.items.map(itemOutcome), again);
        if (left.entries.length === 0) return;
        parts.count('item-retries', left.entries.length);
        if (left.entries.length < batch.entries.length) retries = 0;
        batch = subBatch(batch, left.entries);
        reason = `${left.entries.length} items were refused for now: ${left.reason}`;
      } else if (answer.kind === 'retry') {
        parts.count('bulk-request-retries', 1);
        ({ reason, cause } = answer);
      } else {
        return split(batch, answer.kind === 'too-large' ? `it is too large for the server (${answer.reason})` : answer.reason, again);
      }
      again = true;
      if (++retries > maxRetries) {
        throw new ConnectError(`Elasticsearch took no ${batch.entries.length} records after ${maxRetries} retries: ${reason}.`, {
          // It may pass by itself: a restart of the task, where the config asks for those, may find it gone.
          cause: new RetriableError(reason, cause === undefined ? {} : { cause }),
          hint: 'See to it, and restart the task; to wait longer for it, raise max.retries or retry.backoff.ms.',
        });
      }
      const waitMs = backoffMs(retries, parts.backoffMs);
      log.warn(`bulk request of ${batch.entries.length} records, retry ${retries} of ${maxRetries} in ${Math.round(waitMs)} ms: ${reason}`);
      await sleep(waitMs, undefined, { signal });
    }
  }

  function wanted(batch: BulkBatch): BulkBatch {
    const left = batch.entries.filter(({ operation }) => !parts.abandoned(operation));
    if (left.length === batch.entries.length) return batch;
    for (const { operation } of batch.entries) if (parts.abandoned(operation)) parts.settled(operation);
    return subBatch(batch, left);
  }

  /** A request that is refused as a whole: smaller ones tell which record is the reason. */
  async function split(batch: BulkBatch, reason: string, again: boolean): Promise<void> {
    const [first] = batch.entries;
    if (batch.entries.length === 1 && first !== undefined) {
      await parts.exception(first.operation, { kind: 'malformed', reason });
      return parts.settled(first.operation);
    }
    const middle = batch.entries.length >> 1;
    await deliver(subBatch(batch, batch.entries.slice(0, middle)), again);
    await deliver(subBatch(batch, batch.entries.slice(middle)), again);
  }

  /** Settles what is over, and returns what is to be sent again. */
  async function settle(
    { entries }: BulkBatch,
    outcomes: readonly ItemOutcome[],
    again: boolean,
  ): Promise<{ entries: BulkEntry[]; reason: string }> {
    const left: BulkEntry[] = [];
    const waiting = new Set<string>();
    let reason = '';
    for (const [i, entry] of entries.entries()) {
      const { operation } = entry;
      const outcome = outcomes[i] as ItemOutcome;
      const document = operation.shared && operation.version === null ? documentOf(operation) : undefined;
      // What came after a write that is to be repeated is repeated too, lest the older one should have the last word.
      const overtakes = document !== undefined && waiting.has(document);
      const isRefused = outcome.kind === 'retry' || (outcome.kind === 'conflict' && operation.action === 'update');
      if (overtakes || isRefused) {
        left.push(entry);
        if (document !== undefined) waiting.add(document);
        if (isRefused) reason = outcome.reason;
        continue;
      }
      if (outcome.kind === 'fatal') throw refusal(operation, outcome.reason);
      if (outcome.kind === 'conflict' || outcome.kind === 'malformed') await parts.exception(operation, { ...outcome, again } as Exception);
      parts.settled(operation);
    }
    return { entries: left.length === 0 ? left : await notOvertaken(left, entries, outcomes), reason };
  }

  /**
   * Without those that a later record of the same document and version or a higher one has overtaken. Elasticsearch would
   * refuse most of them, but it forgets the versions of deleted documents after a while (index.gc_deletes). Of resubmitted
   * ones it is told: somebody waits for them.
   */
  async function notOvertaken(
    left: readonly BulkEntry[],
    entries: readonly BulkEntry[],
    outcomes: readonly ItemOutcome[],
  ): Promise<BulkEntry[]> {
    const newest = new Map<string, bigint>();
    for (const [i, { operation }] of entries.entries()) {
      const kind = outcomes[i]?.kind;
      if (operation.version === null || (kind !== 'done' && kind !== 'conflict')) continue;
      const document = documentOf(operation);
      const version = newest.get(document);
      if (version === undefined || version < operation.version) newest.set(document, operation.version);
    }
    const kept: BulkEntry[] = [];
    for (const entry of left) {
      const { operation } = entry;
      const { version, record } = operation;
      const current = newest.get(documentOf(operation)) ?? -1n;
      if (version === null || current < version) {
        kept.push(entry);
        continue;
      }
      if (record.resubmitted !== undefined)
        await parts.exception(operation, { kind: 'conflict', current, again: true, reason: `it has version ${current}` });
      parts.settled(operation);
    }
    return kept;
  }

  return (batch) => deliver(batch, false);
}

const documentOf = ({ target, id }: Operation): string => `${target.resource}\0${id}`;

function refusal({ record, target }: Operation, reason: string): ConnectError {
  return new ConnectError(`Elasticsearch refuses to write to "${target.resource}" (record ${nameOf(record)}): ${reason}.`, {
    hint: 'See to the index, its settings and the rights on it, and restart the task.',
  });
}

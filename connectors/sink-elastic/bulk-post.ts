/** One attempt of one bulk request, and what its answer or its failure means. */
import { ConnectError } from '@millrace/runtime/api';

import type { BulkBatch } from './bulk-batch.ts';
import type { ElasticClient } from './client.ts';
import { problemOf } from './client-problem.ts';
import type { ClientProblem } from './client-problem.ts';
import type { BulkItem } from './item-outcome.ts';

/**
 * - `items`: one for each entry, in order.
 * - `retry`: nobody knows what became of it, or all of it was refused for a reason that passes.
 * - `too-large`, `refused`: one of its records is the reason; which one, only smaller requests tell.
 */
export type BulkAnswer =
  | { readonly kind: 'items'; readonly items: readonly BulkItem[] }
  | { readonly kind: 'retry' | 'too-large' | 'refused'; readonly reason: string; readonly cause?: unknown };

export type BulkPost = (batch: BulkBatch, signal: AbortSignal) => Promise<BulkAnswer>;

/** Rejects with a ConnectError where a person has to act, and with an AbortError. */
export function bulkPost(client: ElasticClient): BulkPost {
  return async ({ bytes, length, entries }, signal) => {
    let answer;
    try {
      // Only what is looked at is asked for: an item that went well is then its status.
      const path = '/_bulk?filter_path=errors,items.*.status,items.*.error';
      answer = await client.send('POST', path, { ndjson: Buffer.from(bytes.buffer, 0, length), signal });
    } catch (error) {
      signal.throwIfAborted();
      const problem = problemOf(error);
      return whole(problem, error);
    }
    const items = itemsOf(answer);
    if (items?.length === entries.length) return { kind: 'items', items };
    return { kind: 'retry', reason: `the answer tells of ${items?.length ?? 'no'} items, and ${entries.length} were sent` };
  };
}

function whole({ kind, reason, status }: ClientProblem, cause: unknown): BulkAnswer {
  if (status === 413) return { kind: 'too-large', reason };
  if (status === 400) return { kind: 'refused', reason };
  if (kind === 'passing') return { kind: 'retry', reason, cause };
  throw new ConnectError(`Elasticsearch refuses bulk requests: ${reason}.`, { cause, hint: hintOf(status) });
}

function hintOf(status: number | undefined): string {
  if (status === 401) return 'Check connection.username and connection.password, or connection.api.key.';
  if (status === 403) return 'Give the user the rights to write to the index, to make it, and to see and change its mapping.';
  return 'Check that connection.url names Elasticsearch nodes.';
}

function itemsOf(answer: unknown): BulkItem[] | undefined {
  const { items } = (answer ?? {}) as { items?: unknown };
  if (!Array.isArray(items)) return undefined;
  return items.map((item) => Object.values(item as Record<string, BulkItem>)[0] ?? { status: 500 });
}

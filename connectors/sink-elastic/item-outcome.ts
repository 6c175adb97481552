/** What each item of a bulk answer means. One table; its rows go from the particular to the general. */

/** As Elasticsearch writes it. */
export interface ItemError {
  readonly type: string;
  readonly reason?: string | null;
  readonly caused_by?: ItemError;
}

export interface BulkItem {
  readonly status: number;
  readonly error?: ItemError;
}

/**
 * - `done`: the document is as the record says.
 * - `conflict`: it has another version, `current` if the answer tells.
 * - `retry`: refused for a reason that passes.
 * - `malformed`: this document cannot be written.
 * - `fatal`: a person has to act on the index or the rights; no other document would fare better.
 */
export type ItemOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'conflict'; readonly current: bigint | undefined; readonly reason: string }
  | { readonly kind: 'retry' | 'malformed' | 'fatal'; readonly reason: string };

const done: ItemOutcome = { kind: 'done' };

/** Of the document, although their status says that the server is at fault. */
const documentFaults = new Set(['not_x_content_exception', 'x_content_parse_exception', 'json_parse_exception']);

/** Of the index, although their status says that the request is at fault. */
const indexFaults = new Set([
  'index_closed_exception',
  'invalid_index_name_exception',
  'invalid_alias_name_exception',
  'index_creation_exception',
  'invalid_index_template_exception',
]);

/** Passing, although their status does not say so: the index is being made, moved or deleted under us. */
const passing = new Set(['unavailable_shards_exception', 'no_shard_available_action_exception', 'node_not_connected_exception']);

export function itemOutcome({ status, error }: BulkItem): ItemOutcome {
  // A delete of what is not there is answered 404, without an error.
  if (error === undefined) return done;
  const reason = reasonOf(error);
  const is = (types: ReadonlySet<string>): boolean => types.has(error.type);
  if (error.type === 'version_conflict_engine_exception') return { kind: 'conflict', current: currentVersion(error), reason };
  if (is(documentFaults)) return { kind: 'malformed', reason };
  if (is(passing) || status === 429 || status >= 500) return { kind: 'retry', reason };
  if (status === 400 && !is(indexFaults)) return { kind: 'malformed', reason };
  return { kind: 'fatal', reason };
}

/** The error and what it was caused by, in one line. */
export function reasonOf(error: ItemError): string {
  const own = `${error.type}: ${error.reason ?? 'no reason given'}`;
  return error.caused_by === undefined ? own : `${own} (caused by ${reasonOf(error.caused_by)})`;
}

function currentVersion({ reason }: ItemError): bigint | undefined {
  const digits = /current version \[(\d+)\]/.exec(reason ?? '')?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

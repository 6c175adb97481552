/** What a worker's key is, and what becomes of it. */
import type { ConfigKey } from '../api/index.ts';

/**
 * `used`: acted on. `kafka`: handed to the Kafka client, which acts on it. `distributed`: has effect in a
 * distributed worker only. `ignored`: accepted, with a warning that names it. `refused`: security or delivery hang
 * on it and we cannot give that, so the worker does not start (values in `harmless` aside).
 */
export type KeyState = 'used' | 'kafka' | 'distributed' | 'ignored' | 'refused';

export interface WorkerKey {
  readonly state: KeyState;
  readonly type: ConfigKey['type'];
  /** As text; undefined: required, null: none. */
  readonly default: string | null | undefined;
  /** One sentence. */
  readonly doc: string;
  /** Of an ignored or refused key: why, and what to do instead. */
  readonly why?: string;
  /** Values that a refused or ignored key may have without a word. */
  readonly harmless?: readonly string[];
  /** The values that there are, in any case. */
  readonly values?: readonly string[];
  readonly min?: number;
}

export type WorkerKeys = Readonly<Record<string, WorkerKey>>;

type Extra = Pick<WorkerKey, 'values' | 'min'>;

export const used = (type: WorkerKey['type'], fallback: string | null | undefined, doc: string, extra: Extra = {}): WorkerKey => ({
  state: 'used',
  type,
  default: fallback,
  doc,
  ...extra,
});

export const distributed = (type: WorkerKey['type'], fallback: string | null | undefined, doc: string, extra: Extra = {}): WorkerKey => ({
  state: 'distributed',
  type,
  default: fallback,
  doc,
  ...extra,
});

export const kafka = (doc: string): WorkerKey => ({ state: 'kafka', type: 'string', default: null, doc });

export const ignored = (doc: string, why: string, harmless: readonly string[] = []): WorkerKey => ({
  state: 'ignored',
  type: 'string',
  default: null,
  doc,
  why,
  harmless,
});

export const refused = (doc: string, why: string, harmless: readonly string[] = []): WorkerKey => ({
  state: 'refused',
  type: 'string',
  default: null,
  doc,
  why,
  harmless,
});

/** What becomes of the client settings that a connector's config overrides. */
import type { ConfigProblem, RawConfig } from '../api/index.ts';

export type ClientName = 'producer' | 'consumer' | 'admin';

/** Keys without the client's prefix; a message tells why, and holds no value that may be a secret. */
export interface OverrideVerdicts {
  /** Security or delivery hang on them, and they cannot be followed. */
  readonly refused: readonly ConfigProblem[];
  /** They are accepted, and nothing acts on them. */
  readonly ignored: readonly ConfigProblem[];
}

/** Judges the overrides of one client, before any is opened with them. */
export type OverrideCheck = (client: ClientName, overrides: RawConfig) => OverrideVerdicts;

/** What an incremental snapshot works with. */
import type { Logger } from '@millrace/runtime/api';

import type { Notifier } from '../notifications/notifier.ts';
import type { Settings } from '../config/settings.ts';
import type { SourceNames } from '../records/source-block.ts';
import type { SqlLink } from '../connection/sql-link.ts';
import type { EmitParts } from './window.ts';

export interface IncrementalParts extends EmitParts {
  readonly settings: Settings;
  readonly names: SourceNames;
  readonly log: Logger;
  readonly sql: SqlLink;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
  readonly figure: (name: string, value: number) => void;
  /** The task cannot go on. */
  readonly failed: (error: Error) => void;
}

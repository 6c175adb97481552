/** The channels beside the signal table. */
import type { SourceTaskContext } from '@millrace/runtime/api';

import type { Settings } from '../settings.ts';
import { followFile } from './file-channel.ts';
import type { SignalDesk } from './signal-desk.ts';

/** Until the signal aborts; nothing that goes wrong there fails the task. */
export function followSignals(desk: SignalDesk, settings: Settings, context: SourceTaskContext, signal: AbortSignal): void {
  const { channels, file, pollIntervalMs } = settings.signals;
  const { log } = context;
  if (channels.has('file')) void followFile(file, pollIntervalMs, (found) => desk.arrive(found), log, signal);
}

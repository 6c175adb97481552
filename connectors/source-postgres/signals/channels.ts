/** The channels beside the signal table. */
import type { SourceTaskContext } from '@millrace/runtime/api';

import type { Settings } from '../config/settings.ts';
import { followFile } from './file-channel.ts';
import type { SignalDesk } from './signal-desk.ts';
import type { Signal } from './signal.ts';
import { followSignalTopic } from './topic-channel.ts';

/** Until the signal aborts; nothing that goes wrong there fails the task. */
export function followSignals(desk: SignalDesk, settings: Settings, context: SourceTaskContext, signal: AbortSignal): void {
  const { channels, file, pollIntervalMs } = settings.signals;
  const { log } = context;
  const arrive = (found: Signal): void => desk.arrive(found);
  if (channels.has('file')) void followFile(file, pollIntervalMs, desk, log, signal);
  else desk.forgetMark();
  if (channels.has('kafka')) {
    followSignalTopic(settings, context, arrive, signal).catch((error: unknown) =>
      log.warn(`the signal topic is not read any longer: ${String(error)}`),
    );
  }
}

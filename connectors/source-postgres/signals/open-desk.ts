/** The task's desk of signals, and all that leads there. */
import type { SourceTaskContext } from '@millrace/runtime/api';

import { createNotifier } from '../notifications/notifier.ts';
import type { Notifier } from '../notifications/notifier.ts';
import { followSignals } from './channels.ts';
import { SignalDesk } from './signal-desk.ts';
import type { DeskParts } from './signal-desk.ts';

/** `signal` ends the channels; `desk.close()` the rest. */
export function openDesk(
  parts: Omit<DeskParts, 'notifier' | 'figure' | 'failed'>,
  context: SourceTaskContext,
  signal: AbortSignal,
): { readonly desk: SignalDesk; readonly notifier: Notifier } {
  const notifier = createNotifier(parts);
  const desk = new SignalDesk({
    ...parts,
    notifier,
    figure: (name, value) => context.setFigure?.(name, value),
    failed: (error) => parts.queue.fail(error),
  });
  followSignals(desk, parts.settings, context, signal);
  return { desk, notifier };
}

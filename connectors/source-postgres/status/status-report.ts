/** What the connector's summary says of work that is well: how far the snapshot is, and what the slot retains. */
import type { SourceTaskContext, TaskReport } from '@millrace/runtime/api';

import type { Settings } from '../config/settings.ts';
import type { SlotState } from '../slot/slot.ts';

type Facts = TaskReport[string];

export interface StatusReport {
  /** Undefined when it is over. */
  snapshot(facts: Facts | undefined): void;
  slot(state: Pick<SlotState, 'retainedBytes' | 'unconfirmedBytes' | 'walStatus' | 'safeBytes'>): void;
}

/** A slot's figures change with every transaction: a new one is told when it differs so much, or means something else. */
const slotEveryMs = 60_000;
const slotDiffersBy = 0.1;

export function createStatusReport(
  setReport: SourceTaskContext['setReport'],
  { slot: name, retainedWarnBytes }: Pick<Settings, 'slot' | 'retainedWarnBytes'>,
  nowMs: () => number = () => performance.now(),
): StatusReport {
  let snapshot: Facts | undefined;
  let slot: Facts | undefined;
  let told = { state: '', retainedBytes: 0, atMs: -Infinity };
  const tell = (): void => {
    const report = { ...(snapshot && { snapshot }), ...(slot && { slot }) };
    setReport?.(Object.keys(report).length === 0 ? undefined : report);
  };

  return {
    snapshot(facts) {
      snapshot = facts;
      tell();
    },
    slot({ retainedBytes, unconfirmedBytes, walStatus, safeBytes }) {
      const aboveThreshold = retainedWarnBytes > 0 && retainedBytes > retainedWarnBytes;
      const state = `${walStatus} ${aboveThreshold}`;
      const differs = Math.abs(retainedBytes - told.retainedBytes) > told.retainedBytes * slotDiffersBy;
      if (state === told.state && (!differs || nowMs() - told.atMs < slotEveryMs)) return;
      told = { state, retainedBytes, atMs: nowMs() };
      slot = {
        ...{ name, retainedBytes, unconfirmedBytes },
        ...(walStatus !== null && { walStatus }),
        ...(safeBytes !== null && { safeBytes }),
        ...(retainedWarnBytes > 0 && { warnAboveBytes: retainedWarnBytes, aboveThreshold }),
      };
      tell();
    },
  };
}

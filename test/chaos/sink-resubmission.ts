/** What was wrong is mended, and the dead letters go back by REST: at the end all of the input is in the target, each record once. */
import { deepEqual } from 'node:assert/strict';

import type { Aftermath } from './sink-chaos.ts';
import { keyOf, valueOf } from './sink-input.ts';
import { readLetters } from './sink-letters.ts';
import type { Letter } from './sink-letters.ts';
import { until } from './until.ts';

const perRequest = 50;

export interface ResubmissionOptions {
  /** The sink says that letters can go straight to it: every second lot does, or all do. */
  readonly straight: boolean | 'all';
}

interface Report {
  readonly letters: readonly { readonly partition: number; readonly offset: number; readonly outcome: string; readonly reason?: string }[];
}

/** The worker is killed in the middle, and whoever asked asks again for all of it. */
export async function resubmitAll(
  { brokers, connector, lettersTopic, sent, workers, counts }: Aftermath,
  { straight }: ResubmissionOptions,
): Promise<void> {
  const letters = await readLetters(brokers, lettersTopic);
  const idAt = new Map(sent.map(({ id, partition, offset }) => [`${partition}/${offset}`, id]));
  const mended = ({ partition, offset, headers }: Letter): object => {
    const id = idAt.get(`${headers.get('__connect.errors.partition')}/${headers.get('__connect.errors.offset')}`) as number;
    return { partition, offset, key: keyOf(id), value: valueOf(id) };
  };
  const outcomes = new Map<string, string>();
  const ask = async (lot: readonly Letter[], target: 'topic' | 'sink'): Promise<void> => {
    // Keys are spread over partitions at random here, so that nobody could say whether a later record overtook one.
    const body = { letters: lot.map(mended), target, force: true };
    let report: Report = { letters: [] };
    await until('the letters are resubmitted', async () => {
      report = (await workers.request('POST', `/connectors/${connector}/dead-letters/resubmit`, body)) as Report;
      return true;
    });
    for (const { partition, offset, outcome, reason } of report.letters) {
      outcomes.set(
        `${partition}/${offset}`,
        outcome === 'unchanged' ? 'resubmitted' : `${outcome}${reason === undefined ? '' : `: ${reason}`}`,
      );
    }
  };
  for (let round = 0; round < 2; round++) {
    for (let at = 0, lot = 0; at < letters.length; at += perRequest, lot++) {
      const asked = ask(letters.slice(at, at + perRequest), straight === 'all' || (straight && lot % 2 === 1) ? 'sink' : 'topic');
      const struck = round === 0 && lot === 1 ? workers.strike() : undefined;
      await Promise.all([asked, struck]);
    }
  }
  deepEqual([...new Set(outcomes.values())], ['resubmitted']);
  deepEqual(outcomes.size, letters.length);

  let wrong: string[] = [];
  await until('all of the input is in the target', async () => {
    const found = await counts();
    wrong = sent
      .filter(({ id }) => found[id] !== 1)
      .map(({ id, poison }) => `${id} (${poison?.kind ?? 'good'}) is there ${found[id]} times`);
    return wrong.length === 0;
  }).catch(() => {});
  deepEqual(wrong.slice(0, 20), []);
}

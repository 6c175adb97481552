/** What the tests ask of the connector in a worker of its own process. */
import { until } from '../../../test/chaos/until.ts';
import type { MillraceServer } from '../../../test/services/millrace.ts';

/** Long, since the servers of other tests may run on the same two cores. */
const patienceMs = 240_000;

/** Waits for it; throws at once, with the reason, when the connector has failed. */
export async function whileRunning(
  worker: MillraceServer,
  names: readonly string[],
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  let failed: Error | undefined;
  const look = async (): Promise<boolean> => {
    for (const name of names) {
      const status = await worker.status(name).catch(() => undefined);
      const bad = status && [status.connector, ...status.tasks].find(({ state }) => state === 'FAILED');
      if (bad) failed = new Error(`${name} failed: ${bad.trace}`);
    }
    return failed !== undefined || (await isSo());
  };
  await until(what, look, patienceMs);
  if (failed !== undefined) throw failed;
}

/** The next offset that a sink's group has committed for the only partition it reads; 0 before the first. */
export async function committedOffset(worker: MillraceServer, name: string): Promise<number> {
  const { offsets } = (await worker.request('GET', `/connectors/${name}/offsets`)) as {
    offsets: readonly { readonly offset: { readonly kafka_offset: number } }[];
  };
  return offsets[0]?.offset.kafka_offset ?? 0;
}

/** Which workers of a cluster a row of the table is asked of. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { RestRow, Via } from './rest-row.ts';

export interface RestWorkers {
  asked(row: RestRow): Promise<readonly string[]>;
}

const patienceMs = 60_000;

export function createRestWorkers(urls: () => readonly string[]): RestWorkers {
  let turn = 0;
  return {
    async asked({ via, method }) {
      const all = urls();
      if (via !== undefined && all.length > 1) return [await chosen(all, via)];
      if (method === 'GET' || method === 'HEAD') return all;
      return [all[turn++ % all.length]!];
    },
  };
}

async function chosen(urls: readonly string[], via: Via): Promise<string> {
  if (via === 'first') return urls[0]!;
  return patiently(`a worker to be asked as ${JSON.stringify(via)}`, async () => {
    if (via === 'leader') return leaderOf(urls);
    if (via === 'follower') {
      const leader = await leaderOf(urls);
      return leader && urls.find((url) => url !== leader);
    }
    const owner =
      'taskNotOn' in via ? await ownerOf(urls[0]!, via.taskNotOn, 'tasks/0/status') : await connectorOwner(urls[0]!, via.connectorNotOn);
    return owner && urls.find((url) => new URL(url).host !== owner);
  });
}

/** Nobody but the leader says that there is no such connector: the others may not send the request on. */
async function leaderOf(urls: readonly string[]): Promise<string | undefined> {
  const statuses = await Promise.all(
    urls.map(async (url) => (await fetch(`${url}/connectors/nobody-at-all?forward=false`, { method: 'DELETE' })).status),
  );
  return statuses.filter((status) => status === 404).length === 1 ? urls[statuses.indexOf(404)] : undefined;
}

interface Item {
  readonly worker_id?: string;
}

async function ownerOf(url: string, connector: string, path: string): Promise<string | undefined> {
  return ((await (await fetch(`${url}/connectors/${connector}/${path}`)).json()) as Item).worker_id;
}

async function connectorOwner(url: string, connector: string): Promise<string | undefined> {
  const status = (await (await fetch(`${url}/connectors/${connector}/status`)).json()) as { readonly connector?: Item };
  return status.connector?.worker_id;
}

async function patiently(what: string, find: () => Promise<string | undefined>): Promise<string> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (performance.now() > giveUp) throw new Error(`${what} was not found in ${patienceMs / 1_000} s`);
    await sleep(200);
  }
}

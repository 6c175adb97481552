/**
 * Versions that begin anew. A document's version is its record's offset, as with the peer; but offsets begin anew when
 * a topic is deleted and made again, and a person who sets offsets back wants documents written again. Both are counted
 * as an epoch, which stands above the offset in the version, so that what comes later wins.
 *
 * The epoch of a topic stands in the index itself, in the mapping's `_meta`, with the id of the topic that it is for:
 * so it goes where the documents go, and away with them. Epoch 0 is not written into versions: they are the peer's.
 */
import type { Logger } from '@millrace/runtime/api';

import type { Requests } from './requests.ts';

export interface TopicEpoch {
  /** Of the topic; empty where it is not known. */
  readonly id: string;
  readonly epoch: number;
}

type Meta = Readonly<Record<string, unknown>>;
type Mappings = Readonly<Record<string, { mappings?: { _meta?: Meta } }>>;

const own = 'millrace';
/** Two tasks may write it at once, and the later one wins: so look again whether it is there. */
const attempts = 5;

/** The epoch to write with, recorded in the index. Where the rights do not suffice, it is what was found, with a warning. */
export async function topicEpoch(requests: Requests, resource: string, topic: string, id: string, log: Logger): Promise<number> {
  const decide = (found: TopicEpoch | undefined): TopicEpoch => {
    if (found === undefined) return { id, epoch: 0 };
    if (id === '' || found.id === id) return found;
    return { id, epoch: found.id === '' ? found.epoch : found.epoch + 1 };
  };
  const { before, after } = await change(requests, resource, topic, decide, log);
  if (before !== undefined && before.epoch < after.epoch) {
    log.warn(
      `topic ${topic} is another one than before (${after.id}, it was ${before.id}): its records replace the documents of "${resource}" from the earlier one, whatever their versions`,
    );
  }
  return after.epoch;
}

/** Has all records that come from now on win over the documents that are there. Nothing to do where there is no index. */
export async function nextEpoch(requests: Requests, resource: string, topic: string, log: Logger): Promise<void> {
  if (!(await requests.exists(`/${encodeURIComponent(resource)}`))) return;
  const next = (found: TopicEpoch | undefined): TopicEpoch => ({ id: found?.id ?? '', epoch: (found?.epoch ?? 0) + 1 });
  await change(requests, resource, topic, next, log);
}

/** Indices that have an epoch of that topic, whatever transforms called it; undefined where the user may not see. */
export async function indicesOf(requests: Requests, topic: string): Promise<readonly string[] | undefined> {
  const answer = (await requests.allowed('GET', `/_mapping?filter_path=*.mappings._meta.${own}`)) as Mappings | 'forbidden';
  if (answer === 'forbidden') return undefined;
  return Object.entries(answer).flatMap(([index, { mappings }]) => (epochIn(mappings?._meta ?? {}, topic) === undefined ? [] : [index]));
}

async function change(
  requests: Requests,
  resource: string,
  topic: string,
  decide: (found: TopicEpoch | undefined) => TopicEpoch,
  log: Logger,
): Promise<{ before: TopicEpoch | undefined; after: TopicEpoch }> {
  const path = `/${encodeURIComponent(resource)}/_mapping`;
  let meta = await readMeta(requests, path);
  const before = epochIn(meta, topic);
  const after = decide(before);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const found = epochIn(meta, topic);
    if (found !== undefined && found.epoch >= after.epoch && (found.id === after.id || after.id === '')) return { before, after: found };
    const topics = { ...topicsIn(meta), [topic]: after };
    const written = await requests.allowed('PUT', path, { _meta: { ...meta, [own]: { topics } } });
    if (written === 'forbidden') {
      log.warn(
        `"${resource}": the user may not change its mapping, so it cannot be kept there which topic ${topic} its documents are of. Should the topic be made anew, or offsets be set back, documents will keep their higher versions`,
      );
      return { before, after: before ?? { id: '', epoch: 0 } };
    }
    meta = await readMeta(requests, path);
  }
  return { before, after };
}

/** Of all indices behind an alias, the highest epoch counts. */
async function readMeta(requests: Requests, path: string): Promise<Meta> {
  const answer = (await requests.allowed('GET', path)) as Mappings | 'forbidden';
  if (answer === 'forbidden') return {};
  const metas = Object.values(answer).flatMap(({ mappings }) => (mappings?._meta === undefined ? [] : [mappings._meta]));
  const topics: Record<string, TopicEpoch> = {};
  for (const meta of metas) {
    for (const [topic, entry] of Object.entries(topicsIn(meta))) if ((topics[topic]?.epoch ?? -1) < entry.epoch) topics[topic] = entry;
  }
  return { ...metas[0], ...(Object.keys(topics).length === 0 ? {} : { [own]: { topics } }) };
}

function topicsIn(meta: Meta): Record<string, TopicEpoch> {
  return (meta[own] as { topics?: Record<string, TopicEpoch> } | undefined)?.topics ?? {};
}

const epochIn = (meta: Meta, topic: string): TopicEpoch | undefined => topicsIn(meta)[topic];

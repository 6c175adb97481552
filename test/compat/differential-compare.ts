/** Topic by topic, record by record. */
import { differences } from '../../connectors/source-postgres/test/fixtures.ts';
import type { Message } from '../../connectors/source-postgres/test/fixtures.ts';
import type { Config } from './differential-config.ts';
import { unexplained, withoutOwnHeaders } from './differential-known.ts';

export interface Written {
  readonly messages: ReadonlyMap<string, readonly Message[]>;
  /** How many of each topic's came before the stream. */
  readonly snapshots: ReadonlyMap<string, number>;
}

/** What differs unexplained, by topic; topics without a difference have an empty list. */
export function compareTopics(theirs: Written, ours: Written, config: Config): Map<string, string[]> {
  const topics = [...new Set([...theirs.messages.keys(), ...ours.messages.keys()])];
  return new Map(
    topics.map((topic) => {
      const left = (theirs.messages.get(topic) ?? []).map(counted);
      const right = (ours.messages.get(topic) ?? []).map(withoutOwnHeaders).map(counted);
      const streamFrom = theirs.snapshots.get(topic) ?? 0;
      const streamFromOurs = ours.snapshots.get(topic) ?? 0;
      const counts =
        left.length === right.length && streamFrom === streamFromOurs
          ? []
          : [
              `${topic}: ${streamFrom}+${left.length - streamFrom} messages | ${streamFromOurs}+${right.length - streamFromOurs}: ${left.map(sign).join('')} | ${right.map(sign).join('')}`,
            ];
      const pairs = left.slice(0, right.length).flatMap((message, index) => {
        const phase = index < streamFrom ? 'snapshot' : 'stream';
        const other = right[index] as Message;
        const path = `${topic}[${index}]`;
        const moments = phase === 'stream' ? sameMoment(message, other, path) : [];
        return unexplained(phase, [...differences(message, other, path), ...moments], config);
      });
      return [topic, [...counts, ...pairs]] as const;
    }),
  );
}

interface Counted {
  readonly payload?: {
    readonly data_collections?: readonly { readonly data_collection: string; readonly event_count: { number: string } }[] | null;
  };
}

/**
 * Debezium counts each logical message of a transaction by itself, under the name of a Java object, whose hash decides
 * where it stands among the tables.
 */
function counted(message: Message): Message {
  const { payload } = (message.value ?? {}) as Counted;
  const list = payload?.data_collections;
  if (!Array.isArray(list)) return message;
  const isMessage = (name: string): boolean => name === 'message' || name.includes('LogicalDecodingMessageId@');
  if (!list.some(({ data_collection: name }) => isMessage(name))) return message;
  const tables = list.filter(({ data_collection: name }) => !isMessage(name)).map((entry) => JSON.stringify(entry));
  const messages = list
    .filter(({ data_collection: name }) => isMessage(name))
    .reduce((sum, { event_count: count }) => sum + Number(count.number), 0);
  return {
    ...message,
    value: { ...(message.value as object), payload: { ...payload, data_collections: [...tables.toSorted(), messages] } },
  };
}

interface Enveloped {
  readonly payload?: { readonly op?: string; readonly source?: Readonly<Record<string, unknown>> } | null;
}

const sign = ({ value }: Message): string => (value === null ? '-' : ((value as Enveloped).payload?.op ?? '.'));

/** Both read one and the same stream: what differs between runs must be the same here. */
function sameMoment(left: Message, right: Message, path: string): string[] {
  const [expected, found] = [left, right].map(({ value }) => (value as Enveloped | null)?.payload?.source) as [
    Enveloped['payload'] & object,
    Enveloped['payload'] & object,
  ];
  if (expected === undefined || found === undefined) return [];
  // Read from a table, not from the stream.
  if ((left.value as Enveloped).payload?.op === 'r') return [];
  const [one, other] = [expected, found] as unknown as readonly Readonly<Record<string, unknown>>[];
  return ['lsn', 'txId', 'ts_ms', 'ts_us', 'ts_ns'].flatMap((name) => {
    const [a, b] = [JSON.stringify(one?.[name]), JSON.stringify(other?.[name])];
    return a === b ? [] : [`${path}.value.payload.source.${name} (same stream): ${a} | ${b}`];
  });
}

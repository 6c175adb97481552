/** A preview for people. */
import { isJsonObject, rawNumbersJson } from '../../rest/json.ts';
import type { NumberText } from '../../rest/json.ts';

/** REST's answer, numbers with their text. */
export interface PreviewAnswer {
  readonly records: readonly (ShownRecord | ShownFailure)[];
  readonly notes: readonly string[];
}

interface ShownRecord {
  readonly topic: string;
  readonly partition: NumberText | null;
  readonly timestamp: NumberText | null;
  readonly key: ShownBytes;
  readonly value: ShownBytes;
  readonly headers: readonly { readonly key: string; readonly value: ShownBytes }[];
}

interface ShownFailure {
  readonly topic: string;
  readonly error: { readonly stage: string; readonly class: string; readonly message: string; readonly outcome: string };
}

type ShownBytes = { readonly json?: unknown; readonly text?: string; readonly base64?: string; readonly cutFrom?: NumberText } | null;

export function previewText({ records, notes }: PreviewAnswer): string {
  const topics = new Set(records.map(({ topic }) => topic)).size;
  const count = `${records.length} ${records.length === 1 ? 'record' : 'records'}${topics > 1 ? ` for ${topics} topics` : ''}. Nothing was written.`;
  return [...records.map(recordText), count, ...notes.map((note) => `note: ${note}`)].map((part) => `${part}\n`).join('');
}

function recordText(record: ShownRecord | ShownFailure): string {
  if ('error' in record) {
    const { stage, class: executing, message, outcome } = record.error;
    return `${record.topic}\n  ERROR   ${message}\n          in ${stage} (${executing}): ${outcome}\n`;
  }
  const { topic, partition, timestamp, key, value, headers } = record;
  const place = [
    ...(partition === null ? [] : [`partition ${partition.text}`]),
    ...(timestamp === null ? [] : [`at ${timeText(Number(timestamp.text))}`]),
  ];
  const lines = [
    `${topic}${place.length === 0 ? '' : ` (${place.join(', ')})`}`,
    `  key     ${bytesText(key)}`,
    `  value   ${bytesText(value)}`,
    ...headers.map((header) => `  header  ${header.key}: ${bytesText(header.value)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function timeText(ms: number): string {
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `${ms} ms` : time.toISOString();
}

function bytesText(shown: ShownBytes): string {
  if (shown === null) return 'null';
  const cut = shown.cutFrom === undefined ? '' : ` … (${shown.cutFrom.text} bytes)`;
  if (shown.text !== undefined) return `${JSON.stringify(shown.text)}${cut}`;
  if (shown.base64 !== undefined) return `base64 ${shown.base64}${cut}`;
  const { json } = shown;
  // A schema is longer than what it describes, and the same each time.
  if (isJsonObject(json) && Object.keys(json).length === 2 && 'schema' in json && 'payload' in json) {
    return `${rawNumbersJson(json['payload'])}${json['schema'] === null ? '' : ' (with its schema)'}`;
  }
  return rawNumbersJson(json);
}

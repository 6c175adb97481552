import { DataError } from '../../api/index.ts';
import type { Schema, SchemaAndValue } from '../../api/index.ts';
import { unread } from './byte-cursor.ts';
import { parseJson } from './parse.ts';
import { compilePayloadReader } from './payload-reader.ts';
import type { PayloadReader } from './payload-reader.ts';
import { compileReader, holdsDecimals } from './schema-reader.ts';
import type { ValueReader } from './schema-reader.ts';
import { parseSchema } from './schema-parser.ts';
import type { JsonSettings } from './settings.ts';

interface KnownSchema {
  readonly schema: Schema | null;
  readonly read: ValueReader;
  readonly keepDecimals: boolean;
  /** Where the payload is laid out as converters write it; undefined without a schema. */
  readonly readBytes: PayloadReader | undefined;
}

interface KnownHead extends KnownSchema {
  /** `{"schema":…,"payload":` as bytes. */
  readonly head: Uint8Array;
}

const notAnEnvelope =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields.' +
  ' If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.';

/**
 * Reads `{"schema":…,"payload":…}`. A schema is understood once: messages that begin with the same bytes, up to
 * the payload, share its object, and only their payload is parsed.
 */
export function createEnvelopeReader(settings: JsonSettings): (bytes: Uint8Array) => SchemaAndValue {
  const heads: KnownHead[] = [];
  const bySchemaText = new Map<string, KnownSchema>();

  function known(schemaJson: unknown): KnownSchema {
    const text = JSON.stringify(schemaJson, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const found = bySchemaText.get(text);
    if (found !== undefined) return found;
    const schema = parseSchema(schemaJson);
    const entry: KnownSchema = {
      schema,
      read: schema === null ? (json) => json : compileReader(schema, settings),
      keepDecimals: schema !== null && holdsDecimals(schema),
      readBytes: schema === null ? undefined : compilePayloadReader(schema, settings),
    };
    if (bySchemaText.size >= settings.cacheSize) bySchemaText.clear();
    bySchemaText.set(text, entry);
    return entry;
  }

  function remember(bytes: Uint8Array, entry: KnownSchema): void {
    const length = headLength(bytes);
    if (length === undefined) return;
    if (heads.length >= Math.min(settings.cacheSize, 64)) heads.pop();
    // A copy: the batch that the bytes stand in is reused.
    heads.unshift({ ...entry, head: new Uint8Array(bytes.subarray(0, length)) });
  }

  return (bytes) => {
    const head = findHead(heads, bytes);
    if (head !== undefined) {
      const value = valueOf(bytes, head);
      if (value !== unread) return { schema: head.schema, value };
      const payload = payloadOf(bytes, head);
      if (payload !== undefined) return { schema: head.schema, value: head.read(payload.json) };
    }
    const json = parseJson(bytes);
    if (!isEnvelope(json)) throw new DataError(notAnEnvelope);
    const entry = known(json.schema);
    const payload = entry.keepDecimals ? (parseJson(bytes, true) as typeof json).payload : json.payload;
    const value = entry.read(payload);
    remember(bytes, entry);
    return { schema: entry.schema, value };
  };
}

function isEnvelope(json: unknown): json is { schema: unknown; payload: unknown } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
  return Object.hasOwn(json, 'schema') && Object.hasOwn(json, 'payload') && Object.keys(json).length === 2;
}

/** Of any bytes; a view of the part to compare takes longer than the comparison. */
const { compare } = Buffer.prototype;

function findHead(heads: KnownHead[], bytes: Uint8Array): KnownHead | undefined {
  for (let i = 0; i < heads.length; i++) {
    const candidate = heads[i] as KnownHead;
    const { length } = candidate.head;
    if (bytes.length > length && compare.call(bytes as Buffer, candidate.head, 0, length, 0, length) === 0) {
      // By one place only, so that two which take turns do not push each other about.
      if (i > 0) {
        heads[i] = heads[i - 1] as KnownHead;
        heads[i - 1] = candidate;
      }
      return candidate;
    }
  }
  return undefined;
}

/** The payload's value, where it can be read from its bytes. */
function valueOf(bytes: Uint8Array, { head, readBytes }: KnownHead): unknown {
  const end = bytes.length - 1;
  if (readBytes === undefined || bytes[end] !== 0x7d) return unread;
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return readBytes(buffer, head.length, end);
}

/** The payload, or undefined where what follows the head is not just one value and the closing brace. */
function payloadOf(bytes: Uint8Array, { head, keepDecimals }: KnownHead): { json: unknown } | undefined {
  if (bytes[bytes.length - 1] !== 0x7d) return undefined;
  try {
    return { json: parseJson(bytes.subarray(head.length, bytes.length - 1), keepDecimals) };
  } catch {
    // Reading it whole gives the right error.
    return undefined;
  }
}

const start = Buffer.from('{"schema":');
const middle = Buffer.from(',"payload":');

/** Where the payload begins, when the message is laid out as converters write it: schema first, no spaces. */
function headLength(bytes: Uint8Array): number | undefined {
  if (Buffer.compare(bytes.subarray(0, start.length), start) !== 0) return undefined;
  let depth = 0;
  let i = start.length;
  for (let inString = false; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2c && depth === 0) break;
  }
  const end = i + middle.length;
  return Buffer.compare(bytes.subarray(i, end), middle) === 0 ? end : undefined;
}

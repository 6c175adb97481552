/** What requests about dead letters hold. Throws a RequestError with status 400 that says what is wrong. */
import { letterStates } from '../ports/dead-letters.ts';
import type {
  LetterChoice,
  LetterEdit,
  LetterFilter,
  LetterHeader,
  LetterPlace,
  LetterSelection,
  LetterState,
  ResubmitRequest,
} from '../ports/dead-letters.ts';
import { RequestError } from '../ports/herder.ts';
import { isJsonObject, jsonKind, NumberText, rawNumbersJson } from './json.ts';
import type { JsonObject } from './json.ts';

const bad = (message: string): RequestError => new RequestError(400, message);

const defaultLimit = 100;
const largestPage = 1_000;
const mostChosen = 10_000;
/** In one request: each may have an edit. */
const mostNamed = 1_000;

const filterKeys = [
  ...['partition', 'fromOffset', 'toOffset', 'stage', 'exception', 'message', 'topic', 'originPartition'],
  ...['key', 'since', 'until', 'state'],
];

/** The query of a list: a filter, `limit`, `after` and `check`. */
export function listQueryOf(query: URLSearchParams): { filter: LetterFilter; limit: number; after?: LetterPlace; check: boolean } {
  const known = new Set([...filterKeys, 'limit', 'after', 'check', 'bytes', 'forward']);
  const given: Record<string, string> = {};
  for (const [key, value] of query) {
    if (!known.has(key))
      throw bad(`Unknown query parameter "${key}": there are ${[...known].filter((each) => each !== 'forward').join(', ')}`);
    given[key] = value;
  }
  const { limit, after, check } = given;
  const filter = filterOf(Object.fromEntries(filterKeys.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]]))));
  return {
    filter,
    limit: limit === undefined ? defaultLimit : wholeOf(limit, 'limit', 1, largestPage),
    ...(after !== undefined && { after: placeOf(after, 'after') }),
    check: check?.toLowerCase() === 'true',
  };
}

/** `{"stage": …, "state": "new,failed"}`, as in the query of a list. */
function filterOf(given: JsonObject): LetterFilter {
  const unknown = Object.keys(given).find((key) => !filterKeys.includes(key));
  if (unknown !== undefined) throw bad(`Unrecognized field "${unknown}" in the filter: it may have ${filterKeys.join(', ')}`);
  const text = (key: string): string | undefined => {
    const value = given[key];
    if (value === undefined || value === null) return undefined;
    if (value instanceof NumberText) return value.text;
    if (typeof value !== 'string') throw bad(`"${key}" of the filter must be a string or a number, but is ${jsonKind(value)}`);
    return value;
  };
  const optional = <T>(key: string, of: (value: string) => T): Record<string, T> => {
    const value = text(key);
    return value === undefined ? {} : { [key]: of(value) };
  };
  const since = optional('since', (value) => timeOf(value, 'since'));
  const until = optional('until', (value) => timeOf(value, 'until'));
  const states = text('state');
  return {
    ...optional('partition', (value) => wholeOf(value, 'partition', 0)),
    ...optional('originPartition', (value) => wholeOf(value, 'originPartition', 0)),
    ...optional('fromOffset', (value) => BigInt(wholeOf(value, 'fromOffset', 0))),
    ...optional('toOffset', (value) => BigInt(wholeOf(value, 'toOffset', 0))),
    ...optional('stage', String),
    ...optional('exception', String),
    ...optional('message', String),
    ...optional('topic', String),
    ...optional('key', (value) => Buffer.from(value)),
    ...(since['since'] !== undefined && { sinceMs: since['since'] }),
    ...(until['until'] !== undefined && { untilMs: until['until'] }),
    ...(states !== undefined && { states: statesOf(states) }),
  };
}

/** `{"letters": [{"partition": 0, "offset": 17, "value": {"json": …}}]}`, or `{"filter": {…}, "limit": 1000, "after": "0:17"}`. */
function selectionOf(body: JsonObject): LetterSelection {
  const { letters, filter, limit, after } = body;
  if ((letters === undefined) === (filter === undefined)) {
    throw bad('Say which letters: either "letters": [{"partition", "offset"}], or "filter": {…} ({} for all that nothing became of)');
  }
  if (letters === undefined) {
    if (!isJsonObject(filter)) throw bad(`"filter" must be an object, but is ${jsonKind(filter)}`);
    return {
      filter: filterOf(filter),
      limit: limit === undefined ? 1_000 : wholeOf(textIn(limit, 'limit'), 'limit', 1, mostChosen),
      ...(after !== undefined && { after: placeOf(textIn(after, 'after'), 'after') }),
    };
  }
  if (limit !== undefined || after !== undefined) throw bad('"limit" and "after" go with "filter" only');
  if (!Array.isArray(letters) || letters.length === 0) throw bad('"letters" must be an array with at least one {"partition", "offset"}');
  if (letters.length > mostNamed)
    throw bad(`"letters" has ${letters.length} entries, and may have ${mostNamed}: ask more than once, or use "filter"`);
  return { letters: letters.map(choiceOf) };
}

function choiceOf(value: unknown, at: number): LetterChoice {
  const where = `"letters", entry ${at}`;
  if (!isJsonObject(value)) throw bad(`${where} must be an object {"partition", "offset"}, but is ${jsonKind(value)}`);
  const { partition, offset, key, value: newValue, headers, ...others } = value;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined)
    throw bad(`Unrecognized field "${unknown}" in ${where}: it may have partition, offset, key, value and headers`);
  const edit: LetterEdit = {
    ...(key !== undefined && { key: bytesIn(key, `the key in ${where}`) }),
    ...(newValue !== undefined && { value: bytesIn(newValue, `the value in ${where}`) }),
    ...(headers !== undefined && { headers: headersIn(headers, where) }),
  };
  return {
    partition: wholeOf(textIn(partition, `partition of ${where}`), `partition of ${where}`, 0),
    offset: BigInt(wholeOf(textIn(offset, `offset of ${where}`), `offset of ${where}`, 0)),
    ...(Object.keys(edit).length > 0 && { edit }),
  };
}

function headersIn(value: unknown, where: string): LetterHeader[] {
  if (!Array.isArray(value)) throw bad(`"headers" in ${where} must be an array of {"key", "value"}, but is ${jsonKind(value)}`);
  return value.map((header: unknown) => {
    if (!isJsonObject(header) || typeof header['key'] !== 'string') throw bad(`a header in ${where} must be {"key": "…", "value": …}`);
    return { key: header['key'], value: bytesIn(header['value'] ?? null, `a header's value in ${where}`) };
  });
}

/** A string, `{"text"}`, `{"json"}`, `{"base64"}`, or null. */
function bytesIn(value: unknown, what: string): Uint8Array | null {
  if (value === null) return null;
  if (typeof value === 'string') return Buffer.from(value);
  if (isJsonObject(value) && Object.keys(value).length === 1) {
    const { text, json, base64 } = value;
    if (typeof text === 'string') return Buffer.from(text);
    if ('json' in value) return Buffer.from(rawNumbersJson(json));
    if (typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return Buffer.from(base64, 'base64');
  }
  throw bad(`${what} must be null, a string, {"text": "…"}, {"json": …} or {"base64": "…"}`);
}

export function resubmitRequestOf(body: unknown): ResubmitRequest {
  const given = bodyOf(body, ['letters', 'filter', 'limit', 'after', 'target', 'force', 'dryRun']);
  const target = given['target'] ?? 'topic';
  if (target !== 'topic' && target !== 'sink')
    throw bad('"target" must be "topic" (the one they came from) or "sink" (straight through the sink)');
  return { selection: selectionOf(given), target, force: flagIn(given, 'force'), dryRun: flagIn(given, 'dryRun') };
}

export function discardRequestOf(body: unknown): { selection: LetterSelection; dryRun: boolean } {
  const given = bodyOf(body, ['letters', 'filter', 'limit', 'after', 'dryRun']);
  const selection = selectionOf(given);
  if ('letters' in selection && selection.letters.some(({ edit }) => edit !== undefined)) {
    throw bad('a letter that is discarded cannot be given a key, value or headers');
  }
  return { selection, dryRun: flagIn(given, 'dryRun') };
}

function bodyOf(body: unknown, known: readonly string[]): JsonObject {
  if (!isJsonObject(body)) throw bad(`The request body must be a JSON object with "letters" or "filter", but is ${jsonKind(body)}`);
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) throw bad(`Unrecognized field "${unknown}" in the request body: it may have ${known.join(', ')}`);
  return body;
}

function flagIn(body: JsonObject, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw bad(`"${name}" must be true or false`);
  return value;
}

/** `partition:offset` */
export function placeOf(text: string, what: string): LetterPlace {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,18})$/.exec(text) ?? [];
  if (partition === undefined || offset === undefined) throw bad(`"${what}" must be PARTITION:OFFSET, such as 0:17`);
  return { partition: Number(partition), offset: BigInt(offset) };
}

function textIn(value: unknown, what: string): string {
  if (value instanceof NumberText) return value.text;
  if (typeof value === 'string') return value;
  throw bad(`"${what}" must be a number, but is ${jsonKind(value)}`);
}

function wholeOf(text: string, what: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw bad(
    `"${what}" must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`}, but is "${text}"`,
  );
}

/** Milliseconds since 1970, or a date and time as ISO 8601. */
function timeOf(text: string, what: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  throw bad(`"${what}" must be a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970, but is "${text}"`);
}

function statesOf(text: string): LetterState[] {
  return text.split(',').map((each) => {
    const found = letterStates.find((state) => state === each.trim().toLowerCase());
    if (found === undefined) throw bad(`"state" is a list of ${letterStates.join(', ')}, and "${each}" is none of them`);
    return found;
  });
}

/** What a signal asks for. Source: Debezium's io.debezium.pipeline.signal.actions. */
import { javaPattern } from '@millrace/runtime/api';

export interface Signal {
  readonly id: string;
  readonly type: string;
  /** JSON text. */
  readonly data: string | null;
}

export interface SnapshotRequest {
  readonly id: string;
  readonly blocking: boolean;
  /** Regular expressions for schema.table. */
  readonly collections: readonly string[];
  /** The filter of the first condition that fits: a condition of an incremental, a whole SELECT of a blocking one. */
  filterFor(table: string): string | null;
  readonly surrogateKey: string | null;
}

export type SignalAction =
  | { readonly kind: 'log'; readonly message: string }
  | { readonly kind: 'snapshot'; readonly request: SnapshotRequest }
  /** Without collections: all of them. */
  | { readonly kind: 'stop'; readonly collections: readonly string[] | undefined }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** The marks of a chunk, one's own or another's. */
  | { readonly kind: 'mark' }
  | { readonly kind: 'none'; readonly why: string };

type Data = Readonly<Record<string, unknown>>;

export function actionOf(signal: Signal): SignalAction {
  let data: Data;
  try {
    data = dataOf(signal.data);
  } catch (error) {
    return { kind: 'none', why: `its data is not a JSON object: ${(error as Error).message}` };
  }
  switch (signal.type) {
    case 'log':
      return typeof data['message'] === 'string' && data['message'] !== ''
        ? { kind: 'log', message: data['message'] }
        : { kind: 'none', why: 'its data has no "message"' };
    case 'execute-snapshot':
      return snapshotOf(signal.id, data);
    case 'stop-snapshot': {
      const found = typeOf(data);
      return found === 'incremental'
        ? { kind: 'stop', collections: strings(data['data-collections']) }
        : { kind: 'none', why: found === 'blocking' ? 'a blocking snapshot cannot be stopped' : found };
    }
    case 'pause-snapshot':
      return { kind: 'pause' };
    case 'resume-snapshot':
      return { kind: 'resume' };
    case 'snapshot-window-open':
    case 'snapshot-window-close':
      return { kind: 'mark' };
    default:
      return { kind: 'none', why: 'its type is not known' };
  }
}

function dataOf(text: string | null): Data {
  if (text === null || text.trim() === '') return {};
  const data: unknown = JSON.parse(text);
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new TypeError(`found ${text.slice(0, 100)}`);
  return data as Data;
}

function snapshotOf(id: string, data: Data): SignalAction {
  const collections = strings(data['data-collections']);
  if (collections === undefined) return { kind: 'none', why: 'its data has no "data-collections"' };
  const type = typeOf(data);
  if (type !== 'incremental' && type !== 'blocking') return { kind: 'none', why: type };
  try {
    for (const collection of collections) tableMatcher(collection);
    const conditions = conditionsOf(data['additional-conditions']);
    const surrogate = data['surrogate-key'];
    const request: SnapshotRequest = {
      id,
      blocking: type === 'blocking',
      collections,
      filterFor: (table) => conditions.find(({ matches }) => matches(table))?.filter ?? null,
      surrogateKey: typeof surrogate === 'string' && surrogate.trim() !== '' ? surrogate : null,
    };
    return { kind: 'snapshot', request };
  } catch (error) {
    return { kind: 'none', why: (error as Error).message };
  }
}

function typeOf(data: Data): string {
  const type = typeof data['type'] === 'string' ? data['type'].toLowerCase() : 'incremental';
  return type === 'incremental' || type === 'blocking' ? type : `there is no snapshot of type "${type}"`;
}

function strings(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  return value.map((item) => String(item).trim());
}

function conditionsOf(value: unknown): { readonly matches: (table: string) => boolean; readonly filter: string }[] {
  if (!Array.isArray(value)) return [];
  return (value as Data[]).map((condition) => {
    const [collection, filter] = [condition['data-collection'], condition['filter']];
    if (typeof collection !== 'string' || typeof filter !== 'string')
      throw new TypeError('a condition in "additional-conditions" has no "data-collection" or no "filter"');
    return { matches: tableMatcher(collection, '(?i)'), filter };
  });
}

/** Whether a regular expression is the whole of schema.table; quoted names are taken as they stand, too. */
export function tableMatcher(text: string, flags = ''): (table: string) => boolean {
  const plain = text.replaceAll('"', '');
  let matches: (name: string) => boolean;
  try {
    matches = javaPattern(`${flags}${text}`).matches;
  } catch (cause) {
    throw new TypeError(`"${text}" is not a regular expression: ${(cause as Error).message}`, { cause });
  }
  return (table) => table === plain || matches(table);
}

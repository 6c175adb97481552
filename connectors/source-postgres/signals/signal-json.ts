import type { Signal } from './signal.ts';

/** `{"id":"1","type":"log","data":{"message":"x"}}`, of the file or the topic; a string says what is wrong with it. */
export function parseSignal(text: string): Signal | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `it is not JSON: ${(error as Error).message}`;
  }
  if (typeof value !== 'object' || value === null) return 'it is no JSON object';
  const { id, type, data } = value as Record<string, unknown>;
  if (typeof type !== 'string') return 'it has no "type"';
  return {
    id: typeof id === 'string' ? id : String(id ?? ''),
    type,
    data: data === undefined || data === null ? null : typeof data === 'string' ? data : JSON.stringify(data),
  };
}

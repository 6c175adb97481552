/**
 * JSON as Kafka Connect's JsonConverter (schemas.enable=false) reads and writes it: no whitespace, nulls kept,
 * and whole numbers exact, which JavaScript's own JSON rounds beyond 2^53. Sources:
 * org.apache.kafka.connect.json.JsonConverter, com.fasterxml.jackson.core.io.JsonStringEncoder.
 */
import { javaDouble } from '../api/index.ts';

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** Whole numbers come as bigint (Connect reads them as Long), others as number. Throws a SyntaxError. */
export function parseExact(text: string): unknown {
  const reviver: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** Bigint as digits, whole numbers as integers, others as the JVM prints a double. `undefined` entries are left out. */
export function stringifyExact(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return stringifyText(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
      return Number.isFinite(value) ? javaDouble(value) : stringifyText(String(value));
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(stringifyExact).join(',')}]`;
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      return `{${entries.map(([key, item]) => `${stringifyText(key)}:${stringifyExact(item)}`).join(',')}}`;
    }
    default:
      throw new TypeError(`a ${typeof value} cannot be written as JSON`);
  }
}

/** Jackson writes the hexadecimal of an escaped control character in capitals. */
function stringifyText(text: string): string {
  return JSON.stringify(text).replace(/\\\\|\\u[0-9a-f]{4}/g, (escape) =>
    escape[1] === 'u' ? `\\u${escape.slice(2).toUpperCase()}` : escape,
  );
}

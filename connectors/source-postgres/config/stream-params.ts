/** slot.stream.params: further options of the output plugin, in Debezium's form `name=value;name=value`. */
import { ConfigError } from '@millrace/runtime/api';

/** Options of pgoutput that leave the form of the stream as it is, and what else is said of the others. */
const passed: ReadonlySet<string> = new Set(['messages', 'origin']);
const fixed: Readonly<Record<string, readonly string[]>> = {
  proto_version: ['1'],
  binary: ['false', 'off', '0'],
  streaming: ['false', 'off', '0'],
  two_phase: ['false', 'off', '0'],
};

/** Throws a ConfigError for what is no option of pgoutput, or would change what the stream looks like. */
export function streamParams(text: string | null): Readonly<Record<string, string>> {
  const params: Record<string, string> = {};
  for (const part of (text ?? '').split(';').map((one) => one.trim())) {
    if (part === '') continue;
    const [name = '', ...rest] = part.split('=');
    const [key, value] = [name.trim().toLowerCase(), rest.join('=').trim()];
    if (passed.has(key)) params[key] = value;
    else if (!fixed[key]?.includes(value.toLowerCase())) {
      const why = key in fixed ? `can only be ${fixed[key]?.[0]}` : 'is no option of pgoutput that can be set';
      throw new ConfigError(`slot.stream.params: ${key} ${why}.`, {
        hint: `These can: ${[...passed].join(', ')} (origin from PostgreSQL 16 on).`,
      });
    }
  }
  return params;
}

/** Values of a config that was validated before, for calls that hand over the raw one alone. */
import { Secret } from '@millrace/runtime/api';
import type { ConfigDef, ConfigKey, ConfigValues, RawConfig } from '@millrace/runtime/api';

export function readRaw<D extends ConfigDef>(def: D, raw: RawConfig): ConfigValues<D> {
  const entries = Object.entries<ConfigKey>(def).map(([key, entry]) => {
    const text = raw[key];
    return [key, text === undefined ? (entry.default ?? null) : valueOf(entry, text)];
  });
  return Object.fromEntries(entries) as ConfigValues<D>;
}

function valueOf({ type }: ConfigKey, text: string): unknown {
  switch (type) {
    case 'boolean':
      return text.trim().toLowerCase() === 'true';
    case 'int':
    case 'short':
    case 'long':
    case 'double':
      return Number(text);
    case 'list':
      return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
    case 'password':
      return new Secret(text);
    default:
      return text;
  }
}

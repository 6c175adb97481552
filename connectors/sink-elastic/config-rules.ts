/** Short words for the config tables. */
import type { ConfigKey, ConfigRule } from '@millrace/runtime/api';

export const between = (min: number, max: number): ConfigRule => ({ kind: 'range', min, max });
export const oneOf = (...values: string[]): ConfigRule => ({ kind: 'one-of', values, ignoreCase: true });
export const check = (judge: (text: string) => string | undefined): ConfigRule => ({
  kind: 'custom',
  check: (value) => (value === null ? undefined : judge(String(value))),
});

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
export const maxInt = 0x7fff_ffff;

type Group = 'Connector' | 'Data Conversion' | 'Proxy' | 'Security' | 'Kerberos';

/** A key of low importance, which most are. */
export const low = <const T extends Omit<ConfigKey, 'importance' | 'group' | 'doc'>>(
  group: Group,
  doc: string,
  key: T,
): T & { importance: 'low'; group: Group; doc: string } => ({ ...key, importance: 'low', group, doc });

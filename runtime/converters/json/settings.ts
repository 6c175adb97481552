import { defineConfig } from '../../api/index.ts';

/** org.apache.kafka.connect.json.JsonConverterConfig. */
export const jsonConfig = defineConfig({
  'schemas.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    doc: 'Include schemas within each of the serialized values and keys.',
    group: 'Schemas',
    displayName: 'Enable Schemas',
  },
  'schemas.cache.size': {
    type: 'int',
    default: 1000,
    importance: 'high',
    doc: 'The maximum number of schemas that can be cached in this converter instance.',
    group: 'Schemas',
    displayName: 'Schema Cache Size',
  },
  'decimal.format': {
    type: 'string',
    default: 'BASE64',
    rule: { kind: 'one-of', values: ['BASE64', 'NUMERIC'], ignoreCase: true },
    importance: 'low',
    doc: "Controls which format this converter will serialize decimals in. This value is case insensitive and can be either 'BASE64' (default) or 'NUMERIC'.",
    group: 'Serialization',
    displayName: 'Decimal Format',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
    group: 'Serialization',
    displayName: 'Replace null with default',
  },
});

export interface JsonSettings {
  readonly schemasEnable: boolean;
  readonly cacheSize: number;
  readonly decimalFormat: 'BASE64' | 'NUMERIC';
  readonly replaceNull: boolean;
}

export function jsonSettings(values: Readonly<Record<string, unknown>>): JsonSettings {
  return {
    schemasEnable: values['schemas.enable'] !== false,
    cacheSize: Number(values['schemas.cache.size'] ?? 1000),
    decimalFormat: String(values['decimal.format'] ?? 'BASE64').toUpperCase() === 'NUMERIC' ? 'NUMERIC' : 'BASE64',
    replaceNull: values['replace.null.with.default'] !== false,
  };
}

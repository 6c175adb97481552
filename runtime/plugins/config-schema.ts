import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { ConfigDef, ConfigKey, ConfigRule, ConfigType } from '../api/index.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

const jsonTypes: Record<ConfigType, JsonSchema> = {
  boolean: { type: 'boolean' },
  string: { type: 'string' },
  class: { type: 'string' },
  short: { type: 'integer' },
  int: { type: 'integer' },
  long: { type: 'integer' },
  double: { type: 'number' },
  list: { type: 'array', items: { type: 'string' } },
  // A Secret hides its text; only rules in code look into it.
  password: {},
};

/** The JSON Schema of the parsed values of a config table. */
export function configSchema(def: ConfigDef): JsonSchema {
  const entries = Object.entries(def);
  return {
    type: 'object',
    required: entries.filter(([, key]) => key.default === undefined).map(([name]) => name),
    properties: Object.fromEntries(entries.map(([name, key]) => [name, keySchema(key)])),
  };
}

function keySchema({ type, rule, default: fallback }: ConfigKey): JsonSchema {
  const schema = { ...jsonTypes[type], ...(rule === undefined ? {} : ruleSchema(rule, type)) };
  return fallback === null && Object.keys(schema).length > 0 ? { anyOf: [{ type: 'null' }, schema] } : schema;
}

function ruleSchema(rule: ConfigRule, type: ConfigType): JsonSchema {
  switch (rule.kind) {
    case 'range':
      return {
        ...(rule.min === undefined ? {} : { minimum: rule.min }),
        ...(rule.max === undefined ? {} : { maximum: rule.max }),
      };
    case 'one-of': {
      const one = rule.ignoreCase === true ? { oneOfIgnoringCase: rule.values } : { enum: rule.values };
      return type === 'list' ? { items: one } : one;
    }
    case 'not-empty':
      return type === 'list' ? { minItems: 1 } : { minLength: 1 };
    case 'custom':
      return { checkedBy: rule.check };
  }
}

const ajv = new Ajv({ allErrors: true, strict: false });
ajv.addKeyword({
  keyword: 'oneOfIgnoringCase',
  validate: (values: readonly string[], value: unknown) =>
    typeof value !== 'string' || values.some((one) => one.toLowerCase() === value.toLowerCase()),
});
ajv.addKeyword({
  keyword: 'checkedBy',
  errors: false,
  validate: (check: (value: unknown) => string | undefined, value: unknown) => value === null || check(value) === undefined,
});

const compiled = new WeakMap<ConfigDef, ValidateFunction>();

/** What ajv finds wrong with parsed values: each key, and why, in Connect's words. */
export function checkValues(def: ConfigDef, values: Readonly<Record<string, unknown>>): Map<string, string> {
  let validate = compiled.get(def);
  if (validate === undefined) compiled.set(def, (validate = ajv.compile(configSchema(def))));
  const found = new Map<string, string>();
  if (validate(values)) return found;
  for (const error of validate.errors ?? []) {
    const name = keyOf(error);
    const key = def[name];
    if (key === undefined || found.has(name)) continue;
    const message = messageFor(name, key, values[name], error);
    if (message !== undefined) found.set(name, message);
  }
  return found;
}

function keyOf({ keyword, params, instancePath }: ErrorObject): string {
  if (keyword === 'required') return String(params['missingProperty']);
  return (instancePath.split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
}

function messageFor(name: string, key: ConfigKey, value: unknown, error: ErrorObject): string | undefined {
  if (error.keyword === 'required') return `Missing required configuration "${name}" which has no default value.`;
  // Of the two sides of an anyOf, the one that says what the rule is.
  if (error.keyword === 'anyOf' || (error.keyword === 'type' && error.schemaPath.includes('anyOf'))) return undefined;
  const shown = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
  return `Invalid value ${shown} for configuration ${name}: ${ruleMessage(key, value, error)}`;
}

function ruleMessage({ rule, type }: ConfigKey, value: unknown, error: ErrorObject): string {
  switch (rule?.kind) {
    case 'range':
      return error.keyword === 'minimum' ? `Value must be at least ${rule.min}` : `Value must be no more than ${rule.max}`;
    case 'one-of':
      return `String must be one of${rule.ignoreCase === true ? ' (case insensitive)' : ''}: ${rule.values.join(', ')}`;
    case 'not-empty':
      return type === 'list' ? 'List must not be empty' : 'String must be non-empty';
    case 'custom':
      return rule.check(value) ?? 'not allowed';
    default:
      return error.message ?? 'not allowed';
  }
}

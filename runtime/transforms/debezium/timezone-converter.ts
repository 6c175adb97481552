import { ConfigError, ValueStruct, defineConfig, defineTransform, fieldOf, isStruct } from '../../api/index.ts';
import type { ConfigValues, ConnectRecord, Struct, Transform } from '../../api/index.ts';
import { eventOf } from './change-event.ts';
import { isTimeField, timeInZone } from './time-in-zone.ts';
import { zoneOffsets } from './zone-offset.ts';

const config = defineConfig({
  'converted.timezone': {
    type: 'string',
    rule: {
      kind: 'custom',
      check: (value) =>
        zoneOffsets(String(value)) === undefined ? 'write a time zone (America/Los_Angeles) or an offset (+08:00)' : undefined,
    },
    importance: 'high',
    doc: 'The time zone, or the offset from UTC, to which time-based fields are converted.',
  },
  'include.list': {
    type: 'list',
    default: [],
    importance: 'high',
    doc: 'What is converted: source:table, source:table:field, topic:name, topic:name:field, or name:field.',
  },
  'exclude.list': {
    type: 'list',
    default: [],
    importance: 'high',
    doc: 'What is not converted, in the same forms; one of the two lists only.',
  },
});

/** io.debezium.transforms.TimezoneConverter: times of change events, moved to a time zone. */
export default defineTransform({ config, create: convertTimes });

type Wanted = (field: string, part: 'before' | 'after' | 'source') => boolean;

function convertTimes(values: ConfigValues<typeof config>): Transform {
  const [include, exclude] = [values['include.list'], values['exclude.list']];
  if (include.length > 0 && exclude.length > 0)
    throw new ConfigError('include.list and exclude.list are both set.', { hint: 'Use one of them.' });
  const rules = rulesOf(include.length > 0 ? include : exclude);
  const zone = zoneOffsets(values['converted.timezone']);
  if (zone === undefined) throw new ConfigError(`converted.timezone: "${values['converted.timezone']}" is no time zone.`);

  function wanted(event: Struct, topic: string): Wanted | undefined {
    const source = fieldOf(event.schema, 'source') === undefined ? null : event.get('source');
    const table = isStruct(source) && fieldOf(source.schema, 'table') !== undefined ? String(source.get('table')) : undefined;
    const fields = rules.topic.get(topic) ?? rules.source.get(table ?? '') ?? rules.any.get(topic) ?? rules.any.get(table ?? '');
    const rows: Wanted = (_, part) => part !== 'source';
    if (include.length === 0 && exclude.length === 0) return rows;
    if (fields === undefined) return include.length > 0 ? undefined : rows;
    if (fields.size === 0) return include.length > 0 ? rows : undefined;
    const named: Wanted = (field, part) => fields.has(`${part}.${field}`) || (part !== 'source' && fields.has(field));
    if (include.length > 0) return named;
    const ofSource = [...fields].some((field) => field.startsWith('source.'));
    return (field, part) => (part !== 'source' || ofSource) && !named(field, part);
  }

  return <R extends ConnectRecord>(record: R): R => {
    const event = eventOf(record);
    const wants = event && wanted(event, record.topic);
    if (event === undefined || wants === undefined) return record;
    let changed = false;
    const items = event.schema.fields.map(({ name, index }) => {
      const part = event.at(index);
      if ((name !== 'before' && name !== 'after' && name !== 'source') || !isStruct(part)) return part;
      const times = part.schema.fields.filter(
        (field) => isTimeField(field.schema) && wants(field.name, name) && part.at(field.index) !== null,
      );
      if (times.length === 0) return part;
      changed = true;
      const moved = part.schema.fields.map((field) => part.at(field.index));
      for (const { index: at, schema } of times) moved[at] = timeInZone(schema, moved[at], zone);
      return new ValueStruct(part.schema, moved);
    });
    return changed ? { ...record, value: new ValueStruct(event.schema, items) } : record;
  };
}

interface Rules {
  readonly topic: ReadonlyMap<string, ReadonlySet<string>>;
  readonly source: ReadonlyMap<string, ReadonlySet<string>>;
  readonly any: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A rule without a prefix goes with the prefix of the one before it, as in Debezium. Throws a ConfigError. */
function rulesOf(list: readonly string[]): Rules {
  const rules = { topic: new Map<string, Set<string>>(), source: new Map<string, Set<string>>(), any: new Map<string, Set<string>>() };
  let kind: keyof Rules = 'any';
  for (const item of list) {
    const parts = item.split(':').map((part) => part.trim());
    const prefix = parts[0]?.toLowerCase();
    if (prefix === 'topic' || prefix === 'source') {
      kind = prefix;
      parts.shift();
    }
    const [name = '', field, ...more] = parts;
    if (name === '' || field === '' || more.length > 0 || (kind === 'any' && field === undefined))
      throw new ConfigError(`"${item}" is none of source:table, source:table:field, topic:name, topic:name:field, name:field.`);
    const fields = rules[kind].get(name) ?? new Set<string>();
    if (field !== undefined) fields.add(field);
    rules[kind].set(name, fields);
  }
  return rules;
}

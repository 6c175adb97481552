import type { Partitioner } from './partitioner.ts';
import { defaultPartitioner, fieldPartitioner, schemaPartitioner, timePartitioner, tombstonePartitioner } from './partitioner.ts';
import { isTimeBased, partitionerName } from '../settings.ts';
import type { S3Config } from '../settings.ts';

const hourMs = 3_600_000;

/** The partitioner that a config names. Throws a RangeError for a path format or time zone that is none. */
export function choosePartitioner(values: S3Config): Partitioner {
  const delim = values['directory.delim'];
  const affix = values['s3.schema.partition.affix.type'];
  const folders = byName(values, delim);
  const withSchema = affix === 'NONE' ? folders : schemaPartitioner(folders, affix as 'PREFIX' | 'SUFFIX', delim);
  if (values['behavior.on.null.values'].toLowerCase() !== 'write') return withSchema;
  return tombstonePartitioner(withSchema, values['tombstone.encoded.partition'], isTimeBased(partitionerName(values)));
}

function byName(values: S3Config, delim: string): Partitioner {
  const name = partitionerName(values);
  if (name === 'default') return defaultPartitioner;
  if (name === 'field') return fieldPartitioner(values['partition.field.name'], delim);
  const daily = [`'year'=YYYY`, `'month'=MM`, `'day'=dd`];
  const fixed =
    name === 'daily'
      ? { durationMs: 24 * hourMs, pathFormat: daily.join(delim) }
      : { durationMs: hourMs, pathFormat: [...daily, `'hour'=HH`].join(delim) };
  return timePartitioner(
    {
      ...(name === 'time' ? { durationMs: values['partition.duration.ms'], pathFormat: values['path.format'] } : fixed),
      locale: values.locale,
      timezone: values.timezone,
      extractor: values['timestamp.extractor'],
      field: values['timestamp.field'],
    },
    delim,
  );
}

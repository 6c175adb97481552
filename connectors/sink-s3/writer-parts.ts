/** What the writers of a task share, made from its config. */
import { chooseFormat } from './formats/choose.ts';
import type { NameSettings } from './object-names.ts';
import { choosePartitioner } from './partitioning/choose.ts';
import type { Partitioner } from './partitioning/partitioner.ts';
import { timeZone } from './partitioning/time-zone.ts';
import { headerView, keyView, valueView } from './record-views.ts';
import type { RecordView } from './record-views.ts';
import type { RotationSettings } from './rotation.ts';
import { schemaRules } from './schema-compatibility.ts';
import type { SchemaRules } from './schema-compatibility.ts';
import { compatibility, formatSettings, isTimeBased, partitionerName } from './settings.ts';
import type { S3Config } from './settings.ts';

export interface SharedParts {
  readonly views: readonly RecordView[];
  readonly partitioner: Partitioner;
  readonly rotation: RotationSettings;
  readonly schemas: SchemaRules;
  readonly names: NameSettings;
}

export function sharedParts(values: S3Config, separator: string | undefined): SharedParts {
  const formats = formatSettings(values);
  const format = (name: 'values' | 'keys' | 'headers') => {
    const chosen = formats[name];
    return chosen === null ? [] : [chooseFormat(chosen, values, separator)];
  };
  return {
    views: [...format('values').map(valueView), ...format('keys').map(keyView), ...format('headers').map(headerView)],
    partitioner: choosePartitioner(values),
    rotation: rotationSettings(values),
    schemas: schemaRules(compatibility(values)),
    names: nameSettings(values),
  };
}

const onOrNull = (value: number): number | null => (value > 0 ? value : null);

export function rotationSettings(values: S3Config): RotationSettings {
  const scheduleMs = onOrNull(values['rotate.schedule.interval.ms']);
  return {
    flushSize: values['flush.size'],
    intervalMs: isTimeBased(partitionerName(values)) ? onOrNull(values['rotate.interval.ms']) : null,
    onPartitionChange: values['rotate.file.on.partition.change'],
    openFiles: onOrNull(values['partitioner.max.open.files']),
    wallClockMs: onOrNull(values['rotate.wall.clock.interval.ms']),
    schedule: scheduleMs === null ? null : { intervalMs: scheduleMs, zone: timeZone(values.timezone) },
    tombstoneFolder: values['behavior.on.null.values'].toLowerCase() === 'write' ? values['tombstone.encoded.partition'] : null,
  };
}

export function nameSettings(values: S3Config): NameSettings {
  return {
    topicsDir: values['topics.dir'],
    directoryDelim: values['directory.delim'],
    fileDelim: values['file.delim'],
    padWidth: values['filename.offset.zero.pad.width'],
    withTopicId: values['recreated.topics'].toLowerCase() === 'separate',
  };
}

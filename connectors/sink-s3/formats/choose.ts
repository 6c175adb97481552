import type { FormatName } from '../config-classes.ts';
import type { S3Config } from '../settings.ts';
import { avroFormat } from './avro.ts';
import { compressed } from './compression.ts';
import type { Compression } from './compression.ts';
import type { FileFormat } from './file-format.ts';
import { bytesFormat, jsonFormat } from './lines.ts';
import type { DecimalFormat } from './json-text.ts';
import { parquetFormat } from './parquet.ts';

/** The format that a config names. `separator` is `format.bytearray.separator` as it was written, spaces and all. */
export function chooseFormat(name: FormatName, values: S3Config, separator: string | undefined): FileFormat {
  const avro = {
    metaData: values['connect.meta.data'],
    enhanced: values['enhanced.avro.schema.support'],
    optionalMapKeys: values['allow.optional.map.keys'],
  };
  const compression = values['s3.compression.type'] as Compression;
  const level = values['s3.compression.level'];
  switch (name) {
    case 'json':
      return compressed(jsonFormat(values['json.decimal.format'].toUpperCase() as DecimalFormat), compression, level);
    case 'bytes':
      return compressed(bytesFormat(values['format.bytearray.extension'], separator ?? '\n'), compression, level);
    case 'avro':
      return avroFormat(values['avro.codec'], avro);
    case 'parquet':
      return parquetFormat(values['parquet.codec'], avro);
  }
}

import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defineConfig } from '@millrace/runtime/api';
import type { ConfigProblem, ConfigValues, RawConfig } from '@millrace/runtime/api';

export const config = defineConfig({
  file: {
    type: 'string',
    default: null,
    importance: 'high',
    doc: 'Destination filename. If not specified, the standard output will be used',
  },
  'file.per.partition': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Gives each topic partition a file of its own: out.txt becomes out-TOPIC-PARTITION.txt. No line is doubled then, however many tasks there are',
  },
  'file.rotate.bytes': {
    type: 'long',
    default: 0,
    rule: { kind: 'range', min: 0 },
    importance: 'medium',
    doc: 'A file that has so many bytes is put aside under a number (out.txt becomes out-000001.txt), and a new one is begun. 0: never',
  },
  'file.rotate.ms': {
    type: 'long',
    default: 0,
    rule: { kind: 'range', min: 0 },
    importance: 'medium',
    doc: 'A file is put aside so many milliseconds after its first line, even when nothing more comes. 0: never',
  },
  'file.compression': {
    type: 'string',
    default: 'none',
    rule: { kind: 'one-of', values: ['none', 'gzip'] },
    importance: 'medium',
    doc: 'none, or gzip: the file is a gzip file from its first byte to its last whenever offsets were committed',
  },
});

export type FileSinkConfig = ConfigValues<typeof config>;

/** Checks that need more than one key, or a look at the disk. */
export async function validate(values: FileSinkConfig, raw: RawConfig): Promise<readonly ConfigProblem[]> {
  const { file } = values;
  const problems: ConfigProblem[] = [];
  const refuse = (key: keyof typeof config, why: string): void => {
    problems.push({ key, message: `Invalid value ${values[key]} for configuration ${key}: ${why}` });
  };
  const wanted = (['file.per.partition', 'file.rotate.bytes', 'file.rotate.ms', 'file.compression'] as const).filter(
    (key) => values[key] !== config[key].default,
  );
  if (file === null || file === '') {
    for (const key of wanted) refuse(key, 'the standard output takes none of this; set file');
    return problems;
  }
  if (isShared(values, raw))
    for (const key of wanted) refuse(key, 'several tasks write to one file; set tasks.max=1, or file.per.partition=true');
  const problem = await whyNotWritable(file, values['file.per.partition']);
  if (problem !== undefined) refuse('file', problem);
  return problems;
}

/** All tasks append to one file, as with Kafka's connector. */
export function isShared(values: FileSinkConfig, raw: RawConfig): boolean {
  return !values['file.per.partition'] && Number(raw['tasks.max'] ?? 1) > 1;
}

async function whyNotWritable(file: string, perPartition: boolean): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isDirectory() === true) return 'it is a folder; name a file in it';
  const checked = found === undefined || perPartition ? dirname(file) : file;
  try {
    await access(checked, constants.W_OK);
    return undefined;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist; create it first' : 'is not writable for this user';
    return `${checked === file ? 'the file' : `its folder ${checked}`} ${reason}`;
  }
}

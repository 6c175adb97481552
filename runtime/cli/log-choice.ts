/** Which log a topic command looks into. */
import { resolve } from 'node:path';

import type { Command } from 'commander';

import { ConfigError } from '../api/index.ts';
import { loadLogSettings } from '../settings/worker-file.ts';
import type { LogSettings } from '../worker/open-log.ts';

export interface LogChoice {
  readonly worker?: string;
  readonly embedded?: string;
  readonly brokers?: string;
}

export function withLogChoice(command: Command): Command {
  return command
    .option('--worker <file>', 'the log of this worker file, with its security settings')
    .option('--embedded <dir>', 'the embedded log in this folder')
    .option('--brokers <list>', 'Kafka brokers as host:port,host:port');
}

/** Throws a ConfigError unless exactly one is chosen. */
export async function logSettings({ worker, embedded, brokers }: LogChoice): Promise<LogSettings> {
  const chosen = [worker, embedded, brokers].filter((each) => each !== undefined);
  if (chosen.length !== 1) throw new ConfigError('choose the log with one of --worker FILE, --embedded DIR or --brokers LIST');
  if (embedded !== undefined) return { kind: 'embedded', directory: resolve(embedded), readOnly: true };
  if (worker !== undefined) {
    const settings = await loadLogSettings(worker);
    return settings.kind === 'embedded' ? { ...settings, readOnly: true } : settings;
  }
  return { kind: 'kafka', settings: { 'bootstrap.servers': brokers ?? '' } };
}

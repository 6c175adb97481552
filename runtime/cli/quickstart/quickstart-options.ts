import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { ConfigError } from '../../api/index.ts';

export interface QuickstartOptions {
  /** Where REST listens, on 127.0.0.1. */
  readonly port: number;
  /** Absolute; everything that is kept lies below it. */
  readonly dataFolder: string;
  /** Whether anything happens in the shop by itself. */
  readonly trades: boolean;
}

export const quickstartHelp = `npm start [-- OPTIONS]    runs a small shop on PostgreSQL, and its changes into files

  --port N      port of the REST API (8083)
  --data DIR    folder for all data (./millrace-data)
  --no-traffic  nothing happens in the shop by itself
  --help        says this`;

/** Throws a ConfigError for what it does not understand; undefined when help was asked for. */
export function quickstartOptions(args: readonly string[]): QuickstartOptions | undefined {
  const { port, data, help, 'no-traffic': idle } = parse(args);
  if (help) return undefined;
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65_535) {
    throw new ConfigError(`--port ${port}: a port is a number from 1 to 65535.`);
  }
  if (data.trim() === '') throw new ConfigError('--data needs a folder.');
  return { port: number, dataFolder: resolve(data), trades: !idle };
}

function parse(args: readonly string[]): { port: string; data: string; help: boolean; 'no-traffic': boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '8083' },
        data: { type: 'string', default: 'millrace-data' },
        'no-traffic': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}\n\n${quickstartHelp}`, { cause: error });
  }
}

/** A task's connection to the target. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import { ConfigError, RetriableError } from '@millrace/runtime/api';
import pg from 'pg';
import type { Client, ClientConfig } from 'pg';

import { describeAddress } from './address.ts';
import type { Host } from './address.ts';
import { codeOf, explain, faultOf } from './errors.ts';
import type { Settings } from './settings.ts';

type ConnectionSettings = Pick<Settings, 'address' | 'user' | 'password' | 'connector'>;

/** The text of values depends on these. Set after connecting, since poolers refuse startup options. */
const session =
  "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set standard_conforming_strings = on; " +
  'set idle_in_transaction_session_timeout = 0';

/** Connects to the first host that answers, and is what targetServerType asks for. Rejects with an error that says what to do. */
export async function connect(settings: ConnectionSettings): Promise<Client> {
  const { address } = settings;
  let failure: unknown;
  for (const host of address.hosts) {
    const doing = `connect to ${describeAddress(address, host)}${settings.user === null ? '' : ` as ${settings.user}`}`;
    try {
      const client = await openWithSslMode(settings, host);
      try {
        await prepare(client, settings);
      } catch (error) {
        await endClient(client);
        throw error;
      }
      return client;
    } catch (error) {
      failure = explain(error, doing);
      if (faultOf(error) !== 'outage') break;
    }
  }
  throw failure;
}

async function prepare(client: Client, { address: { parameters } }: ConnectionSettings): Promise<void> {
  const path = parameters['currentSchema'];
  const schemas = path?.split(',').map((name) => pg.escapeIdentifier(name.trim()));
  await client.query(schemas === undefined ? session : `${session}; set search_path = ${schemas.join(', ')}`);
  if (!/^(primary|master)$/.test(parameters['targetServerType'] ?? '')) return;
  const { rows } = await client.query<{ standby: boolean }>('select pg_is_in_recovery() as standby');
  if (rows[0]?.standby === true) throw new RetriableError('it is a standby, and targetServerType asks for the primary.');
}

/** libpq's sslmode: `prefer` and `allow` find out what the server wants. */
async function openWithSslMode(settings: ConnectionSettings, host: Host): Promise<Client> {
  const { parameters } = settings.address;
  const mode = parameters['sslmode']?.toLowerCase() ?? (/^(true|)$/.test(parameters['ssl'] ?? 'false') ? 'verify-full' : 'prefer');
  if (mode === 'disable') return open(settings, host, false);
  const encrypted = await tlsOptions(parameters, mode);
  if (mode === 'require' || mode.startsWith('verify')) return open(settings, host, encrypted);
  const [first, second] = mode === 'allow' ? ([false, encrypted] as const) : ([encrypted, false] as const);
  try {
    return await open(settings, host, first);
  } catch (error) {
    const refused = /does not support SSL|establishing an SSL/.test((error as Error).message) || codeOf(error) === '28000';
    if (!refused) throw error;
    return open(settings, host, second);
  }
}

async function open(
  { address, user, password, connector }: ConnectionSettings,
  { host, port }: Host,
  ssl: ConnectionOptions | false,
): Promise<Client> {
  const { parameters, database } = address;
  const seconds = (name: string, fallback: number): number => 1000 * Number(parameters[name] ?? fallback);
  const config: ClientConfig = {
    host,
    port,
    ssl,
    keepAlive: parameters['tcpKeepAlive'] !== 'false',
    connectionTimeoutMillis: seconds('connectTimeout', 10) || seconds('loginTimeout', 10),
    application_name: parameters['ApplicationName'] ?? `millrace ${connector}`,
    ...(user === null ? {} : { user }),
    ...(password === null ? {} : { password: password.reveal() }),
    ...(database === null ? {} : { database }),
    ...(parameters['options'] === undefined ? {} : { options: parameters['options'] }),
    ...(Number(parameters['socketTimeout'] ?? 0) > 0 ? { query_timeout: seconds('socketTimeout', 0) } : {}),
  };
  const client = new pg.Client(config);
  // Without a listener, the loss of an idle connection would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw error;
  }
  return client;
}

async function tlsOptions(parameters: Readonly<Record<string, string>>, mode: string): Promise<ConnectionOptions> {
  const file = async (name: string): Promise<Buffer | undefined> => {
    const path = parameters[name];
    if (path === undefined || path === '') return undefined;
    try {
      return await readFile(path);
    } catch (cause) {
      throw new ConfigError(`connection.url: ${name}: cannot read "${path}": ${(cause as Error).message}.`, { cause });
    }
  };
  const [ca, cert, key] = [await file('sslrootcert'), await file('sslcert'), await file('sslkey')];
  const passphrase = parameters['sslpassword'];
  return {
    // As libpq: `require` checks the authority when one is given.
    rejectUnauthorized: mode.startsWith('verify') || (mode === 'require' && ca !== undefined),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
}

/** What pg keeps to itself of a client. */
interface Hidden {
  readonly processID: number | null;
  readonly connection: { readonly stream: Socket };
}

const hidden = (client: Client): Hidden => client as unknown as Hidden;

/** The backend that the server named at the start; a pooler in between names one of its own. */
export const announcedBackend = (client: Client): number | null => hidden(client).processID;

/** Ends a connection, whatever state it is in, without waiting for an answer that may never come. */
export async function endClient(client: Client): Promise<void> {
  const socket = hidden(client).connection.stream;
  const timer = setTimeout(() => socket.destroy(), 2_000);
  try {
    await client.end();
  } catch {
    socket.destroy();
  } finally {
    clearTimeout(timer);
  }
}

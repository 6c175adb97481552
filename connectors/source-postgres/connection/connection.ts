/** Connections to PostgreSQL, of both kinds. */
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import pg from 'pg';
import type { Client, ClientConfig } from 'pg';

import type { Config } from '../config/config.ts';
import { codeOf, explain } from './errors.ts';
import { tlsOptions } from './tls-options.ts';

// The text of values depends on these, in replication connections too.
const sessionSettings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '3',
  lc_monetary: 'C',
  // A connector's queries are never to be cut short by a default of the role or the database.
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

const startupOptions = (more: SessionOptions['settings']): string =>
  Object.entries({ ...sessionSettings, ...more })
    .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
    .join(' ');

export interface SessionOptions {
  /** As pg_stat_activity names it. */
  readonly applicationName?: string;
  /** In place of ours, or besides. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Connector {
  /** `host:port/database`, for messages. */
  readonly address: string;
  /** A connection for SQL. Rejects with an error that says what to do. Its losses are for the caller to listen to. */
  connect(): Promise<Client>;
  /** The same for queries that may take any time. */
  connectReader(): Promise<Client>;
  /** A replication connection. */
  connectReplication(): Promise<Client>;
}

export function createConnector(config: Config, { applicationName = 'millrace', settings = {} }: SessionOptions = {}): Connector {
  const address = `${config['database.hostname']}:${config['database.port']}/${config['database.dbname']}`;
  let encryption: Promise<ConnectionOptions | false> | undefined;

  const base = async (): Promise<ClientConfig> => ({
    host: config['database.hostname'],
    port: config['database.port'],
    user: config['database.user'],
    ...(config['database.password'] === null ? {} : { password: config['database.password'].reveal() }),
    database: config['database.dbname'],
    keepAlive: config['database.tcpKeepAlive'],
    connectionTimeoutMillis: config['connection.validation.timeout.ms'],
    application_name: applicationName,
    options: startupOptions(settings),
  });

  async function open(extra: ClientConfig, ssl: ConnectionOptions | false): Promise<Client> {
    const client = new pg.Client({ ...(await base()), ...extra, ssl });
    // Without a listener, the loss of an idle connection would end the process.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** libpq's sslmode: `prefer` and `allow` find out once what the server wants. */
  async function decide(): Promise<ConnectionOptions | false> {
    const mode = config['database.sslmode'].toLowerCase();
    if (mode === 'disable') return false;
    const encrypted = await tlsOptions(config, mode);
    if (mode === 'require' || mode.startsWith('verify')) return encrypted;
    const [first, second] = mode === 'prefer' ? ([encrypted, false] as const) : ([false, encrypted] as const);
    try {
      await (await open({}, first)).end();
      return first;
    } catch (error) {
      const refused = /does not support SSL|establishing an SSL/.test((error as Error).message) || codeOf(error) === '28000';
      if (refused) return second;
      throw error;
    }
  }

  function ssl(): Promise<ConnectionOptions | false> {
    encryption ??= decide().catch((error: unknown) => {
      encryption = undefined;
      throw error;
    });
    return encryption;
  }

  async function connect(extra: ClientConfig, doing: string): Promise<Client> {
    try {
      return await open(extra, await ssl());
    } catch (error) {
      // Another server may have taken its place, with another mind about encryption.
      encryption = undefined;
      throw explain(error, `${doing} ${address} as ${config['database.user']}`);
    }
  }

  async function connectSql(extra: ClientConfig): Promise<Client> {
    const client = await connect(extra, 'connect to');
    try {
      for (const statement of initialStatements(config['database.initial.statements'])) await client.query(statement);
    } catch (error) {
      await client.end().catch(() => {});
      throw explain(error, 'run database.initial.statements');
    }
    return client;
  }

  return {
    address,
    connectReplication: () => connect({ replication: 'database' } as ClientConfig, 'open a replication connection to'),
    connect: () => connectSql({ query_timeout: config['database.query.timeout.ms'] }),
    connectReader: () => connectSql({}),
  };
}

/** Separated by semicolons; two of them stand for one that does not separate. Source: Debezium's JdbcConnection. */
function initialStatements(text: string | null): string[] {
  return (text ?? '')
    .split(/(?<!;);(?!;)/)
    .map((statement) => statement.replaceAll(';;', ';').trim())
    .filter((statement) => statement !== '');
}

/** Ends a connection, whatever state it is in, without waiting for an answer that may never come. */
export async function endClient(client: Client): Promise<void> {
  const socket = socketOf(client);
  const timer = setTimeout(() => socket.destroy(), 2_000);
  try {
    await client.end();
  } catch {
    socket.destroy();
  } finally {
    clearTimeout(timer);
  }
}

/** What pg keeps to itself: the connection's socket and its message sender. */
export interface RawConnection {
  readonly stream: Socket;
  once(event: string, listener: (...args: never[]) => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
}

export const rawConnection = (client: Client): RawConnection => (client as unknown as { connection: RawConnection }).connection;

export const socketOf = (client: Client): RawConnection['stream'] => rawConnection(client).stream;

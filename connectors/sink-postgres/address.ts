/** JDBC URLs of PostgreSQL. Source: pgjdbc's documentation, "Connecting to the Database". */
import { ConfigError } from '@millrace/runtime/api';

export interface Host {
  readonly host: string;
  readonly port: number;
}

export interface Address {
  /** Tried in order. */
  readonly hosts: readonly Host[];
  readonly database: string | null;
  readonly parameters: Readonly<Record<string, string>>;
}

const example = 'Write jdbc:postgresql://host:5432/database.';

/** Throws a ConfigError that never holds the URL itself, since it may hold a password. */
export function parseAddress(url: string): Address {
  const other = /^jdbc:([a-z0-9]+):/i.exec(url)?.[1]?.toLowerCase();
  if (other !== undefined && other !== 'postgresql') {
    throw new ConfigError(`connection.url: "jdbc:${other}:" is not supported: this sink writes to PostgreSQL only.`, { hint: example });
  }
  const match = /^(?:jdbc:)?postgres(?:ql)?:(?:\/\/([^/?]*))?(?:\/?([^?]*))?(?:\?(.*))?$/i.exec(url.trim());
  if (match === null) throw new ConfigError('connection.url: it is no JDBC URL of PostgreSQL.', { hint: example });
  const [, authority = '', path = '', query = ''] = match;
  const at = authority.lastIndexOf('@');
  if (at >= 0 && /^jdbc:/i.test(url)) {
    throw new ConfigError('connection.url: a JDBC URL has no user before the host.', {
      hint: 'Set connection.user and connection.password.',
    });
  }
  const [user, password] = at < 0 ? [] : authority.slice(0, at).split(':').map(decode);
  return {
    hosts: hostsOf(authority.slice(at + 1)),
    database: path === '' ? null : decode(path),
    parameters: {
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...parametersOf(query),
    },
  };
}

function hostsOf(text: string): Host[] {
  if (text === '') return [{ host: 'localhost', port: 5432 }];
  return text.split(',').map((entry) => {
    const match = /^(\[[^\]]+\]|[^:]*)(?::(\d*))?$/.exec(entry.trim());
    const port = Number(match?.[2] || 5432);
    if (match === null || port < 1 || port > 65_535)
      throw new ConfigError(`connection.url: "${entry}" is no host:port.`, { hint: example });
    const host = (match[1] as string).replace(/^\[(.*)\]$/, '$1');
    return { host: host === '' ? 'localhost' : host, port };
  });
}

function parametersOf(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    parameters[name] = equals < 0 ? '' : decode(part.slice(equals + 1));
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return text;
  }
}

/** Parameters that are acted on; see `connection.ts`. */
const used = new Set([
  'user',
  'password',
  'ssl',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'currentSchema',
  'ApplicationName',
  'connectTimeout',
  'loginTimeout',
  'socketTimeout',
  'tcpKeepAlive',
  'options',
  'targetServerType',
]);

/** Those that make no difference here: of the driver's own doings. */
const harmless = new Set([
  'reWriteBatchedInserts',
  'prepareThreshold',
  'preparedStatementCacheQueries',
  'preparedStatementCacheSizeMiB',
  'defaultRowFetchSize',
  'binaryTransfer',
  'stringtype',
  'loadBalanceHosts',
  'hostRecheckSeconds',
  'preferQueryMode',
  'autosave',
  'cleanupSavepoints',
  'logUnclosedConnections',
  'logServerErrorDetail',
  'assumeMinServerVersion',
  'cancelSignalTimeout',
  'databaseMetadataCacheFields',
  'escapeSyntaxCallMode',
  'gssEncMode',
  'receiveBufferSize',
  'sendBufferSize',
  'readOnlyMode',
  'unknownLength',
  'useUnicode',
  'characterEncoding',
  'sslResponseTimeout',
]);

/** Parameters of the URL that nothing acts on. */
export const ignoredParameters = ({ parameters }: Address): string[] =>
  Object.keys(parameters).filter((name) => !used.has(name) && !harmless.has(name));

/** `host:port/database`, for messages. */
export const describeAddress = ({ hosts, database }: Address, host: Host = hosts[0] as Host): string =>
  `${host.host}:${host.port}/${database ?? ''}`;

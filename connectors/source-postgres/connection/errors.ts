/** PostgreSQL's and the network's errors, told to people: what was being done, what was found, what to do. */
import { ConfigError, ConnectError, RetriableError } from '@millrace/runtime/api';

interface Known {
  /** An SQLSTATE, or one of Node's error codes. */
  readonly codes: readonly string[];
  readonly message?: RegExp;
  /** `act`: somebody has to do something; `retry`: it may pass. */
  readonly policy: 'act' | 'retry';
  readonly hint: string;
}

/** The first that fits. Source of the codes: PostgreSQL, appendix A. */
const known: readonly Known[] = [
  { codes: ['28P01'], policy: 'act', hint: 'Check database.user and database.password.' },
  {
    codes: ['28000'],
    policy: 'act',
    hint: 'Check database.user, database.sslmode, and that pg_hba.conf lets this user in, for replication too.',
  },
  { codes: ['3D000'], policy: 'act', hint: 'Check database.dbname.' },
  {
    codes: ['42501'],
    message: /WAL sender|walsender|replication/i,
    policy: 'act',
    hint: 'Give the user the right to replicate: ALTER ROLE … REPLICATION.',
  },
  { codes: ['42501'], policy: 'act', hint: 'Grant the user of the connector what is missing.' },
  { codes: ['53400'], message: /replication slots/, policy: 'act', hint: 'Drop a slot that nobody uses, or raise max_replication_slots.' },
  { codes: ['55000'], message: /wal_level/, policy: 'act', hint: 'Set wal_level = logical in postgresql.conf and restart PostgreSQL.' },
  {
    codes: ['55000'],
    message: /can no longer (get changes|access)|invalidated|obsolete|exceeded/,
    policy: 'act',
    hint: 'The slot lost WAL that was still needed, and changes with it. Drop the slot and set snapshot.mode=when_needed to read the tables anew.',
  },
  {
    codes: ['58P01'],
    message: /WAL segment|requested/,
    policy: 'act',
    hint: 'The WAL that is still needed is gone, and changes with it. Drop the slot and set snapshot.mode=when_needed to read the tables anew.',
  },
  {
    codes: ['42704'],
    message: /publication/,
    policy: 'act',
    hint: 'Create the publication, or let publication.autocreate.mode do so, and restart the connector.',
  },
  {
    codes: ['42704'],
    message: /slot/,
    policy: 'act',
    hint: 'The slot was dropped, and changes since are lost. Set snapshot.mode=when_needed to read the tables anew.',
  },
  {
    codes: ['55000'],
    message: /being synchronized|being synced/,
    policy: 'retry',
    hint: 'This server is a standby: its slot can be read when it was promoted.',
  },
  {
    codes: ['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_SIGNATURE_FAILURE'],
    policy: 'act',
    hint: 'The server’s certificate is not to be trusted: check database.sslrootcert.',
  },
  {
    codes: ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'INVALID_CA'],
    policy: 'act',
    hint: 'The server’s certificate is of another authority: check database.sslrootcert.',
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    policy: 'act',
    hint: 'The server’s certificate is for another name: check database.hostname, or use database.sslmode=verify-ca.',
  },
  { codes: ['57014'], message: /timeout/, policy: 'retry', hint: 'Raise database.query.timeout.ms, or statement_timeout of the user.' },
  { codes: ['55006'], message: /is active/, policy: 'retry', hint: 'Stop who else reads from the slot, or choose another slot.name.' },
  { codes: ['53300'], policy: 'retry', hint: 'Raise max_connections or max_wal_senders, or end connections.' },
  { codes: ['57P01', '57P02', '57P03', '57P05', '08000', '08003', '08006', '08001', '08004', 'XX000'], policy: 'retry', hint: '' },
  {
    codes: ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN'],
    policy: 'retry',
    hint: 'Check that PostgreSQL runs, database.hostname and database.port.',
  },
  { codes: ['ENOTFOUND'], policy: 'act', hint: 'Check database.hostname.' },
];

const lost =
  /Query read timeout|Connection terminated|connection (was )?(terminated|closed)|Client has encountered a connection error|timeout expired|not queryable|socket (hang up|closed)|was closed/i;

export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
};

/** `doing` completes "could not …". What is told already passes through. */
export function explain(error: unknown, doing: string): ConnectError {
  if (error instanceof ConnectError) return error;
  const found = foundIn(error);
  const code = codeOf(error);
  const entry = known.find((candidate) => code !== undefined && candidate.codes.includes(code) && (candidate.message?.test(found) ?? true));
  const message = `could not ${doing}: ${found}${/[.!?]$/.test(found) ? '' : '.'}`;
  const hint = entry?.hint || hintOf(found);
  const options = { cause: error, ...(hint ? { hint } : {}) };
  if (entry?.policy === 'retry' || (entry === undefined && lost.test(found))) return new RetriableError(message, options);
  return entry === undefined ? new ConnectError(message, options) : new ConfigError(message, options);
}

/** Of what comes without a code. */
function hintOf(found: string): string {
  if (/does not support SSL/.test(found)) return 'Set ssl = on in postgresql.conf, or database.sslmode=prefer or disable.';
  return /Query read timeout/.test(found) ? 'Raise database.query.timeout.ms if the query is to take so long.' : '';
}

function foundIn(error: unknown): string {
  // Node wraps what several addresses of a host name answered.
  if (error instanceof AggregateError && error.errors.length > 0) return foundIn(error.errors[0]);
  const { message, detail } = error as { message?: string; detail?: string };
  return `${message ?? String(error)}${detail === undefined ? '' : ` (${detail})`}`;
}

export const mayPass = (error: unknown): boolean => error instanceof RetriableError;

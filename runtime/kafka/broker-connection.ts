import { isIP } from 'node:net';
import { Connection } from '@platformatic/kafka';
import type { Reader, Writer } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { NetworkSettings } from './client-settings.ts';
import { connectionError } from './connection-error.ts';
import { framedRequests } from './framed-requests.ts';
import type { FramedRequests } from './framed-requests.ts';
import { backoffMs, pause } from './retry.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

const noTimeoutMs = 2_147_483_647;
const keepAliveMs = 60_000;

/**
 * One connection to one broker, made when it is first needed and made again, with backoff, after it was lost.
 * A request that gets no answer in time ends the connection: what follows it on the wire could not be told apart.
 */
export class BrokerConnection {
  readonly #clientId: string;
  readonly #network: NetworkSettings;
  readonly #address: () => BrokerAddress | undefined;
  readonly #name: string;
  readonly #closing = new AbortController();
  #connection: Promise<Connection> | undefined;
  #open: Connection | undefined;
  #framed: { readonly connection: Connection; readonly requests: FramedRequests } | undefined;
  #failures = 0;
  #lastUsed = 0;

  /** `address` is asked at each connect, since a broker may move. `name` says whom we mean, in errors. */
  constructor(clientId: string, network: NetworkSettings, name: string, address: () => BrokerAddress | undefined) {
    this.#clientId = clientId;
    this.#network = network;
    this.#name = name;
    this.#address = address;
  }

  get usable(): boolean {
    return this.#open?.isConnected() === true;
  }

  /**
   * Runs one request. Rejects with what the request rejects with when the broker answered; with a RetriableError
   * when no answer came; with a ConfigError where the broker does not let us in.
   */
  async request<T>(start: (connection: Connection) => Promise<T>, timeoutMs: number = this.#network.requestTimeoutMs): Promise<T> {
    const connection = await this.#connected();
    this.#lastUsed = Date.now();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      connection.socket?.destroy();
    }, timeoutMs);
    try {
      return await start(connection);
    } catch (error) {
      if (timedOut) throw new RetriableError(`broker ${this.#place()}: no answer within ${timeoutMs} ms.`, { cause: error });
      if ((error as { response?: unknown }).response !== undefined || (error as { code?: string }).code === undefined) throw error;
      throw connectionError(error, this.#place());
    } finally {
      clearTimeout(timer);
    }
  }

  /** A request in our own encoding, of a flexible version. */
  send<T>(api: { key: number; version: number }, write: () => Writer, parse: (reader: Reader) => T, timeoutMs?: number): Promise<T> {
    return this.request((connection) => {
      if (this.#framed?.connection !== connection) {
        this.#framed = { connection, requests: framedRequests(connection, this.#clientId) };
      }
      return this.#framed.requests.send(api, write(), parse);
    }, timeoutMs);
  }

  /** Ends the connection at once; requests under way reject. The next request connects again. */
  drop(): void {
    this.#open?.socket?.destroy();
    this.#open = undefined;
    this.#connection = undefined;
  }

  close(): void {
    this.#closing.abort();
    this.drop();
  }

  #connected(): Promise<Connection> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closed());
    const idleMs = Date.now() - this.#lastUsed;
    // Brokers close what was idle for 10 minutes; a request sent into a closing connection would be lost.
    if (this.#open !== undefined && (!this.#open.isConnected() || idleMs > 540_000)) this.drop();
    return (this.#connection ??= this.#connect());
  }

  async #connect(): Promise<Connection> {
    if (this.#failures > 0) await pause(backoffMs(this.#network.reconnect, this.#failures), this.#closing.signal);
    if (this.#closing.signal.aborted) throw this.#closed();
    const address = this.#address();
    let connection: Connection | undefined;
    try {
      if (address === undefined) throw new RetriableError(`broker ${this.#name}: the cluster does not list it at the moment.`);
      const { host, port } = address;
      connection = new Connection(this.#clientId, {
        ...this.#network.connection,
        ...(this.#network.connection.tls !== undefined && isIP(host) === 0 ? { tlsServerName: host } : {}),
        requestTimeout: noTimeoutMs,
        maxInflights: 1000,
      });
      connection.on('error', () => {});
      await connection.connect(host, port);
      connection.socket.setKeepAlive(true, keepAliveMs);
      if (this.#closing.signal.aborted) throw this.#closed();
      this.#failures = 0;
      this.#open = connection;
      this.#lastUsed = Date.now();
      return connection;
    } catch (error) {
      this.#failures++;
      this.#connection = undefined;
      connection?.socket?.destroy();
      throw connectionError(error, this.#place());
    }
  }

  #closed(): RetriableError {
    return new RetriableError(`broker ${this.#place()}: this client was closed.`);
  }

  #place(): string {
    const address = this.#address();
    return address === undefined ? this.#name : `${address.host}:${address.port}`;
  }
}

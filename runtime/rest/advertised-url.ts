/** What other workers call this one by. Source: org.apache.kafka.connect.runtime.rest.RestServer.advertisedUrl. */
import { networkInterfaces } from 'node:os';

export interface Advertised {
  /** `rest.advertised.host.name` */
  readonly advertisedHost: string | undefined;
  /** `rest.advertised.port` */
  readonly advertisedPort: number | undefined;
  /** `rest.advertised.listener`; undefined: http where there is such a listener, otherwise https. */
  readonly advertisedListener: 'http' | 'https' | undefined;
}

export interface ListenerAddress {
  readonly scheme: 'http' | 'https';
  /** As written; empty for every interface. */
  readonly host: string;
  /** The one that was really taken. */
  readonly port: number;
}

/**
 * `url` ends with a slash; `workerId` is host:port, as statuses show it. A listener on every interface is advertised
 * with this machine's own address. The scheme may be one that nothing here listens with: that of a proxy before it.
 */
export function advertisedUrl(
  { advertisedHost, advertisedPort, advertisedListener }: Advertised,
  addresses: readonly ListenerAddress[],
): { readonly url: string; readonly workerId: string } {
  const scheme = advertisedListener ?? (addresses.some((each) => each.scheme === 'http') ? 'http' : (addresses[0]?.scheme ?? 'http'));
  const listener = addresses.find((each) => each.scheme === scheme) ?? addresses[0];
  const host = bracketed(advertisedHost ?? reachable(listener?.host ?? ''));
  const workerId = `${host}:${advertisedPort ?? listener?.port ?? 8083}`;
  return { url: `${scheme}://${workerId}/`, workerId };
}

function reachable(host: string): string {
  return ['', '0.0.0.0', '::'].includes(host) ? ownAddress() : host;
}

/** The first address that others can reach; loopback where there is none. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find((each) => !each.internal && each.family === 'IPv4')?.address ?? '127.0.0.1';
}

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** A way to PostgreSQL on which what a replication connection says can be swallowed, while its answers go on. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface DeafProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on, of the replication connections that are open. */
  swallow(): void;
}

export async function startDeafProxy(target: { readonly host: string; readonly port: number }): Promise<DeafProxy> {
  const links: { readonly sockets: readonly [Socket, Socket]; replicates: boolean | undefined; swallowed: boolean }[] = [];
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host);
    const link = { sockets: [client, upstream] as const, replicates: undefined as boolean | undefined, swallowed: false };
    links.push(link);
    client.on('data', (chunk) => {
      // The startup packet says so.
      link.replicates ??= chunk.includes('replication\0database\0');
      if (!link.swallowed) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    for (const [socket, other] of [link.sockets, [upstream, client] as const]) {
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      for (const link of links) link.swallowed ||= link.replicates === true;
    },
    async [Symbol.asyncDispose]() {
      for (const { sockets } of links) for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Stands between a sink and its target, and goes wrong when it is told to. Knows nothing of what it carries. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * - `refuse`: connections end at once, old ones too.
 * - `stall`: nothing passes, and nobody is told.
 * - `lose-answers`: what the client sends arrives, what the server answers does not; at the end of it the connections are cut.
 * - a delay, for each piece in each direction.
 */
export type TcpFault = 'pass' | 'refuse' | 'stall' | 'lose-answers' | { readonly delayMs: number };

export interface TcpFaultProxy extends AsyncDisposable {
  readonly port: number;
  /** From now on. */
  set(fault: TcpFault): void;
  /** Ends all connections in the middle of whatever they carry. */
  cut(): void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** An answer was lost: it is of no use any more. */
  spoilt: boolean;
}

export async function startTcpFaultProxy(target: { readonly host: string; readonly port: number }): Promise<TcpFaultProxy> {
  const links = new Set<Link>();
  let fault: TcpFault = 'pass';

  function end(link: Link): void {
    link.client.destroy();
    link.server.destroy();
    links.delete(link);
  }

  function carry(from: Socket, to: Socket, link: Link): void {
    from.on('data', (chunk) => {
      if (fault === 'lose-answers' && from === link.server) {
        link.spoilt = true;
        return;
      }
      const pass = (): void => {
        if (to.destroyed || to.write(chunk)) return;
        from.pause();
        to.once('drain', () => from.resume());
      };
      if (typeof fault !== 'object') return pass();
      from.pause();
      setTimeout(() => {
        from.resume();
        pass();
      }, fault.delayMs);
    });
    from.on('error', () => end(link));
    from.on('close', () => end(link));
  }

  const proxy = createServer((client) => {
    const server = connect(target);
    const link: Link = { client, server, spoilt: false };
    links.add(link);
    carry(client, server, link);
    carry(server, client, link);
    if (fault === 'refuse') end(link);
    if (fault === 'stall') [client, server].forEach((socket) => socket.pause());
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => links.forEach(end);
  return {
    port: (proxy.address() as AddressInfo).port,
    set(wanted) {
      const before = fault;
      fault = wanted;
      if (wanted === 'refuse') cut();
      if (before === 'lose-answers') for (const link of links) if (link.spoilt) end(link);
      for (const { client, server } of links) {
        for (const socket of [client, server]) {
          if (wanted === 'stall') socket.pause();
          else if (before === 'stall') socket.resume();
        }
      }
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => {
        proxy.close(resolve);
      });
    },
  };
}

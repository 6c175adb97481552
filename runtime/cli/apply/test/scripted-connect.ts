/** An HTTP server that answers as Kafka Connect does, and misbehaves as a test tells it to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly status: number;
  /** Text is sent as it is; anything else as JSON. */
  readonly body?: unknown;
}

export interface Request {
  readonly method: string;
  /** With its query, decoded. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface ScriptedConnect extends AsyncDisposable {
  readonly url: string;
  readonly requests: Request[];
  readonly configs: Map<string, Record<string, string>>;
  /** Of a connector and its one task; RUNNING unless it is set. */
  readonly states: Map<string, { readonly state: string; readonly trace?: string }>;
  /** Asked first; undefined leaves the answer to the server. */
  script: (request: Request) => Answer | undefined;
}

export async function startScriptedConnect(): Promise<ScriptedConnect> {
  const server = createServer(async (incoming, outgoing) => {
    const text = (await incoming.setEncoding('utf8').toArray()).join('');
    const request: Request = {
      method: incoming.method ?? '',
      path: decodeURIComponent(incoming.url ?? ''),
      authorization: incoming.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    };
    connect.requests.push(request);
    const { status, body } = connect.script(request) ?? answer(request);
    outgoing.writeHead(status, { 'content-type': 'application/json' });
    outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function answer({ method, path, body }: Request): Answer {
    const { configs, states } = connect;
    const [, , name = ''] = path.split('/');
    const all = (what: string, of: (name: string) => unknown) =>
      Object.fromEntries([...configs.keys()].map((connector) => [connector, { [what]: of(connector) }]));
    const stateOf = (connector: string) => states.get(connector) ?? { state: 'RUNNING' };
    if (path === '/connectors?expand=info') {
      const info = (connector: string) => ({ config: configs.get(connector), tasks: [{ connector, task: 0 }] });
      return { status: 200, body: all('info', info) };
    }
    if (path === '/connectors?expand=status') {
      const status = (connector: string) => ({ connector: { state: 'RUNNING' }, tasks: [{ id: 0, ...stateOf(connector) }] });
      return { status: 200, body: all('status', status) };
    }
    if (path.endsWith('/validate')) return { status: 200, body: { error_count: 0, configs: [] } };
    if (path.endsWith('/tasks')) return { status: 200, body: [] };
    if (path.includes('/restart?')) return { status: 202, body: {} };
    if (method === 'DELETE') return { status: configs.delete(name) ? 204 : 404 };
    if (method === 'PUT') {
      configs.set(name, body as Record<string, string>);
      return { status: 200, body: {} };
    }
    if (method === 'POST' && path === '/connectors') {
      const made = body as { readonly name: string; readonly config: Record<string, string> };
      configs.set(made.name, made.config);
      return { status: 201, body: {} };
    }
    return { status: 404, body: { error_code: 404, message: `HTTP 404 Not Found` } };
  }

  const connect: ScriptedConnect = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    configs: new Map(),
    states: new Map(),
    script: () => undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return connect;
}

export const refusal = (status: number, message: string): Answer => ({ status, body: { error_code: status, message } });

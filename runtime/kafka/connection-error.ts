import { ConfigError, ConnectError, RetriableError } from '../api/index.ts';

/** Why a connection failed, as one of our errors: retriable, unless only a person can mend it. */
export function connectionError(error: unknown, broker: string): ConnectError {
  if (error instanceof ConnectError) return error;
  const chain = causesOf(error);
  const detail = chain.at(-1)?.message ?? String(error);
  const code = chain.map((each) => (each as NodeJS.ErrnoException).code).findLast((each) => each !== undefined && !each.startsWith('PLT_'));
  const said = chain.map((each) => (each as { serverErrorMessage?: string | null }).serverErrorMessage).find((each) => each);
  const network = chain.some((each) => each.message === 'Connection closed' || each.message === 'Request timed out');

  if (chain.some((each) => (each as { code?: string }).code === 'PLT_KFK_AUTHENTICATION') && !network) {
    return new ConfigError(`broker ${broker}: the login was refused: ${said ?? detail}.`, {
      cause: error,
      hint: 'Check sasl.mechanism and the user and password in sasl.jaas.config.',
    });
  }
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(code)) {
    return new ConfigError(`broker ${broker}: its TLS certificate is not trusted: ${detail} (${code}).`, {
      cause: error,
      hint:
        code === 'ERR_TLS_CERT_ALTNAME_INVALID'
          ? 'Connect under a name of its certificate, or leave ssl.endpoint.identification.algorithm empty.'
          : 'Put the authority that signed it into ssl.truststore.location.',
    });
  }
  if (code?.startsWith('ERR_SSL') || chain.some((each) => /secure TLS|requires TLS|handshake/i.test(each.message))) {
    return new ConfigError(`broker ${broker}: no TLS connection could be made: ${detail}.`, {
      cause: error,
      hint: 'Check that security.protocol fits the listener of that port, and ssl.keystore.* where the broker asks for a client certificate.',
    });
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const host = broker.replace(/:\d+$/, '');
    return Object.assign(new RetriableError(`broker ${broker}: the name "${host}" cannot be resolved (${code}).`, { cause: error }), {
      code,
    });
  }
  return new RetriableError(`broker ${broker}: ${plain(code, detail)}.`, { cause: error });
}

function plain(code: string | undefined, detail: string): string {
  if (code === 'ECONNREFUSED') return 'the connection was refused: nothing listens there';
  if (code === 'ECONNRESET' || detail === 'Connection closed') return 'the connection was closed';
  return detail.replace(/\.$/, '');
}

function causesOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let at = error; at instanceof Error && chain.length < 10;) {
    chain.push(at);
    const inner = (at as AggregateError).errors as unknown[] | undefined;
    at = at.cause ?? inner?.[0];
  }
  return chain;
}

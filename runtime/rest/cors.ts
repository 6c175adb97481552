/** Cross-origin requests, as Jetty's CrossOriginHandler allows them. */
import type { RequestHandler } from 'express';

export interface Origins {
  /** Origins, with `*` for any run of characters. */
  readonly allowed: readonly string[];
  /** Jetty's default when empty: GET, POST, HEAD. */
  readonly methods: readonly string[];
}

export function allowOrigins({ allowed, methods }: Origins): RequestHandler {
  const patterns = allowed.map((each) => new RegExp(`^${each.split('*').map(escaped).join('.*')}$`));
  const allowedMethods = (methods.length > 0 ? methods : ['GET', 'POST', 'HEAD']).join(',');
  return (request, response, next) => {
    const origin = request.headers.origin;
    response.vary('Origin');
    if (origin !== undefined && patterns.some((pattern) => pattern.test(origin))) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
        response.setHeader('Access-Control-Allow-Methods', allowedMethods);
        response.setHeader('Access-Control-Allow-Headers', 'X-Requested-With,Content-Type,Accept,Origin');
        response.setHeader('Access-Control-Max-Age', '60');
      }
    }
    next();
  };
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

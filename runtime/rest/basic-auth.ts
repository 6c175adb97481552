/**
 * Name and password for every request (RFC 7617), as Connect's BasicAuthSecurityRestExtension asks for them. Source:
 * org.apache.kafka.connect.rest.basic.auth.extension.JaasBasicAuthFilter.
 */
import type { RequestHandler } from 'express';

import { send } from './resource.ts';

/** Whether that password is that user's. */
export type IsUser = (name: string, password: string) => Promise<boolean>;

export function basicAuth(isUser: IsUser): RequestHandler {
  return async (request, response, next) => {
    const given = credentialsOf(request.headers.authorization);
    if (given !== undefined && (await isUser(given.name, given.password))) return next();
    send(response, {
      status: 401,
      body: 'User cannot access the resource.',
      contentType: 'text/plain',
      headers: { 'WWW-Authenticate': 'Basic realm="millrace"' },
    });
  };
}

/** Of `Basic <base64 of name:password>`; undefined for anything else. */
function credentialsOf(header: string | undefined): { readonly name: string; readonly password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon <= 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

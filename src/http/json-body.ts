/**
 * JSON bodies (RFC 8259): strict UTF-8, bounded depth, and no `__proto__` or `constructor.prototype` members, which would
 * be taken for something else by whoever copies the object. An empty body is no body; a route that needs one says so.
 */
import type { FastifyInstance } from 'fastify';
import { HTTP_LIMITS } from './limits.js';

/** A body that is not well-formed; `statusCode` lets the error handler know it as the client's. */
export class MalformedBody extends Error {
  readonly statusCode = 400;
}

/** What a body may call itself; RFC 7396 §4 for the second, which a PATCH may use. */
export const BODY_TYPES = ['application/json', 'application/merge-patch+json'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The deepest nesting of arrays and objects in JSON text, counted up to `bound`; text in strings does not count. */
export function nesting(text: string, bound: number): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length && deepest <= bound; i++) {
    const char = text.charCodeAt(i);
    if (quoted) {
      if (char === 0x5c) i++;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (char === 0x7d || char === 0x5d) depth--;
  }
  return deepest;
}

function decoded(octets: Buffer): string {
  try {
    return utf8.decode(octets);
  } catch {
    throw new MalformedBody('The body is not UTF-8.');
  }
}

/** Makes `app` read JSON, and nothing else: any other type is 415. */
export function readJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(BODY_TYPES, { parseAs: 'buffer' }, (request, octets, done) => {
    if (octets.length === 0) {
      done(null, undefined);
      return;
    }
    try {
      const text = decoded(octets);
      if (nesting(text, HTTP_LIMITS.bodyDepth) > HTTP_LIMITS.bodyDepth) {
        throw new MalformedBody(`The body is nested deeper than ${HTTP_LIMITS.bodyDepth} levels.`);
      }
      parse(request, text, done);
    } catch (error) {
      done(error instanceof Error ? error : new Error('unreadable body'));
    }
  });
}

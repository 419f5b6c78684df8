/** The listening socket: plain or under TLS, with the time-outs that a slow or silent client meets (RFC 9110 leaves them open). */
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { systemClock } from '../base/units.js';
import { uuid7 } from '../base/uuid7.js';
import { HTTP_LIMITS } from './limits.js';
import { PROBLEM_TYPE, PROBLEMS, type ProblemKind, problemText } from './problems.js';

/** Certificate and key in PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

/** A server for `handler`, not yet listening. */
export function makeServer(handler: RequestListener, tls: TlsFiles | null): Server {
  const options = {
    maxHeaderSize: HTTP_LIMITS.headerOctets,
    headersTimeout: HTTP_LIMITS.headersMillis,
    requestTimeout: HTTP_LIMITS.requestMillis,
    keepAliveTimeout: HTTP_LIMITS.idleMillis,
    connectionsCheckingInterval: 1_000,
    requireHostHeader: true,
  };
  const server =
    tls === null
      ? createServer(options, handler)
      : createTlsServer({ ...options, minVersion: 'TLSv1.2', cert: tls.cert, key: tls.key }, handler);
  server.setTimeout(HTTP_LIMITS.socketMillis);
  server.maxConnections = HTTP_LIMITS.connections;
  return server;
}

/** What Node's parser refuses, by its error code; anything else is malformed. */
const PARSER: Readonly<Record<string, ProblemKind>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Answers on the bare socket where a request could not be parsed, and closes it. */
export function refuseUnparsed(error: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const kind = PARSER[error.code ?? ''] ?? 'malformed_request';
  const { status } = PROBLEMS[kind];
  const body = problemText(kind, uuid7(systemClock()));
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: no-store\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Methods that a path does not know: 405 with Allow (RFC 9110 §15.5.6), in place of a 404 that would deny the path. */
import type { App } from './app.js';
import { sendProblem } from './problems.js';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Watches the routes that are added from now on; call the result once all are there. */
export function watchMethods(app: App): () => void {
  const byUrl = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.otherMethod === true) return;
    const known = byUrl.get(url) ?? new Set();
    for (const one of Array.isArray(method) ? method : [method]) known.add(one);
    byUrl.set(url, known);
  });
  return () => {
    for (const [url, known] of byUrl) {
      const allow = METHODS.filter((method) => known.has(method)).join(', ');
      app.route({
        method: METHODS.filter((method) => !known.has(method)),
        url,
        config: { permission: 'open', otherMethod: true },
        schema: { hide: true },
        // Before the body is read: it does not matter what it holds.
        onRequest: async (request, reply) => {
          reply.header('allow', allow);
          return sendProblem(reply, 'method_not_allowed', { detail: `${request.method} is not one of ${allow}.` });
        },
        handler: async (_request, reply) => sendProblem(reply, 'method_not_allowed'),
      });
    }
  };
}

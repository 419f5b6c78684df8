/** What watches the process: is it alive, does it decide, what does it count, what does its API look like. */
import { z } from 'zod';
import type { App } from '../app.js';
import type { Metrics } from '../metrics.js';
import { openapiText } from '../openapi.js';
import { sendProblem } from '../problems.js';

/** Whether this node may be sent requests; `reasons` says in words why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** How long a load balancer waits before it asks again whether a node is ready. Unit: seconds. */
const ASK_AGAIN_SECONDS = 1;

const status = z.object({ status: z.string() });

export interface SystemParts {
  readonly metrics: Metrics;
  readonly ready: () => Readiness | Promise<Readiness>;
}

/** `/livez` `/readyz` `/metrics` `/openapi.json`, outside `/api/v1`. The first two need no key. */
export function systemRoutes(app: App, { metrics, ready }: SystemParts): void {
  // Made when it is first asked for: all routes are there then, and none comes later.
  let document: string | undefined;

  app.route({
    method: 'GET',
    url: '/livez',
    config: { permission: 'open' },
    schema: {
      tags: ['system'],
      summary: 'Alive: the process answers',
      operationId: 'livez',
      security: [],
      response: { 200: status },
    },
    handler: async () => ({ status: 'ok' }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    config: { permission: 'open' },
    schema: {
      tags: ['system'],
      summary: 'Ready: this node decides; else 503 with the reasons',
      operationId: 'readyz',
      security: [],
      response: { 200: status },
    },
    handler: async (_request, reply) => {
      const { ready: isReady, reasons } = await ready();
      if (isReady) return { status: 'ready' };
      return sendProblem(reply, 'unavailable', {
        detail: reasons.join('; '),
        members: { reasons },
        retryAfter: ASK_AGAIN_SECONDS,
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    config: { permission: 'read' },
    schema: {
      tags: ['system'],
      summary: 'What the process counts, for Prometheus',
      operationId: 'metrics',
      produces: ['text/plain'],
    },
    handler: async (_request, reply) => {
      const text = await metrics.text();
      return reply.type(metrics.contentType).send(text);
    },
  });

  app.route({
    method: 'GET',
    url: '/openapi.json',
    config: { permission: 'read' },
    schema: { tags: ['system'], summary: 'This description', operationId: 'openapi' },
    handler: async (_request, reply) => {
      document ??= openapiText(app);
      return reply.type('application/json').send(document);
    },
  });
}

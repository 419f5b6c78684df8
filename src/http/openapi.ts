/**
 * The description of the API (OpenAPI 3.1), from the very schemas that validate. What every route shares (the key, the problems
 * that it can answer with, entity tags) is written into the finished document by rule, so that no route can forget it.
 */
import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App } from './app.js';
import { PROBLEM_TYPE, PROBLEMS, type ProblemKind, problemSchema } from './problems.js';

/** Any object of a JSON document. */
type Json = Record<string, unknown>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type Method = (typeof METHODS)[number];

const PROBLEM_KINDS = Object.keys(PROBLEMS).filter((kind): kind is ProblemKind => kind in PROBLEMS);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const DESCRIPTION = `Users, tokens, resources and who may enter what, and the log of it.
Send \`Authorization: Bearer <api key>\`. Errors are problem details (RFC 9457); records have an \`ETag\`, and \`If-Match\`
keeps a change from overwriting another.`;

/** Begins to collect routes; those added from now on are described. */
export function collectRoutes(app: App, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sallyport', version, description: DESCRIPTION },
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key' } } },
      security: [{ apiKey: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** The finished document as text; the application must be ready. */
export function openapiText(app: App): string {
  // A copy that nothing else sees, and in which what JSON cannot say is gone.
  const document: unknown = JSON.parse(JSON.stringify(app.swagger()));
  if (!isObject(document)) throw new Error('the OpenAPI document is no object');
  const components = member(document, 'components');
  const { $schema: _, ...problem } = z.toJSONSchema(problemSchema, { io: 'output' });
  components['schemas'] = { ...member(components, 'schemas'), Problem: problem };
  components['responses'] = Object.fromEntries(PROBLEM_KINDS.map((kind) => [kind, problemResponse(kind)]));
  for (const [path, item] of Object.entries(member(document, 'paths'))) {
    if (!isObject(item)) continue;
    delete item['head']; // HTTP says it: what GET answers, without its body.
    for (const method of METHODS) {
      const operation = item[method];
      if (isObject(operation)) complete(method, path, operation);
    }
  }
  return withoutTwins(document);
}

/** The object under `key`, made where there is none. */
function member(parent: Json, key: string): Json {
  const present = parent[key];
  if (isObject(present)) return present;
  const made: Json = {};
  parent[key] = made;
  return made;
}

/**
 * Each schema stands in the document twice, as what goes in (`UserCreateInput`) and as what comes out (`UserCreate`), and
 * only one of the two is used: that one keeps its plain name.
 */
function withoutTwins(document: Json): string {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]));
  const plain = (name: string): string => {
    const base = name.replace(/Input$/, '');
    return used.has(base) ? name : base;
  };
  const components = member(document, 'components');
  const kept = Object.entries(member(components, 'schemas')).filter(([name]) => used.has(name));
  components['schemas'] = Object.fromEntries(kept.map(([name, schema]) => [plain(name), schema]));
  return JSON.stringify(document, (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace(/\w+$/, plain) : value,
  );
}

function problemResponse(kind: ProblemKind): Json {
  const { status, title } = PROBLEMS[kind];
  const header = status === 401 ? 'WWW-Authenticate' : status === 429 || status === 503 ? 'Retry-After' : null;
  return {
    description: title,
    ...(header === null ? {} : { headers: { [header]: { schema: { type: 'string' } } } }),
    content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/** Adds what the operation can answer with besides what its route says. */
function complete(method: Method, path: string, operation: Json): void {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  operation['responses'] = responses;
  for (const kind of problemsOf(method, path, operation)) {
    responses[String(PROBLEMS[kind].status)] ??= { $ref: `#/components/responses/${kind}` };
  }
  for (const parameter of objects(operation['parameters'])) {
    if (parameter['name'] !== 'if-none-match') continue;
    responses['304'] ??= { description: 'The reader has it already' };
  }
  for (const response of objects(Object.values(responses))) {
    if (response['description'] === 'Default Response') response['description'] = String(operation['summary'] ?? '');
  }
  describeTag(operation, responses);
}

/** Where If-Match or If-None-Match is taken, a successful answer has an ETag. */
function describeTag(operation: Json, responses: Json): void {
  const conditional = objects(operation['parameters']).some(
    ({ name }) => name === 'if-match' || name === 'if-none-match',
  );
  const found = responses['200'];
  if (conditional && isObject(found)) found['headers'] = { ETag: { schema: { type: 'string' } } };
}

function problemsOf(method: Method, path: string, operation: Json): readonly ProblemKind[] {
  const kinds: ProblemKind[] = [];
  const parameters = objects(operation['parameters']);
  const isOpen = Array.isArray(operation['security']) && operation['security'].length === 0;
  if (!isOpen) kinds.push('unauthenticated', 'forbidden', 'too_many_requests', 'internal');
  if ('requestBody' in operation) kinds.push('malformed_body', 'body_too_large', 'unsupported_media_type', 'invalid');
  if (parameters.some((parameter) => parameter['in'] === 'query')) kinds.push('bad_cursor', 'invalid');
  if (path.includes('{')) kinds.push('not_found');
  if (method !== 'get' && !path.endsWith('/authenticate')) kinds.push('conflict');
  if (parameters.some((parameter) => parameter['name'] === 'if-match')) kinds.push('precondition_failed');
  if (path !== '/livez') kinds.push('unavailable');
  return kinds;
}
